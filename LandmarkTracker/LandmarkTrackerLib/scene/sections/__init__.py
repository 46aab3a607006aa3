"""What a user can do: one file a section of the front ends."""
