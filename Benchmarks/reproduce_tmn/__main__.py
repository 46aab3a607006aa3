"""The `landmark-tracker` command line with the TMN paper's baselines, and one command more.

python Benchmarks/reproduce_tmn compare --data FOLDER
python Benchmarks/reproduce_tmn train simclr Benchmarks/reproduce_tmn/recipes/simclr.toml
python Benchmarks/reproduce_tmn locate | detect | evaluate ... --model runs/simclr/simclr.pt
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    from LandmarkTrackerLib.cli.main import main as run

    import reproduce_tmn  # noqa: F401 - adds the baselines

    return run(arguments, ("reproduce_tmn.command",), "python Benchmarks/reproduce_tmn")


if __name__ == "__main__":
    if not __package__:  # started as a folder: the package lies beside it, not in it
        sys.path[0] = str(Path(__file__).resolve().parents[1])
    sys.exit(main())
