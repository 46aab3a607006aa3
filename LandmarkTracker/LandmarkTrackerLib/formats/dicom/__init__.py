"""DICOM: single files, enhanced and other files of several frames, folders, media.

`headers` reads and checks tags, `frames` makes every image of every kind of file a `Frame` with its place
(`geometry`) and its times (`clocks`), `stacks` puts frames together, `reading` opens what they make, and
`pixels` decodes one frame.
"""

from LandmarkTrackerLib.formats.dicom.headers import is_dicom, is_index
from LandmarkTrackerLib.formats.dicom.reading import dicom_files, listing, names_in, read_cine, read_image

__all__ = ["dicom_files", "is_dicom", "is_index", "listing", "names_in", "read_cine", "read_image"]
