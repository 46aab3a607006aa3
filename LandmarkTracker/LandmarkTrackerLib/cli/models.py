"""`landmark-tracker models`: what can be asked for by name."""

from __future__ import annotations

import argparse

from LandmarkTrackerLib.methods.registry import UNTRAINED
from LandmarkTrackerLib.weights import model_names, model_path, read_card


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("models", help="list the trained models and the methods that need none")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    rows = [(name, "-", description) for name, description in UNTRAINED.items()]
    for name in model_names():
        megabytes = model_path(name).stat().st_size / 1e6
        rows.append((name, f"{megabytes:.1f} MB", str(read_card(name).get("title", "no model card"))))
    width = max(len(name) for name, *_ in rows)
    for name, size, description in rows:
        print(f"{name:<{width}}  {size:>8}  {description}")
    return 0
