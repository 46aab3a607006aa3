"""Ready transforms for SimpleITK, ITK and Slicer: fitted to the pairs, each weighing as much as its score."""

from __future__ import annotations

from pathlib import Path

import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import written
from LandmarkTrackerLib.formats.scans import ScanPair
from LandmarkTrackerLib.warping import TransformKind, fit

FILES: dict[TransformKind, str] = {
    "rigid": "rigid.tfm",
    "affine": "affine.tfm",
    "thin-plate": "thin_plate.tfm",
}

SCRIPT = """\
\"\"\"Warp the moving image: python warp.py [{choices}]\"\"\"

import sys

import SimpleITK as sitk

fixed, moving = sitk.ReadImage({fixed!r}), sitk.ReadImage({moving!r})
transform = sitk.ReadTransform(sys.argv[1] if len(sys.argv) > 1 else {best!r})
background = sitk.GetArrayViewFromImage(moving).min().item()
sitk.WriteImage(sitk.Resample(moving, fixed, transform, sitk.sitkLinear, background), "warped.mha")
"""


def write_transform(path: Path, transform: sitk.Transform, *, overwrite: bool = False) -> None:
    """Write a transform as `.tfm`, the text that ITK and Slicer read.

    Raises:
        InputError: the file exists and `overwrite` is False.
    """
    with written(path, overwrite) as partial:
        # ITK goes by the suffix.
        scratch = partial.with_name("writing-" + path.name)
        try:
            sitk.WriteTransform(transform, str(scratch))
            scratch.replace(partial)
        finally:
            scratch.unlink(missing_ok=True)


def export(folder: Path, scans: ScanPair) -> None:
    """Rigid, affine and thin-plate (a B-spline) transforms, as far as the pairs allow, and what applies them.

    Raises:
        InputError: the pairs are too few even for a rigid transform.
    """
    written_files: list[str] = []
    for kind, name in FILES.items():
        try:
            transform = fit(*scans.points, scans.pairs.score, scans.domain, kind)
        except InputError:
            if not written_files:
                raise
            continue
        write_transform(folder / name, transform)
        written_files.append(name)
    a, b = scans.images(folder)
    script = SCRIPT.format(fixed=a, moving=b, choices=" | ".join(written_files), best=written_files[-1])
    with written(folder / "warp.py") as partial:
        partial.write_text(script, encoding="utf-8")
