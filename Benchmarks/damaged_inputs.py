"""Damaged files of every format, given to the readers: each must answer with a value or an `InputError`.

    python Benchmarks/damaged_inputs.py [--count 3000] [--seed 0]

Small valid files are made, damaged by a seeded draw (bytes flipped, cut short, numbers of the header replaced
by hostile ones) and described in child processes with a time limit and a limit of address space. Prints a
table: what became of them, by format. Exit code 1 if anything else than a value or an `InputError` came.
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import os
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import open_cine, read_image, write_cine, write_landmarks
from LandmarkTrackerLib.formats.describe import describe_file
from LandmarkTrackerLib.formats.files import NotACineError
from LandmarkTrackerLib.formats.seq_mrb import write_seq_mrb
from LandmarkTrackerLib.formats.track_csv import write_track_csv
from LandmarkTrackerLib.landmarks import LandmarkSet, Track
from LandmarkTrackerLib.simulation.phantom import Phantom

SECONDS, BYTES = 20, 6 << 30
HOSTILE = (
    b"-1",
    b"0",
    b"10000000000",
    b"nan",
    b"inf",
    b"",
    b"9" * 400,
    b"x",
    b"1e308",
    b"-0.5",
    b"65535 65535",
)
OUTCOMES = ("value", "InputError", "other exception", "crash", "too long", "memory")


def originals(folder: Path) -> dict[str, Path]:
    """One small valid file a format."""
    rng = np.random.default_rng(0)
    slices = sitk.GetImageFromArray(rng.integers(0, 255, (1, 12, 16)).astype(np.uint8))
    volume = sitk.GetImageFromArray(rng.integers(0, 999, (4, 12, 16)).astype(np.int16))
    made = {}
    for name in ("a.nii", "b.nii.gz", "c.mha", "d.mhd", "e.nrrd", "f.nhdr", "g.hdr"):
        sitk.WriteImage(volume, str(folder / name))
        made[name] = folder / name
    sitk.WriteImage(volume, str(folder / "h.mha"), True)
    made["h.mha packed"] = folder / "h.mha"
    for name in ("i.png", "j.jpg", "k.tif"):
        sitk.WriteImage(slices[:, :, 0], str(folder / name))
        made[name] = folder / name
    four = sitk.JoinSeries([volume, volume, volume])
    for name in ("l.nii.gz", "m.mha"):
        sitk.WriteImage(four, str(folder / name))
        made[f"{name} 4D"] = folder / name
    writer = sitk.ImageFileWriter()
    writer.SetFileName(str(folder / "n.dcm"))
    writer.Execute(sitk.Cast(volume[:, :, 0], sitk.sitkInt16))
    made["n.dcm"] = folder / "n.dcm"
    phantom = Phantom(0, frames=3, size=(24, 20))
    write_cine(folder / "o.seq.nrrd", phantom.cine())
    made["o.seq.nrrd"] = folder / "o.seq.nrrd"
    sets = tuple(phantom.landmarks(t) for t in range(3))
    track = Track(np.arange(3.0), sets)
    write_seq_mrb(folder / "p.seq.mrb", track)
    write_track_csv(folder / "track.csv", track)
    made |= {"p.seq.mrb": folder / "p.seq.mrb", "track.csv": folder / "track.csv"}
    points = LandmarkSet.of({"a": (1.0, 2.0, 3.0), "b": (4.0, 5.0, 6.0)})
    for name in ("q.mrk.json", "r.fcsv", "s.csv"):
        write_landmarks(folder / name, points)
        made[name] = folder / name
    texts = {
        "t.tsv": "label\tl\tp\ts\na\t1\t2\t3\n",
        "u.tps": "LM=2\n1.0 2.0\n3.0 4.0\nIMAGE=x.jpg\nID=0\n",
        "v.pts": "version: 1\nn_points: 2\n{\n1 2\n3 4\n}\n",
        "w.tag": 'MNI Tag Point File\nVolumes = 1;\nPoints = \n 1 2 3 "a";\n',
        "x.mps": "<?xml version='1.0'?><point_set_file><point_set><time_series><point><id>0</id><x>1</x>"
        "<y>2</y><z>3</z></point></time_series></point_set></point_set_file>",
        "y.csv": "scorer,A,A\nbodyparts,a,a\ncoords,x,y\nlabeled-data\\v\\img0.png,1.5,2.5\n",
        "z.txt": "point\n2\n1.0 2.0 3.0\n4.0 5.0 6.0\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
        made[name] = folder / name
    made |= _video(folder)
    return made


def _video(folder: Path) -> dict[str, Path]:
    try:
        import av
    except ImportError:
        return {}
    with av.open(str(folder / "video.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for n in range(6):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 30 * n, np.uint8), format="rgb24")
            for packet in stream.encode(frame):
                container.mux(packet)
        container.mux(stream.encode())
    return {"video.mp4": folder / "video.mp4"}


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """The bytes with one kind of damage."""
    kind = rng.integers(4)
    if kind == 0 and len(content) > 1:
        return content[: int(rng.integers(1, len(content)))]
    if kind == 1:
        flipped = bytearray(content)
        # Headers come first.
        reach = len(flipped) if rng.random() < 0.5 else min(len(flipped), 512)
        for place in rng.integers(0, reach, int(rng.integers(1, 9))):
            flipped[place] = int(rng.integers(256))
        return bytes(flipped)
    head, tail = content[:2048], content[2048:]
    if kind == 2:
        numbers = list(re.finditer(rb"-?\d+(?:\.\d+)?", head))
        if numbers:
            match = numbers[int(rng.integers(len(numbers)))]
            head = head[: match.start()] + HOSTILE[int(rng.integers(len(HOSTILE)))] + head[match.end() :]
        return head + tail
    lines = content.split(b"\n")
    for _ in range(int(rng.integers(1, 4))):
        row = int(rng.integers(len(lines)))
        if rng.random() < 0.5:
            lines.insert(row, lines[int(rng.integers(len(lines)))])
        elif len(lines) > 1:
            del lines[row]
    return b"\n".join(lines)


def look(path: Path) -> str:
    """What became of reading it."""
    try:
        describe_file(path)
        try:
            cine = open_cine(path)
            cine[0], cine[len(cine) - 1]
        except NotACineError:
            read_image(path)
        except InputError:
            pass
        return "value"
    except InputError:
        return "InputError"
    except MemoryError:
        return "memory"
    except Exception:
        return "other exception\n" + traceback.format_exc(limit=-4)


def _child(connection: multiprocessing.connection.Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    while (path := connection.recv()) is not None:
        connection.send(look(Path(path)))


class Reader:
    """A process that reads one file after another; a new one after a crash or a hang."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("fork")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=_child, args=(other,), daemon=True)
        self.process.start()
        other.close()

    def __call__(self, path: Path) -> str:
        self.pipe.send(str(path))
        try:
            if self.pipe.poll(SECONDS):
                return str(self.pipe.recv())
            outcome = "too long"
        except (EOFError, ConnectionResetError):
            outcome = "crash"
        self.process.kill()
        self.process.join()
        self._start()
        return outcome

    def close(self) -> None:
        self.pipe.send(None)
        self.process.join(5)


