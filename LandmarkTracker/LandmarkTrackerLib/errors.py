"""The one error that is the user's to mend."""


class InputError(ValueError):
    """What was given cannot be used. The message is one sentence that names the thing and the remedy."""
