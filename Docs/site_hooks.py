"""What the site adds to the Markdown of Docs/: the README and its neighbours, and a page of all commands."""

from __future__ import annotations

import argparse
import posixpath
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
# Pages that lie outside Docs/, and a picture.
OUTSIDE = {
    "index.md": "README.md",
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "logo.png": "LandmarkTracker.png",
}
LINK = re.compile(r"(\]\()([^)#\s:]+)((?:#[^)\s]*)?\))")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that do not lie in Docs/."""
    for name, path in OUTSIDE.items():
        files.append(File.generated(config, name, abs_src_path=str(ROOT / path)))
    files.append(File.generated(config, "command_line.md", content="\n".join(commands())))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links, which are right in the repository, at pages of the site, or at the repository."""
    here = posixpath.dirname(OUTSIDE.get(page.file.src_uri, f"Docs/{page.file.src_uri}"))
    pages = {path: name for name, path in OUTSIDE.items()}

    def moved(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(here, link[2]))
        uri = pages.get(path, path.removeprefix("Docs/"))
        if files.get_file_from_path(uri) is not None and (path in pages or path.startswith("Docs/")):
            return f"{link[1]}{uri}{link[3]}"
        if not (ROOT / path).exists():
            return link[0]  # mkdocs says that there is no such page.
        return f"{link[1]}{config.repo_url}/blob/main/{path}{link[3]}"

    return LINK.sub(moved, markdown)


def commands() -> Iterator[str]:
    """The lines of a page that says what every command and option does, as `--help` does."""
    sys.path.insert(0, str(ROOT / "LandmarkTracker"))
    from LandmarkTrackerLib.cli.main import parser

    top = parser()
    yield f"# Command line\n\n{top.description}\n\n{top.epilog}\n"
    (subparsers,) = (a for a in top._actions if isinstance(a, argparse._SubParsersAction))
    for name, command in subparsers.choices.items():
        name = name.replace("evaluate-", "evaluate ")
        yield f"## {name}\n\n{command.description}\n\n| argument | |\n| --- | --- |"
        for action in command._actions[1:]:
            words = ", ".join(action.option_strings) or action.metavar or action.dest
            kind = action.metavar or (
                "{" + ",".join(map(str, action.choices)) + "}" if action.choices else ""
            )
            if action.option_strings and action.nargs != 0:
                words += f" {kind or action.dest.upper()}"
            text = (action.help or "").replace("%%", "%").replace("|", "\\|")
            if action.option_strings and action.required:
                text += " (required)"
            yield f"| `{words}` | {text} |"
        yield ""
