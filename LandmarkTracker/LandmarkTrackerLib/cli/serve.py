"""`landmark-tracker serve`: the workbench in a browser."""

from __future__ import annotations

import argparse
import importlib.util
import secrets
from pathlib import Path

from LandmarkTrackerLib.errors import InputError

PORT, UPLOAD_MIB = 8080, 512


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "serve",
        help="open the workbench in a browser",
        description="Serve the workbench to one browser tab on this computer (127.0.0.1). "
        "The page reads and writes only inside the data folder.",
    )
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILES|FOLDER",
        help="images to open; or the data folder",
    )
    parser.add_argument("--port", type=int, default=PORT, help=f"0 for a free one ({PORT})")
    parser.add_argument(
        "--data-root", type=Path, metavar="DIR", help="the data folder (FOLDER, or where the first file is)"
    )
    parser.add_argument("--token", help="what the address must contain (random)")
    parser.add_argument("--upload-limit", type=int, default=UPLOAD_MIB, metavar="MIB", help=f"({UPLOAD_MIB})")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    missing = [name for name in ("slicer", "trame_slicer") if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(
            "the browser page is not installed; in a clone of the repository run: pip install '.[web]'"
        )
    from LandmarkTrackerLib.web.data_root import DataRoot
    from LandmarkTrackerLib.web.serving import serve

    folder, files = args.data_root, list(args.files)
    if folder is None:
        if len(files) == 1 and files[0].is_dir():
            folder = files.pop()
        else:
            folder = files[0].parent if files else Path()
    root = DataRoot(folder)
    opened = [root.find(root.relative(path)) for path in files]
    if args.token is not None and len(args.token) < 8:
        raise InputError("--token has fewer than 8 characters; leave it out for a random one")
    serve(root, opened, args.port, args.token or secrets.token_urlsafe(24), args.upload_limit * 2**20)
    return 0
