"""Which images the shipped models are for: writes the entry `fit` of the cards, and shows whom it warns.

    python Benchmarks/model_fit.py            # how often each set of images is warned of
    python Benchmarks/model_fit.py --write    # also write the entries

The limit is chosen on the training images alone: 1.2 times the distance that 98 % of a patient's images have
to the nearest image of another patient. Every other row was left out of that.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from LandmarkTrackerLib.formats import open_cine, read_image
from LandmarkTrackerLib.methods.fit import UNIT, describe, distances, misfit
from LandmarkTrackerLib.weights import model_folder, read_card

EXAMPLES, MARGIN, SHARE = 32, 1.2, 0.98


@dataclass(frozen=True)
class Kind:
    """What a model was trained on: files below the data folder, and which of them are of one patient."""

    patterns: tuple[str, ...]
    patient: Callable[[Path, Path], str]
    hounsfield: bool = False


def _before_im(data: Path, path: Path) -> str:
    return path.name.split("-IM-")[0]


def _folder(data: Path, path: Path) -> str:
    return path.parent.name


def _listed(data: Path, path: Path) -> str:
    with (path.parent / "images.csv").open(newline="") as table:
        return {row["file"]: row["patient"] for row in csv.DictReader(table)}[path.name]


CT = ("A002304", "A027284", "A048383", "A067967", "A072894")
KINDS = {
    "tmn-chest-xray": Kind(("chest_xray/*.png",), _listed),
    "tmn-cardiac-cine": Kind(("cardiac_edes/images/*.png",), _before_im),
    "scn-cardiac-lv": Kind(("cardiac_edes/images/*.png",), _before_im),
    "correspondence-ct": Kind(tuple(f"ct_followup/{p}/*.nrrd" for p in CT), _folder, hounsfield=True),
    "correspondence-ct-3d": Kind(tuple(f"ct_followup/{p}/*.nrrd" for p in CT), _folder, hounsfield=True),
}
SETS = (
    "chest_xray/*.png",
    "jsrt_xray/*.jpg",
    "ceph_xray/*.jpg",
    "hand_xray/*.mha",
    "histology_pairs/**/*.jpg",
    "cardiac_edes/images/*.png",
    "acdc_cine/*/frames/*.nii.gz",
    "cardiac_cine/*.seq.nrrd",
    "ct_followup/*/axial*.nrrd",
    "ct_followup/*/coronal*.nrrd",
    "ct_volumes/*mm.nii.gz",
    "mouse_skull/*.nii.gz",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write the entries into the cards")
    parser.add_argument("--most", type=int, default=60, help="images of a set to look at (60)")
    args = parser.parse_args()
    data = Path(os.environ.get("LANDMARKTRACKER_DATA", "data"))
    for name, kind in KINDS.items():
        if args.write:
            _write(data, name, kind)
    print(f"{'':32}" + "".join(f"{name:>22}" for name in KINDS))
    for pattern in SETS:
        paths = sorted(data.glob(pattern))
        if not paths:
            continue
        paths = paths[:: max(1, len(paths) // args.most)]
        images = [open_cine(p)[0] if p.name.endswith(".seq.nrrd") else read_image(p) for p in paths]
        warned = [
            np.mean([bool(misfit(read_card(n), i)) for i in images]) if images else np.nan for n in KINDS
        ]
        print(f"{pattern:32}" + "".join(f"{share:>22.0%}" for share in warned))


def _write(data: Path, name: str, kind: Kind) -> None:
    card = read_card(name)
    held_out = {patient for part in card.get("held_out", {}).values() for patient in part}
    paths = [path for pattern in kind.patterns for path in sorted(data.glob(pattern))]
    patients = np.array([kind.patient(data, path) for path in paths])
    trained = np.array([patient not in held_out for patient in patients])
    paths, patients = [p for p, t in zip(paths, trained, strict=True) if t], patients[trained]
    described = np.round(UNIT * np.array([describe(read_image(path)) for path in paths])) / UNIT
    chosen = _spread(described)
    apart = np.concatenate(
        [
            distances(described[patients == p], described[chosen][patients[chosen] != p])
            for p in np.unique(patients)
        ]
    )
    card["fit"] = {
        "limit": round(float(MARGIN * np.quantile(apart, SHARE)), 2),
        "hounsfield": kind.hounsfield,
        "examples": np.rint(UNIT * described[chosen]).astype(int).tolist(),
    }
    path = model_folder() / f"{name}.json"
    lines = path.read_text().rstrip().removesuffix("}").rstrip().splitlines()
    lines = [line for line in lines if not line.startswith('  "fit": ')]
    entry = json.dumps(card["fit"], separators=(",", ":"))
    path.write_text("\n".join(lines).rstrip(",") + f',\n  "fit": {entry}\n}}\n')


def _spread(described: np.ndarray) -> np.ndarray:
    """Rows of those images that together lie nearest to all others: the farthest is added each time."""
    chosen = [int(distances(described, described.mean(axis=0)[None]).argmin())]
    while len(chosen) < min(EXAMPLES, len(described)):
        chosen.append(int(distances(described, described[chosen]).argmax()))
    return np.array(chosen)


if __name__ == "__main__":
    main()
