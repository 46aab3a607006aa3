"""Everything that is imported is declared, and every extra brings what it needs."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata

import pytest
from extras import EXTRAS
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

NAME = "landmark-tracker"
# Where a file lies decides what it may import at its top: the package's own dependencies and these extras.
ROOMS = {
    "LandmarkTracker/LandmarkTrackerLib/training": ["train"],
    "LandmarkTracker/LandmarkTrackerLib/scene": ["slicer"],
    "LandmarkTracker/LandmarkTrackerLib/gui": ["slicer"],
    "LandmarkTracker/LandmarkTrackerLib/web": ["web"],
    "LandmarkTracker/LandmarkTrackerLib": [],
    "Benchmarks": ["benchmark", "test"],
    "Docs": ["test"],
    "LandmarkTracker/Testing": ["test"],
}
# Only Slicer has these; they are imported by the panel alone.
SLICERS_OWN = {"qt", "ctk", "PyTorchUtils", "SampleData"}

# Python runs this at its start.
HIDE = """
import os, sys
from importlib.machinery import PathFinder

class Finder(PathFinder):
    hidden = set(os.environ["HIDDEN"].split(","))

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in cls.hidden else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Finder
"""


@pytest.fixture(scope="module")
def project(root) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def bringers() -> dict[str, set[str]]:
    """For each module name, the installed distributions that have files of it."""
    found = metadata.packages_distributions()
    return {name: {canonicalize_name(one) for one in them} for name, them in found.items()}


def declared(project: dict, extras: list[str]) -> list[Requirement]:
    """What the package and these extras ask for, other extras of its own resolved."""
    lines = [
        *project["dependencies"],
        *(line for e in extras for line in project["optional-dependencies"][e]),
    ]
    asked = [Requirement(line) for line in lines]
    own = sorted({extra for one in asked if one.name == NAME for extra in one.extras} - set(extras))
    return declared(project, extras + own) if own else [one for one in asked if one.name != NAME]


def installed_by(asked: list[Requirement]) -> set[str]:
    """The distributions that pip brings for these, as far as they are installed here."""
    found: set[tuple[str, str]] = set()
    waiting = [(one, "") for one in asked]
    while waiting:
        one, extra = waiting.pop()
        if one.marker and not one.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(one.name)
        for wanted in {"", *one.extras}:
            if (name, wanted) in found:
                continue
            found.add((name, wanted))
            try:
                lines = metadata.requires(name) or []
            except metadata.PackageNotFoundError:
                continue
            waiting += [(Requirement(line), wanted) for line in lines]
    return {name for name, _ in found}


def imports(node: ast.AST, always: bool = True) -> Iterator[tuple[str, bool]]:
    """(module, whether it is imported with the file) of what a file imports, but for mypy alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((alias.name.partition(".")[0], always) for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and not child.level:
            yield child.module.partition(".")[0], always
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        else:
            inside = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from imports(child, always and not inside)


def room_of(place: str) -> list[str]:
    return next(extras for room, extras in ROOMS.items() if place.startswith(room + "/"))


def test_what_is_imported_is_declared(root, project, bringers):
    every = sorted(project["optional-dependencies"])
    files = [path for folder in ROOMS for path in (root / folder).rglob("*.py")]
    # Scripts and tests import each other by their bare names.
    own = {"LandmarkTrackerLib"}
    for folder in ("Benchmarks", "LandmarkTracker/Testing"):
        own |= {path.stem for path in (root / folder).rglob("*") if path.suffix == ".py" or path.is_dir()}
    undeclared = set()
    for path in files:
        place = path.relative_to(root).as_posix()
        by_slicer = SLICERS_OWN if "/gui/" in place else set()
        for name, always in imports(ast.parse(path.read_text(encoding="utf-8"))):
            if name in sys.stdlib_module_names or name in own | by_slicer:
                continue
            asked = declared(project, room_of(place) if always else every)
            if not bringers.get(name, set()) & {canonicalize_name(one.name) for one in asked}:
                undeclared.add(f"{place}: {name}")
    assert len(files) > 200
    assert not undeclared


def test_every_extra_for_users_has_a_command_that_tries_it(project):
    assert set(EXTRAS) - {"base"} == set(project["optional-dependencies"]) - {"test"}


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_brings_all_that_its_command_imports(root, tmp_path, project, bringers, extra):
    there = installed_by(declared(project, [extra] if extra != "base" else []))
    # A distribution that puts files into the package of another one cannot be hidden from it.
    there |= {one for them in bringers.values() if them & there for one in them}
    hidden = {name for name, them in bringers.items() if not them & there and NAME not in them}
    assert "pytest" in hidden
    (tmp_path / "sitecustomize.py").write_text(HIDE)
    environment = os.environ | {
        "HIDDEN": ",".join(hidden),
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(root / "LandmarkTracker")]),
    }
    program = root / "LandmarkTracker" / "Testing" / "extras.py"
    done = subprocess.run(
        [sys.executable, program, extra, tmp_path / "work"], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"{extra}: done\n")
