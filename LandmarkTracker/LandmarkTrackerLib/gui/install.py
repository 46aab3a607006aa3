"""PyTorch, through the PyTorch extension, which knows the right build for this computer."""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

REQUIREMENT = ">=2.4"


def install_pytorch() -> None:
    """Install PyTorch after the user agreed; say what to do if the extension for it is not there."""
    try:
        import PyTorchUtils
    except ModuleNotFoundError:
        slicer.util.errorDisplay(
            _("Install the extension 'PyTorch' with the Extensions Manager and restart Slicer.")
        )
        return
    with slicer.util.tryWithErrorDisplay(_("PyTorch could not be installed."), waitCursor=True):
        PyTorchUtils.PyTorchUtilsLogic().installTorch(
            askConfirmation=True, torchVersionRequirement=REQUIREMENT
        )
