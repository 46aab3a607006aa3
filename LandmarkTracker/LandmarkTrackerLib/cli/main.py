"""`landmark-tracker`: the same jobs as the panel, from a shell, a cluster, or `Slicer --python-script`."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence

from LandmarkTrackerLib import __version__
from LandmarkTrackerLib.errors import InputError

# Each has `add_parser(subparsers)`, which sets `run(args) -> exit code`.
COMMANDS = (
    "track",
    "batch",
    "locate",
    "match",
    "export",
    "train",
    "detect",
    "evaluate",
    "evaluate_cyclic",
    "evaluate_distances",
    "models",
    "info",
    "demo",
    "serve",
)

PROG = "landmark-tracker"
DONE, WRONG_INPUT, CANCELLED = 0, 2, 130


def parser(more: Sequence[str] = (), prog: str = PROG) -> argparse.ArgumentParser:
    """The whole command line; `more` are modules like those of COMMANDS."""
    top = argparse.ArgumentParser(
        prog=prog,
        description="Click a landmark once; find it again in every frame of a cine, with its uncertainty.",
        epilog="Exit codes: 0 done, 1 some cases of a batch failed, 2 wrong input (one sentence says what), "
        "130 cancelled.",
    )
    top.add_argument("--version", action="version", version=f"landmark-tracker {__version__}")
    subparsers = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (*(f"LandmarkTrackerLib.cli.{command}" for command in COMMANDS), *more):
        importlib.import_module(module).add_parser(subparsers)
    return top


def main(arguments: Sequence[str] | None = None, more: Sequence[str] = (), prog: str = PROG) -> int:
    """Run one command, of COMMANDS or of `more` modules, and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["evaluate"] and words[1:2] in (["cyclic"], ["distances"]):
        words[:2] = [f"evaluate-{words[1]}"]
    args = parser(more, prog).parse_args(words)
    # A shell starts background jobs deaf to it; they can be cancelled all the same.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code = int(args.run(args))
        sys.stdout.flush()
        return code
    except InputError as error:
        print(f"{prog} {args.command}: {error}", file=sys.stderr)
        return WRONG_INPUT
    except BrokenPipeError:
        # The reader of this output, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt:
        print(f"\n{prog} {args.command}: cancelled", file=sys.stderr)
        return CANCELLED


if __name__ == "__main__":
    sys.exit(main())
