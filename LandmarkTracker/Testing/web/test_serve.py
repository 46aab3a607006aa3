"""What `landmark-tracker serve` refuses before it serves anything."""

from __future__ import annotations

import importlib.util

import pytest
from LandmarkTrackerLib.cli.main import WRONG_INPUT, main
from LandmarkTrackerLib.web import serving


@pytest.fixture
def served(monkeypatch):
    """What would have been served."""
    calls = []
    monkeypatch.setattr(serving, "serve", lambda *arguments: calls.append(arguments))
    return calls


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "study").mkdir()
    for name in ("a.nrrd", "b.nrrd"):
        (tmp_path / "study" / name).write_text("")
    return tmp_path


def test_a_folder_is_the_data_folder_and_files_bring_theirs(served, folder):
    study = folder / "study"
    for words in ([study], [study / "a.nrrd", study / "b.nrrd"], [study / "a.nrrd", "--data-root", folder]):
        assert main(["serve", *map(str, words)]) == 0
    (first, none, *_), (second, files, *_), (third, file, *_) = served
    assert [root.folder for root in (first, second, third)] == [study, study, folder]
    assert none == []
    assert files == [study / "a.nrrd", study / "b.nrrd"]
    assert file == [study / "a.nrrd"]


def test_the_token_is_long_and_another_every_time(served, folder):
    for _ in range(2):
        main(["serve", str(folder)])
    tokens = [token for *_, token, _limit in served]
    assert tokens[0] != tokens[1]
    assert all(len(token) >= 24 for token in tokens)


def test_what_is_wrong_is_said_in_a_sentence(served, folder, capsys, monkeypatch):
    study = folder / "study"
    for words, sentence in (
        ([folder / "nowhere" / "a.nrrd"], "is not a folder"),
        ([study / "a.nrrd", "--data-root", folder / "study" / "a.nrrd"], "is not a folder"),
        ([folder, "--data-root", study], "not inside the data folder"),
        ([folder, "--token", "short"], "fewer than 8 characters"),
    ):
        assert main(["serve", *map(str, words)]) == WRONG_INPUT
        assert sentence in capsys.readouterr().err
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["serve", str(folder)]) == WRONG_INPUT
    assert "pip install '.[web]'" in capsys.readouterr().err
    assert served == []
