"""The documentation is true: its commands and snippets run, its links lead somewhere, its options exist."""

from __future__ import annotations

import ast
import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from conftest import DOTS, ROOT, draw_dots, textured
from LandmarkTrackerLib.cli.main import PROG, main, parser
from LandmarkTrackerLib.formats import write_landmarks
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import LandmarkSet

PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "Benchmarks/README.md",
    "LandmarkTracker/Testing/README.md",
    *(f"Docs/{path.name}" for path in sorted((ROOT / "Docs").glob("*.md"))),
)
LANGUAGES = {"sh", "python", "toml", "text"}

# Commands whose words are checked, but which are not run, and why.
NOT_RUN = {
    "git clone": "it needs the network",
    "git -C build/release push": "it would publish",
    "cd": "the sandbox is the clone",
    "python -m venv": "make test has done it",
    ". .venv/bin/activate": "make test runs in it",
    ".venv/bin/pre-commit": "it would change this clone's hooks",
    ".venv/bin/python -m pytest": "this is such a run",
    "pip install": "make extras does it; here the extras must exist",
    "export": "make test sets it",
    "make": "the workflows do it; here the targets must exist",
    "torchrun": "test_train.py does it with two processes; here the command that it starts is parsed",
    "python Benchmarks/": "minutes to hours, on images that are not here; its options must exist",
}
# What the words in capitals stand for, and files of a user that are not named there.
PLACEHOLDERS = {
    "CINE": "heart.seq.nrrd",
    "CLICKED.mrk.json": "heart.mrk.json",
    "FIXED": "fixed.nrrd",
    "MOVING": "moving.nrrd",
    "DIR": "written",
    "CONFIG.toml": "my_hearts.toml",
}
# Options of other programs that the pages name.
OTHERS = {
    "--constraint",  # pip
    *("--no-python", "--nproc-per-node", "--nnodes", "--rdzv-backend", "--rdzv-endpoint"),  # torchrun
    *("--no-splash", "--no-main-window", "--python-script"),  # Slicer
    "--logdir",  # tensorboard
}


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    text: str
    line: int


def blocks(page: str) -> list[Block]:
    found, inside, start = [], None, 0
    for n, line in enumerate((ROOT / page).read_text(encoding="utf-8").splitlines()):
        fence = re.fullmatch(r"\s*```(.*)", line)
        if fence and inside is None:
            inside, language, start = [], fence[1], n + 1
        elif fence:
            found.append(Block(language, "\n".join(inside), start))
            inside = None
        elif inside is not None:
            inside.append(line)
    assert inside is None, f"{page}: the fence of line {start} is not closed"
    return found


def commands(block: Block) -> list[str]:
    """The commands of a block, without comments, each on one line."""
    lines = block.text.replace("\\\n", " ").splitlines()
    return [one for line in lines if (one := re.sub(r"(^|\s)#.*", "", line).strip())]


def prose(page: str) -> str:
    """A page without its blocks."""
    return re.sub(r"^\s*```.*?^\s*```$", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.S | re.M)


def actions() -> Iterator:
    """Every argument of every command."""
    (commands,) = (action for action in parser()._actions if hasattr(action, "choices") and action.choices)
    for command in commands.choices.values():
        yield from command._actions


def benchmark_options() -> set[str]:
    """Options of the scripts in Benchmarks/, as they are written there."""
    found = set()
    for path in (ROOT / "Benchmarks").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
                found |= {arg.value for arg in node.args if isinstance(arg, ast.Constant)}
    return found


# -- what stands on the pages -------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_every_block_names_its_language(page):
    assert {block.language for block in blocks(page)} <= LANGUAGES
    indented = re.findall(r"\n\n( {4}(?![-*0-9]).+)", prose(page))
    assert not indented, "fence these as ```sh"


def slug(heading: str) -> str:
    """The anchor that GitHub and the site give a heading."""
    return re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading).lower()).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    text = re.sub(r"^\s*```.*?^\s*```$", "", path.read_text(encoding="utf-8"), flags=re.S | re.M)
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.M)}


@pytest.mark.parametrize("page", PAGES)
def test_links_and_pictures_lead_somewhere(page):
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert not broken


def test_every_picture_is_shown_on_a_page():
    shown = "\n".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES)
    assert [path for path in (ROOT / "Docs/pictures").iterdir() if f"pictures/{path.name}" not in shown] == []


