"""What surrounds the code: versions, constraints, workflows, issue forms and hooks."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import LandmarkTrackerLib
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version


@pytest.fixture(scope="module")
def project(root) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def constraints(root) -> dict[str, Version]:
    lines = (root / "constraints.txt").read_text().splitlines()
    parts = [line.partition("==") for line in lines if not line.startswith("#")]
    return {canonicalize_name(name): Version(version) for name, _, version in parts}


@pytest.fixture(scope="module")
def workflows(root) -> dict[str, dict]:
    return {path.name: yaml.safe_load(path.read_text()) for path in (root / ".github/workflows").iterdir()}


def steps(workflow: dict) -> list[dict]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def check(schema: str, *files: Path) -> None:
    program = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *files]
    done = subprocess.run(program, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_version_is_the_same_wherever_it_is_stated(root, project):
    assert "version" in project["dynamic"]
    version = LandmarkTrackerLib.__version__
    assert re.findall(r"^version: (.+)$", (root / "CITATION.cff").read_text(), re.MULTILINE) == [version]
    sections = re.findall(r"^## (.+)$", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert sections[0] == version


def test_the_library_says_that_it_has_types(root):
    assert (root / "LandmarkTracker/LandmarkTrackerLib/py.typed").is_file()


def test_constraints_are_names_and_versions(root):
    lines = (root / "constraints.txt").read_text().splitlines()
    assert all(re.fullmatch(r"#.*|[\w.-]+==[\w.+]+", line) for line in lines)


def test_every_declared_package_has_a_version_that_is_allowed(project, constraints):
    declared = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    for one in map(Requirement, declared):
        if one.name != "landmark-tracker":
            assert one.specifier.contains(constraints[canonicalize_name(one.name)]), one


def test_workflows_are_what_github_reads(root):
    check("github-workflows", *(root / ".github/workflows").iterdir())


def test_issue_forms_are_what_github_reads(root):
    folder = root / ".github/ISSUE_TEMPLATE"
    check("github-issue-config", folder / "config.yml")
    check("github-issue-forms", *(path for path in folder.iterdir() if path.name != "config.yml"))


def test_the_hooks_are_what_pre_commit_reads(root):
    program = [sys.executable, "-m", "pre_commit", "validate-config", root / ".pre-commit-config.yaml"]
    assert subprocess.run(program).returncode == 0


def test_workflows_and_hooks_run_targets_of_the_makefile(root, workflows):
    targets = set(re.search(r"\.PHONY: (.*)", (root / "Makefile").read_text())[1].split())
    commands = [step["run"] for one in workflows.values() for step in steps(one) if "run" in step]
    hooks = yaml.safe_load((root / ".pre-commit-config.yaml").read_text())
    commands += [hook["entry"] for repository in hooks["repos"] for hook in repository["hooks"]]
    called = [
        re.fullmatch(r"make ([\w-]+)( PYTHON=python)?", one) for one in commands if "apt-get" not in one
    ]
    assert all(called), commands
    assert {"test", "demo", "extras", "lint", "types"} <= {one[1] for one in called} <= targets


def test_actions_of_others_are_named_by_commit(root, workflows):
    used = [step["uses"] for one in workflows.values() for step in steps(one) if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", one) for one in used)


def test_every_python_that_is_declared_is_tested_on_every_system(project, workflows):
    matrix = workflows["test.yml"]["jobs"]["test"]["strategy"]["matrix"]
    declared = [one.rpartition(" ")[2] for one in project["classifiers"] if "Python :: 3." in one]
    assert matrix["python"] == declared
    assert project["requires-python"] == f">={declared[0]}"
    assert {one.partition("-")[0] for one in matrix["system"]} == {"ubuntu", "macos", "windows"}


def listed(root: Path) -> dict[str, set[str]]:
    """Folder -> what the map in CONTRIBUTING.md lists in it; folders end with a slash."""
    text = re.search(r"```text\nLandmarkTracker/\n.*?```", (root / "CONTRIBUTING.md").read_text(), re.DOTALL)[
        0
    ]
    found: dict[str, set[str]] = {"": set()}
    path: list[str] = []
    for line in text.splitlines()[1:-1]:
        if line.lstrip().startswith("---"):
            continue
        depth = (len(line) - len(line.lstrip())) // 4
        path = path[:depth]
        # A folder or files first, then, after two spaces, what they hold.
        names = [name for name in line.split() if re.fullmatch(r"[\w.]+(/|\.py)", name)]
        found["".join(path)] |= set(names)
        if names[0].endswith("/"):
            path.append(names[0])
            found.setdefault("".join(path), set())
    return found


def there(folder: Path, files: bool) -> set[str]:
    """The folders, and the Python files if asked, that lie in a folder of the repository."""
    passed_over = {"__pycache__", "build", "data", "dist", "results", "runs"}
    folders = {
        f"{path.name}/"
        for path in folder.iterdir()
        if path.name not in passed_over
        and not path.name.startswith((".", "_"))
        and any(file.is_file() and file.suffix != ".pyc" for file in path.rglob("*"))
    }
    return folders | {path.name for path in folder.glob("*.py") if files and path.name[0] != "_"}


def test_the_map_of_contributing_is_the_tree(root):
    map_ = listed(root)
    library = "LandmarkTracker/LandmarkTrackerLib/"
    assert map_[""] == there(root, files=False)
    assert map_["LandmarkTracker/"] == there(root / "LandmarkTracker", files=True)
    assert map_[library] == there(root / library, files=True)
    for folder in map_:
        if folder.startswith(library) and folder != library:
            assert map_[folder] == there(root / folder, files=False), folder
