import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.tables import is_blank, number_in, read_table, whole_number_in, yes_or_no


def put(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_decimal_comma_is_a_point_where_commas_do_not_separate(tmp_path, delimiter):
    text = "name;x;y\na,b;1,5;-,25\nc;2;1e3\nd;nan;\n".replace(";", delimiter)
    rows = read_table(put(tmp_path / "t.csv", text))
    assert [row["name"] for row in rows] == ["a,b", "c", "d"]
    assert number_in(tmp_path, rows[0], "x", 2) == 1.5
    assert number_in(tmp_path, rows[0], "y", 2) == -0.25
    assert number_in(tmp_path, rows[1], "x", 3) == 2
    assert is_blank(rows[2], "x", "y")


def test_names_with_commas_are_left_as_they_are(tmp_path):
    rows = read_table(put(tmp_path / "t.csv", "name;x\nrib 1,2;3\n1,5;4\n"))
    assert [row["name"] for row in rows] == ["rib 1,2", "1,5"]


def test_a_quoted_number_with_a_comma_may_mean_thousands_and_is_refused(tmp_path):
    rows = read_table(put(tmp_path / "t.csv", 'name,x\na,"1,234"\n'))
    with pytest.raises(InputError, match="row 2: '1,234' under x is not a number"):
        number_in(tmp_path, rows[0], "x", 2)


@pytest.mark.parametrize("cell", ["", "x", "1_0", "1 0", "0x10", "١", "1e", "--1"])
def test_what_is_no_number_is_refused(tmp_path, cell):
    with pytest.raises(InputError, match="is not a number"):
        number_in(tmp_path, {"x": cell}, "x", 2)


def test_a_whole_number_has_nothing_behind_its_point(tmp_path):
    assert whole_number_in(tmp_path, {"x": "12.0"}, "x", 2) == 12
    for cell in ("1.5", "inf", "nan"):
        with pytest.raises(InputError, match="not a whole number"):
            whole_number_in(tmp_path, {"x": cell}, "x", 2)


@pytest.mark.parametrize(
    ("cells", "answer"),
    [
        (("1", "1.0", "True", "TRUE", "yes", "Y"), True),
        (("0", "0.0", "False", "no", "N", "", "nan", "NA"), False),
    ],
)
def test_yes_and_no_are_read_as_spreadsheets_and_programs_write_them(tmp_path, cells, answer):
    for cell in cells:
        assert yes_or_no(tmp_path, {"defined": cell}, "defined", 2) is answer


def test_neither_yes_nor_no_is_refused(tmp_path):
    with pytest.raises(InputError, match="row 2: 'perhaps' under defined is neither yes nor no"):
        yes_or_no(tmp_path, {"defined": "perhaps"}, "defined", 2)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("\ufeff", "is empty"),
        (",,,\n", "is not a table"),
        ("a,b\n" + "x" * 140_000 + ",1\n", r"is not a table \(field larger than field limit"),
        ("a,b\n1\n", "row 2: 1 cells under 2 columns; correct the row"),
        ("a,a\n1,2\n", "two columns of one name"),
    ],
)
def test_what_is_no_table_is_named(tmp_path, text, answer):
    with pytest.raises(InputError, match=answer) as raised:
        read_table(put(tmp_path / "t.csv", text))
    assert len(str(raised.value)) < 400