def test_every_page_is_in_the_menu_of_the_site():
    menu = re.findall(
        r"[\w-]+\.md", re.search(r"^nav:.*?^theme", (ROOT / "mkdocs.yml").read_text(), re.S | re.M)[0]
    )
    assert {path.name for path in (ROOT / "Docs").glob("*.md")} <= set(menu)
    assert len(menu) == len(set(menu))


def test_every_python_name_of_the_reference_exists():
    names = re.findall(r"^::: (\S+)", (ROOT / "Docs/python.md").read_text(), re.M)
    assert len(names) > 10
    for name in names:
        module, _, attribute = name.rpartition(".")
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            assert hasattr(importlib.import_module(module), attribute), name


def test_pages_that_messages_name_exist(root):
    for path in (root / "LandmarkTracker" / "LandmarkTrackerLib").rglob("*.py"):
        for page in re.findall(r"Docs/[\w/-]+\.\w+", path.read_text(encoding="utf-8")):
            assert (root / page).exists(), f"{path.name}: {page}"


# -- options ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CHANGELOG.md"])
def test_every_option_of_a_page_exists(page):
    known = {option for action in actions() for option in action.option_strings}
    known |= benchmark_options() | OTHERS | {"--version"}
    text = (ROOT / page).read_text(encoding="utf-8")
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", text)) <= known


def test_every_option_is_documented():
    text = "\n".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES if page != "CHANGELOG.md")
    options = {option for action in actions() for option in action.option_strings} - {"-h", "--help"}
    assert len(options) > 30
    assert {option for option in options if not re.search(rf"{option}(?![\w-])", text)} == set()


def test_commands_in_sentences_exist():
    (choices,) = (action.choices for action in parser()._actions if action.choices)
    for page in set(PAGES) - {"CHANGELOG.md"}:
        for words in re.findall(rf"`{PROG} ([^`]+)`", prose(page)):
            command = words.replace("evaluate cyclic", "evaluate-cyclic").replace(
                "evaluate distances", "evaluate-distances"
            )
            name, *rest = command.split()
            assert name in choices or name == "--version" or name == "...", f"{page}: {words}"
            if name in choices:
                options = set(re.findall(r"--[a-z-]+", " ".join(rest)))
                assert options <= set(choices[name]._option_string_actions), f"{page}: {words}"


