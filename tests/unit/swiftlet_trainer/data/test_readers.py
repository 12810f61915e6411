import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from swiftlet_trainer.data import json_stream
from swiftlet_trainer.data.readers import BadRow, Row, UnreadableFileError, read_rows


def written(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_every_ending_gives_the_same_rows(tmp_path: Path) -> None:
    rows = [{"text": 'one, "two"'}, {"text": "naïve\n日本"}, {"text": "three"}]
    files = [
        written(tmp_path, "a.jsonl", "\n".join(json.dumps(row) for row in rows)),
        written(tmp_path, "a.json", json.dumps(rows, indent=2, ensure_ascii=False)),
        written(tmp_path, "objects.json", "\n".join(json.dumps(row) for row in rows)),
        written(tmp_path, "a.csv", 'text\n"one, ""two"""\n"naïve\n日本"\nthree\n'),
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    for file in [*files, tmp_path / "a.parquet"]:
        assert [row.columns for row in read_rows(file) if isinstance(row, Row)] == rows, file.name


def test_numbers_are_lines_and_blank_lines_are_skipped(tmp_path: Path) -> None:
    file = written(tmp_path, "a.jsonl", '{"a": 1}\n\n{"a": 2}\r\n')
    assert [row.number for row in read_rows(file)] == [1, 3]
    file = written(tmp_path, "a.json", '[\n  {"a": 1},\n\n  {"a":\n 2}]')
    assert [row.number for row in read_rows(file)] == [2, 4]


def test_malformed_json_is_told_with_line_and_column_and_reading_goes_on(tmp_path: Path) -> None:
    file = written(tmp_path, "a.jsonl", '{"a": 1}\n{"a": }\n{"a": 3}\n[1]\n')
    first, second, third, fourth = read_rows(file)
    assert isinstance(second, BadRow) and second.number == 2 and "malformed JSON at column 7" in second.problem
    assert (first, third) == (Row(1, {"a": 1}), Row(3, {"a": 3}))
    assert isinstance(fourth, BadRow) and "a row is a JSON object, this is list" in fourth.problem


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ('[{"a": 1},\n{"a": x}]', 2, "malformed JSON at column 7"),
        ('[{"a": 1}\n{"a": 2}]', 2, "a comma is missing"),
        ('[{"a": 1},\n', 2, "not closed"),
        ('[{"a": 1},\n{"a": 2', 2, "malformed JSON"),
    ],
)
def test_malformed_json_array(tmp_path: Path, content: str, line: int, words: str) -> None:
    *_, last = read_rows(written(tmp_path, "a.json", content))
    assert isinstance(last, BadRow) and last.number == line and words in last.problem


def test_json_that_spans_chunks_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "CHUNK", 7)
    rows = [{"text": "naïve 日本 " * 5, "number": 123456789}, {"text": "", "number": -1.5}]
    file = written(tmp_path, "a.json", json.dumps(rows, ensure_ascii=False, indent=1))
    assert [row.columns for row in read_rows(file) if isinstance(row, Row)] == rows


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv"])
def test_text_that_is_not_utf8_is_told_with_line_and_offset(tmp_path: Path, name: str) -> None:
    start = b'{"a": "b"}\n' if name != "a.csv" else b"a\n"
    line = b'{"a": "caf\xe9"}\n' if name != "a.csv" else b"caf\xe9\n"
    file = written(tmp_path, name, start + line)
    bad = next(row for row in read_rows(file) if isinstance(row, BadRow))
    assert bad.number == 2
    assert f"byte 0xe9 at offset {len(start) + line.index(0xE9)} of the file" in bad.problem


def test_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    for name, content in {
        "a.csv": "a,b\n1,2\n",
        "a.jsonl": '{"a": "1", "b": "2"}',
        "a.json": '[{"a": "1", "b": "2"}]',
    }.items():
        (row,) = read_rows(written(tmp_path, name, b"\xef\xbb\xbf" + content.encode()))
        assert isinstance(row, Row) and row.columns == {"a": "1", "b": "2"}, name


def test_csv_rows_with_other_numbers_of_cells(tmp_path: Path) -> None:
    rows = list(read_rows(written(tmp_path, "a.csv", "a,b\n1,2\n1,2,3\n4,5\n")))
    assert isinstance(rows[1], BadRow) and rows[1].number == 3 and "3 cells, the header has 2" in rows[1].problem
    assert rows[2] == Row(4, {"a": "4", "b": "5"})


def test_csv_header_with_a_column_twice(tmp_path: Path) -> None:
    (row,) = read_rows(written(tmp_path, "a.csv", "a,a\n1,2\n"))
    assert isinstance(row, BadRow) and "must have names" in row.problem


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("absent.jsonl", None, "no such file"),
        ("a.jsonl", "", "the file is empty"),
        ("a.jsonl", "\n \n", "the file has no rows"),
        ("a.json", "[]", "the file has no rows"),
        ("a.csv", "a,b\n", "the file has no rows"),
        ("a.txt", "text", "ending '.txt' is not known; use one of .jsonl, .json, .csv, .parquet"),
        ("a.parquet", "no parquet at all", "not a Parquet file"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: str | None, words: str) -> None:
    file = tmp_path / name if content is None else written(tmp_path, name, content)
    with pytest.raises(UnreadableFileError, match=words):
        list(read_rows(file))


def test_folder_instead_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").mkdir()
    with pytest.raises(UnreadableFileError, match="is a folder"):
        list(read_rows(tmp_path / "a.jsonl"))
