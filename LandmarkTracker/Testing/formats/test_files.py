import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import natural, number, read_text, require_file, stem, written


def test_a_file_appears_only_when_it_is_complete(tmp_path):
    target = tmp_path / "made" / "points.csv"
    with written(target) as partial:
        partial.write_text("half")
        assert not target.exists()
    assert target.read_text() == "half"
    assert list(target.parent.iterdir()) == [target]


def test_a_failed_write_leaves_nothing_behind_and_the_old_file_as_it_was(tmp_path):
    target = tmp_path / "points.csv"
    target.write_text("old")

    def fail():
        with written(target, overwrite=True) as partial:
            partial.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_an_existing_file_is_kept_unless_it_may_be_replaced(tmp_path):
    target = tmp_path / "points.csv"
    target.write_text("old")
    with (
        pytest.raises(InputError, match="exists; add --overwrite to replace it"),
        written(target),
    ):
        pass
    assert target.read_text() == "old"
    with written(target, overwrite=True) as partial:
        partial.write_text("new")
    assert target.read_text() == "new"


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.nrrd does not exist"):
        require_file(tmp_path / "gone.nrrd")
    with pytest.raises(InputError, match="is a folder"):
        require_file(tmp_path)
    (tmp_path / "empty.csv").touch()
    with pytest.raises(InputError, match=r"empty\.csv is empty"):
        require_file(tmp_path / "empty.csv")
    (tmp_path / "binary.csv").write_bytes(b"\x00\xff\x80")
    with pytest.raises(InputError, match=r"binary\.csv is not a text file"):
        read_text(tmp_path / "binary.csv")
    for blank in (b"\xef\xbb\xbf", b" \r\n\t", "\ufeff\n".encode("utf-16-le")):
        (tmp_path / "blank.csv").write_bytes(blank)
        with pytest.raises(InputError, match=r"blank\.csv is empty"):
            read_text(tmp_path / "blank.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_is_read_as_programs_encode_it_and_with_any_end_of_line(tmp_path, encoding):
    (tmp_path / "a.txt").write_bytes("é,1\r\nb,2\rc,3\n".encode(encoding))
    assert read_text(tmp_path / "a.txt") == "é,1\nb,2\nc,3\n"


def test_frame_2_comes_before_frame_10():
    names = ["f10.png", "f2.png", "f1.png", "a10b20.png", "a10b3.png"]
    assert sorted(names, key=natural) == [
        "a10b3.png",
        "a10b20.png",
        "f1.png",
        "f2.png",
        "f10.png",
    ]


@pytest.mark.parametrize("value", [1 / 3, 1e-9, -0.0, 40.0, 1e22, 39.999999999999996])
def test_a_number_reads_back_as_itself(value):
    assert float(number(value)) == value
    assert number(40.0) == "40"


def test_a_stem_has_no_suffix_of_a_format(tmp_path):
    names = ["heart.seq.nrrd", "heart.mrk.json", "heart.nii.gz", "heart.mha", "heart.seq.mrb"]
    assert {stem(tmp_path / name) for name in names} == {"heart"}
    assert stem(tmp_path / "heart.v2.mha") == "heart.v2"