def run(count: int, seed: int, show: Callable[[str], None]) -> dict[str, Counter[str]]:
    """Outcomes by format; every unexpected one is shown."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    reader, begun = Reader(), time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        folder, broken = Path(scratch) / "good", Path(scratch) / "broken"
        folder.mkdir()
        broken.mkdir()
        files = list(originals(folder).items())
        for number in range(count):
            rng = np.random.default_rng((seed, number))
            name, path = files[number % len(files)]
            content = path.read_bytes()
            packed = path.name.endswith(".gz") and rng.random() < 0.7
            content = damaged(gzip.decompress(content) if packed else content, rng)
            target = broken / path.name
            target.write_bytes(gzip.compress(content, 1) if packed else content)
            for twin in folder.glob(f"{path.name.split('.')[0]}.*"):
                if twin != path:
                    (broken / twin.name).write_bytes(twin.read_bytes())
            outcome, _, trace = reader(target).partition("\n")
            table[name][outcome] += 1
            if outcome not in OUTCOMES[:2]:
                show(f"{name}, number {number}: {outcome}\n{trace}")
            for left in broken.iterdir():
                left.unlink()
    reader.close()
    show(f"{count} files, seed {seed}, {time.monotonic() - begun:.0f} s")
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, help="also write the table as JSON")
    args = parser.parse_args()
    table = run(args.count, args.seed, lambda text: print(text, file=sys.stderr, flush=True))
    print("| format |" + "".join(f" {outcome} |" for outcome in OUTCOMES))
    print("| --- |" + " ---: |" * len(OUTCOMES))
    for name in sorted(table):
        print(f"| {name} |" + "".join(f" {table[name][outcome]} |" for outcome in OUTCOMES))
    total = sum(table.values(), Counter())
    print("| all |" + "".join(f" {total[outcome]} |" for outcome in OUTCOMES))
    if args.output:
        args.output.write_text(json.dumps(table, indent=1))
    return int(sum(total[outcome] for outcome in OUTCOMES[2:]) > 0)


if __name__ == "__main__":
    sys.exit(main())
