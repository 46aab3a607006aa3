"""Known motion of images: how far every point moved is known exactly, because it was drawn."""
