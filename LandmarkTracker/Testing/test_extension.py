"""What Slicer's build and its extension index ask of the files around the code."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

# https://github.com/Slicer/Slicer/blob/main/Schemas/slicer-extension-catalog-entry-schema-v1.0.1.json
ENTRY = {
    "$schema": str,
    "category": str,
    "scm_url": str,
    "scm_revision": str,
    "scm_type": str,
    "build_dependencies": list,
    "build_subdirectory": str,
    "enabled": bool,
    "tier": int,
}
# Asked by the index of anything that a module file imports when Slicer starts.
COMES_WITH_SLICER = {"slicer", "vtk", "qt", "ctk", "SimpleITK", "numpy", "LandmarkTrackerLib"}


@pytest.fixture
def module(root) -> Path:
    return root / "LandmarkTracker"


# What Slicer gives to the extension's CMake, as far as it decides which file goes where.
SLICER = """
cmake_minimum_required(VERSION 3.28)
project(Host NONE)
set(Slicer_QTSCRIPTEDMODULES_LIB_DIR built)
set(Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR modules)
function(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(MY "WITH_GENERIC_TESTS" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  if(MY_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "unknown: ${MY_UNPARSED_ARGUMENTS}")
  endif()
  foreach(file IN LISTS MY_SCRIPTS MY_RESOURCES)
    cmake_path(GET file PARENT_PATH folder)
    install(FILES ${file} DESTINATION modules/${folder} COMPONENT RuntimeLibraries)
  endforeach()
endfunction()
"""


@pytest.fixture(scope="module")
def installed(root, tmp_path_factory) -> Path:
    """The module as CMake installs it."""
    cmake = shutil.which(
        "cmake", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    )
    folder = tmp_path_factory.mktemp("cmake")
    module = (root / "LandmarkTracker").as_posix()
    (folder / "CMakeLists.txt").write_text(f'{SLICER}add_subdirectory("{module}" module)\n')
    for command in (
        ["-S", folder, "-B", folder / "build"],
        ["--install", folder / "build", "--prefix", folder],
    ):
        done = subprocess.run([cmake, *map(str, command)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return folder / "modules"


def files(folder: Path) -> set[str]:
    """The files in a folder but for what Python leaves there."""
    paths = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix() for path in paths}


def test_cmake_installs_every_file_of_the_library_and_its_models(root, module, installed):
    models = {f"models/{path.name}" for path in (root / "models").iterdir()}
    assert len(models) > 2
    assert files(installed / "LandmarkTrackerLib") == files(module / "LandmarkTrackerLib") | models


def test_cmake_installs_the_module_and_its_resources(module, installed):
    assert files(installed / "Resources") == files(module / "Resources")
    assert {path.name for path in installed.iterdir()} == {
        "LandmarkTracker.py",
        "LandmarkTrackerLib",
        "Resources",
    }


def test_what_cmake_installed_runs(installed):
    environment = os.environ | {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    program = "import LandmarkTrackerLib.weights as w; print(w.model_folder(), *w.model_names())"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.stdout.startswith(str(installed / "LandmarkTrackerLib" / "models")), done.stderr
    assert "tracker" in done.stdout.split()


def test_the_index_entry_has_what_its_schema_asks(root):
    content = (root / "LandmarkTracker.json").read_bytes()
    assert b"\r" not in content
    entry = json.loads(content)
    assert set(entry) <= set(ENTRY)
    assert {"$schema", "category", "scm_url"} <= set(entry)
    assert all(isinstance(value, ENTRY[key]) for key, value in entry.items())
    assert 1 <= entry["tier"] <= 5
    assert entry["scm_url"].startswith("https://")
    assert entry["scm_url"].rsplit("/", 1)[1].startswith("Slicer")
    assert entry["category"] in ("Tracking", "Registration", "Sequences")


def test_the_extension_the_module_and_the_entry_have_one_name(root, module):
    cmake = (root / "CMakeLists.txt").read_text()
    assert "project(LandmarkTracker)" in cmake
    assert "set(MODULE_NAME LandmarkTracker)" in (module / "CMakeLists.txt").read_text()
    entry = json.loads((root / "LandmarkTracker.json").read_text())
    assert f'set(EXTENSION_HOMEPAGE "{entry["scm_url"]}")' in cmake
    assert f'set(EXTENSION_DEPENDS "{" ".join(entry["build_dependencies"])}")' in cmake


def test_pictures_that_the_index_shows_are_there(root):
    cmake = (root / "CMakeLists.txt").read_text()
    for url in re.findall(r'(?:ICONURL|SCREENSHOTURLS) "[^"]*?/main/([^"]+)"', cmake):
        header = (root / url).read_bytes()[:24]
        assert header.startswith(b"\x89PNG")
        assert min(struct.unpack(">II", header[16:24])) >= 128


def test_the_module_file_only_defines_and_imports_what_comes_with_slicer(module):
    tree = ast.parse((module / "LandmarkTracker.py").read_text())
    for node in tree.body:
        assert isinstance(node, (ast.Expr, ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef))
        if isinstance(node, ast.Expr):
            assert isinstance(node.value, ast.Constant)
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name.split(".")[0] in COMES_WITH_SLICER | sys.stdlib_module_names, name


def test_gui_and_scene_never_import_torch_when_they_are_imported(module):
    for path in [
        *(module / "LandmarkTrackerLib/gui").rglob("*.py"),
        *(module / "LandmarkTrackerLib/scene").rglob("*.py"),
    ]:
        for node in ast.parse(path.read_text()).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] in ("torch", "torchvision") for name in names), path.name


def test_every_mrml_widget_of_the_panel_gets_the_scene(module):
    ui = ElementTree.parse(module / "Resources" / "UI" / "LandmarkTracker.ui").getroot()
    widgets = {w.get("name") for w in ui.iter("widget") if w.get("class") == "qMRMLNodeComboBox"}
    joined = {
        c.findtext("receiver")
        for c in ui.iter("connection")
        if c.findtext("slot") == "setMRMLScene(vtkMRMLScene*)"
    }
    assert widgets == joined
    used = {w.get("class") for w in ui.iter("widget") if not w.get("class").startswith("Q")}
    assert used == {c.findtext("class") for c in ui.iter("customwidget")}
