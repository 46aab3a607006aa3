from results_table import markdown, write_csv


def test_a_table_is_printed_with_its_columns_above():
    rows = [{"method": "ours", "mm": "1.2"}, {"method": "theirs", "mm": "2"}]
    assert markdown(rows) == "| method | mm |\n| --- | --- |\n| ours | 1.2 |\n| theirs | 2 |"


def test_a_cell_that_a_row_lacks_is_empty_in_the_file(tmp_path):
    path = tmp_path / "new" / "rows.csv"
    write_csv(path, [{"method": "ours", "mm": 1.5}, {"method": "theirs", "ms": 3}])
    assert path.read_text(encoding="utf-8").split() == ["method,mm,ms", "ours,1.5,", "theirs,,3"]
