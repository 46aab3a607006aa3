"""The one folder that a page may read from and write into."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import dicom, is_landmark_file
from LandmarkTrackerLib.formats.files import natural
from LandmarkTrackerLib.formats.image_file import suffix_of


@dataclass(frozen=True)
class Entry:
    """Something in a folder that can be opened.

    Attributes:
        kind: "folder", "image", "landmarks", "model", or "slice": one of several cines in a DICOM folder.
        path: relative to the root, with forward slashes.
    """

    name: str
    kind: str
    path: str


class DataRoot:
    """Every path that a browser sends is looked up here: nothing outside the folder is reached.

    A symbolic link below the root is refused wherever it leads: it can be changed after it was looked at.
    """

    def __init__(self, folder: Path) -> None:
        """
        Raises:
            InputError: there is no such folder.
        """
        # A link that leads to the root itself is the server's own business.
        self._given = Path(folder).absolute()
        self.folder = self._given.resolve()
        if not self.folder.is_dir():
            raise InputError(f"{folder} is not a folder; give the folder that holds the images")

    def find(self, path: str) -> Path:
        """What is at a path, or would be: it need not exist yet.

        Args:
            path: relative to the root; "" for the root itself.

        Raises:
            InputError: it leads outside, or through a symbolic link.
        """
        parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
        if path.startswith(("/", "\\")) or ".." in parts or any(c in path for c in "\0:"):
            raise InputError(f"'{path}' is outside the data folder; choose something inside it")
        found = self.folder
        for part in parts:
            found = found / part
            if found.is_symlink():
                raise InputError(f"'{path}' goes through a symbolic link; copy the file into the data folder")
        return found

    def relative(self, path: Path) -> str:
        """The path that leads to a file or folder of this root.

        Raises:
            InputError: it is not inside the root.
        """
        path = Path(path).absolute()
        for root in (self.folder, self._given):
            if path.is_relative_to(root):
                return path.relative_to(root).as_posix()
        raise InputError(
            f"{path} is not inside the data folder {self.folder}; start with another --data-root"
        )

    def entries(self, path: str) -> list[Entry]:
        """What can be opened in a folder, folders first.

        Raises:
            InputError: it is outside, or no folder.
        """
        folder = self.find(path)
        if not folder.is_dir():
            raise InputError(f"'{path}' is no folder any more; choose another")
        found = [Entry(name, "slice", path) for name in _slices(folder)]
        for entry in folder.iterdir():
            kind = _kind(entry)
            if kind:
                found.append(Entry(entry.name, kind, entry.relative_to(self.folder).as_posix()))
        first = ("folder", "slice")
        return sorted(
            found, key=lambda entry: (entry.kind not in first, entry.kind, natural(entry.name.lower()))
        )


def safe_name(name: str) -> str:
    """The file name of an upload, without any folder.

    Raises:
        InputError: nothing is left of it, or it is hidden.
    """
    name = name.replace("\\", "/").rsplit("/", 1)[-1].strip()
    if not name or name.startswith(".") or any(ord(c) < 32 or c in ':*?"<>|' for c in name):
        raise InputError(f"'{name}' cannot be uploaded under this name; rename the file")
    return name


def _slices(folder: Path) -> list[str]:
    """The cines of a DICOM folder, if there are several; else the folder is opened as it is."""
    try:
        # What is below a folder is looked at when that is opened.
        here = any(file.parent == folder for file in dicom.dicom_files(folder))
        names = dicom.names_in(folder) if here else []
    except InputError:
        # Who opens the folder is told what is wrong with it.
        return []
    return names if len(names) > 1 else []


def _kind(path: Path) -> str:
    """What this is for the page; empty for what cannot be opened."""
    if path.is_symlink() or path.name.startswith("."):
        return ""
    if path.is_dir():
        return "folder"
    if path.is_file() and is_landmark_file(path):
        return "landmarks"
    if path.suffix.lower() == ".pt":
        return "model"
    return "image" if path.is_file() and suffix_of(path) else ""
