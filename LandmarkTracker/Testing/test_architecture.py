"""Imports point down only, and nowhere in circles; inside functions and for type checkers too."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

LIBRARY = "LandmarkTrackerLib"
# A room may import from the rooms below it; rooms in one line know nothing of each other. "" is what
# `import LandmarkTrackerLib` offers. The files beside the rooms (images, landmarks, ...) are below them all.
ROOMS = (
    ("__main__",),
    ("cli",),
    ("gui", "web"),
    ("scene",),
    ("live",),
    ("",),
    ("jobs",),
    ("training",),
    ("evaluation", "forecast"),
    ("methods",),
    ("simulation",),
    ("networks", "formats"),
)
# The same inside scene/; what stands in no line here is between `sections` and `nodes`.
SCENE = (("workbench",), ("sections",), ("",), ("nodes",), ("i18n",))
ONLY_IN = {
    "qt": ("gui",),
    "ctk": ("gui",),
    "slicer": ("gui", "scene", "web"),
    "vtk": ("gui", "scene", "web"),
    "trame": ("web",),
    "trame_slicer": ("web",),
}

Graph = Mapping[str, set[str]]


def modules(folder: Path, package: str = "") -> dict[str, Path]:
    """Dotted name to file."""
    found = {}
    for path in folder.rglob("*.py"):
        parts = (package, *path.relative_to(folder).with_suffix("").parts)
        found[".".join(part for part in parts if part not in ("", "__init__"))] = path
    return found


@functools.cache
def imported(path: Path) -> tuple[tuple[str, ...], ...]:
    """For every name that a file imports what it may be the name of: a module, or something in one."""
    return tuple(_imported(path))


def _imported(path: Path) -> Iterator[tuple[str, ...]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name,) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: import from the full name"
            yield from ((f"{node.module}.{alias.name}", str(node.module)) for alias in node.names)


def imports(there: Mapping[str, Path]) -> Graph:
    """Module to the modules among these that it imports."""
    return {
        name: {next((n for n in names if n in there), name) for names in imported(path)} - {name}
        for name, path in there.items()
    }


def circles(graph: Graph) -> list[list[str]]:
    """Modules that import each other, directly or through others."""
    reached = {name: _reached(graph, name) for name in graph}
    found = {tuple(sorted(n for n in reached[name] if name in reached[n])) for name in graph}
    return [list(circle) for circle in sorted(found) if circle]


def _reached(graph: Graph, start: str) -> set[str]:
    seen: set[str] = set()
    ahead = list(graph[start])
    while ahead:
        if (name := ahead.pop()) not in seen:
            seen.add(name)
            ahead += graph[name]
    return seen


def level(rooms: Iterable[tuple[str, ...]], room: str, other: int) -> int:
    """How far down a room is."""
    return next((n for n, line in enumerate(rooms) if room in line), other)


@pytest.fixture(scope="module")
def library(root) -> Graph:
    return imports(modules(root / "LandmarkTracker" / LIBRARY, LIBRARY))


def test_a_circle_is_found_however_long_it_is():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set(), "e": {"a"}}
    assert circles(graph) == [["a", "b", "c"]]
    assert circles({"a": {"b"}, "b": set()}) == []


def test_imports_in_functions_and_for_type_checkers_are_found(tmp_path):
    (tmp_path / "a.py").write_text("if TYPE_CHECKING:\n    from b import B\ndef f():\n    import c.d\n")
    (tmp_path / "b.py").write_text("from c import d\n")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "__init__.py").write_text("")
    (tmp_path / "c" / "d.py").write_text("import a\n")
    graph = imports(modules(tmp_path))
    assert graph == {"a": {"b", "c.d"}, "b": {"c.d"}, "c": set(), "c.d": {"a"}}
    assert circles(graph) == [["a", "b", "c.d"]]


def test_no_room_imports_from_a_room_above_it(library):
    def room(name: str) -> str:
        return (*name.split("."), "")[1]

    def depth(name: str) -> int:
        return level(ROOMS, room(name), len(ROOMS))

    upward = [
        f"{name} imports {other}"
        for name, others in library.items()
        for other in others
        if room(name) != room(other)
        and (depth(name) > depth(other) or depth(name) == depth(other) < len(ROOMS))
    ]
    assert not upward


def test_in_scene_sections_know_nodes_and_not_the_workbench(library):
    def depth(name: str) -> int:
        return level(SCENE, name.split(".")[2], SCENE.index(("",)))

    upward = [
        f"{name} imports {other}"
        for name, others in library.items()
        for other in others
        if all(n.startswith(f"{LIBRARY}.scene.") for n in (name, other)) and depth(name) > depth(other)
    ]
    assert not upward


@pytest.mark.parametrize("folder", [f"LandmarkTracker/{LIBRARY}", "LandmarkTracker/Testing", "Benchmarks"])
def test_nothing_imports_in_circles(root, folder):
    package = LIBRARY if folder.endswith(LIBRARY) else ""
    graph = imports(modules(root / folder, package))
    assert len(graph) > 10
    assert circles(graph) == []


def test_toolkits_stay_in_their_rooms(root):
    for name, path in modules(root / "LandmarkTracker" / LIBRARY, LIBRARY).items():
        outside = {names[-1].split(".")[0] for names in imported(path)}
        for toolkit in outside & set(ONLY_IN):
            assert name.split(".")[1] in ONLY_IN[toolkit], f"{name} imports {toolkit}"