# -- commands -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, dots_model) -> Path:
    """What a reader has in his folder: images and points of the names that the pages take for examples."""
    folder = tmp_path_factory.mktemp("reader")
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert main(["demo", "--output", "results/demo"]) == 0
        cine, points = Path("results/demo/torso.seq.nrrd"), Path("results/demo/clicked.mrk.json")
        assert main(["track", str(cine), "--landmarks", str(points), "--output", "results/mine"]) == 0
    finally:
        os.chdir(before)
    for name in ("heart", "cine", "cines/patient", "studies/patient"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(folder / cine, folder / f"{name}.seq.nrrd")
        shutil.copy(folder / points, folder / f"{name}.mrk.json")
    for n, name in enumerate(("ann", "ben", "cleo", "new/carl-1", "new_annotated/a", "new_annotated/b")):
        annotated(folder / name, n)
    for n in range(10):
        annotated(folder / f"my_hearts/subject{n}-1", n)
    for n, name in enumerate(("ann", "others/ben", "others/cleo")):
        (folder / name).parent.mkdir(exist_ok=True)
        pixels = np.clip(textured((48, 48), n), 0, 255).astype(np.uint8)
        sitk.WriteImage(sitk.GetImageFromArray(pixels), str(folder / f"{name}.png"))
    large = textured((180, 180))
    for n, name in enumerate(("fixed", "moving")):
        image = sitk.GetImageFromArray(large[None, 8:168, 8 + 3 * n : 168 + 3 * n].astype(np.float32))
        sitk.WriteImage(image, str(folder / f"{name}.nrrd"))
        index = np.array([[40.0, 40, 0], [90, 50, 0], [60, 110, 0], [120, 100, 0]]) - [3 * n, 0, 0]
        points = LandmarkSet(tuple("abcd"), Grid.of(image).to_world(index))
        write_landmarks(folder / f"{name}.mrk.json", points)
    (folder / "runs/my_hearts").mkdir(parents=True)
    shutil.copy(dots_model, folder / "runs/my_hearts/my_hearts.pt")
    for part in ("Docs/recipes", "LandmarkTracker/Resources"):
        shutil.copytree(ROOT / part, folder / part)
    for block in blocks("Docs/landmark_sets.md"):
        if block.language == "toml":
            steps = re.sub(r"^steps = \d+", "steps = 2", block.text, flags=re.M)
            (folder / "my_hearts.toml").write_text(steps)
    return folder


def annotated(path: Path, seed: int) -> None:
    path.parent.mkdir(exist_ok=True)
    image, positions = draw_dots(seed)
    sitk.WriteImage(image, str(path) + ".nrrd")
    write_landmarks(Path(f"{path}.mrk.json"), LandmarkSet(DOTS, positions))


@pytest.fixture
def sandbox(prepared, tmp_path, monkeypatch) -> Path:
    """A copy of the reader's folder, where the test is."""
    folder = tmp_path / "reader"
    shutil.copytree(prepared, folder)
    monkeypatch.chdir(folder)
    return folder


def words_of(command: str) -> list[str]:
    """A command's words as a shell would hand them over, with files for what stands in capitals."""
    words = [PLACEHOLDERS.get(word, word) for word in shlex.split(command)]
    found = [sorted(map(str, Path().glob(word))) if "*." in word else [word] for word in words]
    return [word for words in found for word in words]


def run(command: str, request: pytest.FixtureRequest) -> None:
    """Run a command of a page, or check its words if NOT_RUN says so."""
    command = command.removeprefix(".venv/bin/") if f".venv/bin/{PROG}" in command else command
    words = words_of(command)
    if words[0] == PROG and words[1] == "serve":
        serve(words[1:])
    elif words[0] == PROG and words[1] == "train":
        train(words[1:], request)
    elif words[0] == PROG:
        assert main(words[1:]) == 0, command
    elif words[0] == "Slicer":
        start = words.index("--python-script") + 1
        subprocess.run([sys.executable, *words[start:]], check=True)
    elif command.startswith("python LandmarkTracker/"):
        subprocess.run([sys.executable, *words[1:]], check=True)
    else:
        assert any(command.startswith(known) for known in NOT_RUN), f"neither run nor known: {command}"
        check(command, words)


def check(command: str, words: list[str]) -> None:
    if words[0] == "make":
        targets = re.search(r"\.PHONY: (.*)", (ROOT / "Makefile").read_text())[1].split()
        assert words[1] in targets, command
    elif words[:2] == ["pip", "install"]:
        extras = (ROOT / "pyproject.toml").read_text()
        for extra in re.findall(r"\w+", re.search(r"\[(.*)\]", words[-1])[1] if "[" in words[-1] else ""):
            assert re.search(rf"^{extra} = \[", extras, re.M), command
    elif words[0] == "torchrun":
        parser().parse_args(words[words.index(PROG) + 1 :])
    elif words[0] == "python" and words[1].startswith("Benchmarks/"):
        assert (ROOT / words[1]).exists(), command
        known = benchmark_options() | {option for action in actions() for option in action.option_strings}
        assert {word for word in words if word.startswith("--")} <= known, command
    elif words[:3] == [".venv/bin/python", "-m", "pytest"]:
        assert all((ROOT / word).exists() for word in words[3:]), command


def serve(words: list[str]) -> None:
    """Start the page on a free port, and end it when it has printed its address."""
    pytest.importorskip("trame_slicer", reason="trame-slicer is not installed")
    program = [sys.executable, "-m", "LandmarkTrackerLib", *words, "--port", "0"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert any("http://127.0.0.1" in line for line in server.stdout)
        finally:
            server.terminate()


def train(words: list[str], request: pytest.FixtureRequest) -> None:
    """Train for two steps. A recipe on real images is only parsed where these are not there."""
    args = parser().parse_args(words)
    text = args.config.read_text()
    if args.config.parts[0] == "Docs":
        request.getfixturevalue("real_data")
        args.config.write_text(re.sub(r"^steps = \d+", "steps = 1", text, flags=re.M))
    shutil.rmtree(f"runs/{args.config.stem}", ignore_errors=True)
    assert main([*words]) == 0


@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(block.language == "sh" for block in blocks(page))]
)
def test_commands_run(page, sandbox, request):
    if page == "README.md":
        shutil.rmtree("results/mine")
    for block in blocks(page):
        for command in commands(block) if block.language == "sh" else ():
            run(command, request)


@pytest.mark.parametrize(
    "page",
    [
        page
        for page in PAGES
        if page != "Docs/tutorial.md" and any(b.language == "python" for b in blocks(page))
    ],
)
def test_snippets_run(page, sandbox, capsys):
    for block in blocks(page):
        if block.language == "python":
            exec(compile(block.text, f"{page}:{block.line}", "exec"), {})
            assert capsys.readouterr().out
