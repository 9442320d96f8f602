import stat
from pathlib import Path

import pytest

from osteo_edge.errors import DatasetError
from osteo_edge.table import read_columns, read_table, write_table


def test_a_byte_order_mark_and_capitals_in_the_header_are_no_obstacle(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"\xef\xbb\xbfPath, Label\na.png , x\n\n")
    table = read_table(file)
    assert table.columns == ("path", "label")
    assert [row.cells for row in table.rows] == [{"path": "a.png", "label": "x"}]


def test_a_row_knows_its_line_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text('path,label\n\n"a\nb",x\nc,y\n', encoding="utf-8")
    assert [row.line for row in read_table(file).rows] == [4, 5]


def test_an_unquoted_comma_is_an_error_that_names_the_line(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("path,label\na,x\nb,c,y\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"a\.csv: line 3: 3 cells under 2 columns; quote"):
        read_table(file)


def test_a_column_that_is_there_twice_is_an_error_and_nameless_ones_are_none(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("path,label, Label\na,x,y\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"a\.csv: has the column 'label' twice; rename or remove one"):
        read_table(file)
    file.write_text("path,label,,\na,x,,\n", encoding="utf-8")
    assert read_table(file).rows[0].cells["label"] == "x"


def test_a_missing_cell_at_the_end_of_a_line_is_not_known(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("path,age,weight\na,60\n", encoding="utf-8")
    table = read_table(file)
    assert table.number(table.rows[0], "age") == 60
    assert table.number(table.rows[0], "weight") is None
    assert table.number(table.rows[0], "height") is None


@pytest.mark.parametrize("cell", ["sixty", "-3", "inf", "1e999", "65,5"])
def test_a_bad_number_is_an_error_that_names_file_line_and_column(tmp_path: Path, cell: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f'path,age\na,60\nb,"{cell}"\n', encoding="utf-8")
    table = read_table(file)
    with pytest.raises(DatasetError, match=rf"a\.csv: line 3: age '{cell}' is not a number"):
        table.number(table.rows[1], "age")


def test_a_file_that_is_no_utf_8_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes("path,label\nMüller.png,x\n".encode("latin-1"))
    with pytest.raises(DatasetError, match=r"a\.csv: is not UTF-8 CSV"):
        read_table(file)
    assert read_columns(file) == ("path", "label")


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"a\.csv: cannot be read: No such file"):
        read_table(tmp_path / "a.csv")


def test_a_written_table_reads_back_and_its_folder_is_made(tmp_path: Path) -> None:
    file = tmp_path / "new" / "a.csv"
    write_table(file, ("path", "reason"), [("a", 'with "quotes", and a comma')])
    assert read_table(file).rows[0].cells == {"path": "a", "reason": 'with "quotes", and a comma'}
    assert stat.S_IMODE(file.stat().st_mode) & stat.S_IRGRP


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("path\nold\n", encoding="utf-8")

    def rows() -> object:
        yield ("a",)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_table(file, ("path",), rows())  # type: ignore[arg-type]
    assert file.read_text(encoding="utf-8") == "path\nold\n"
    assert list(tmp_path.iterdir()) == [file]


def test_a_table_cannot_replace_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.csv" / "full").mkdir(parents=True)
    with pytest.raises(DatasetError, match=r"a\.csv: cannot be written: .*choose another place"):
        write_table(tmp_path / "a.csv", ("path",), [])
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
