import gzip
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from swiftlet.api.v1alpha1.uris import DATA_ENDINGS
from swiftlet_trainer.data import json_stream, text_lines
from swiftlet_trainer.data.readers import READERS, BadRow, Row, UnreadableFileError, read_rows


def written(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_documents_are_refused_by_the_endings_that_have_no_reader() -> None:
    assert tuple(READERS) == DATA_ENDINGS


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


DEEP = "[" * 100_000
HUGE = '{"id": ' + "9" * 5000 + ', "text": "a"}'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (f'{{"text": {DEEP}}}', "nested too deeply"),
        ('{"text": "a", "text": "b"}', "the key 'text' stands twice"),
        ('{"text": {"a": 1, "b": 2, "a": 3}}', "the key 'a' stands twice"),
        ('{"text": "a\x00"}', "malformed JSON at column 12"),
        ("\x00" * 20 + "x", "malformed JSON"),
        ('"text"', "a row is a JSON object, this is str"),
    ],
)
@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_json_that_cannot_be_a_row_is_told_at_its_line(tmp_path: Path, name: str, content: str, words: str) -> None:
    good, bad = read_rows(written(tmp_path, name, '{"text": "ok"}\n' + content))
    assert good == Row(1, {"text": "ok"})
    assert isinstance(bad, BadRow) and bad.number == 2 and words in bad.problem


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_a_huge_number_does_not_matter_where_it_is_not_used(tmp_path: Path, name: str) -> None:
    (row,) = read_rows(written(tmp_path, name, HUGE))
    assert isinstance(row, Row) and row.columns["text"] == "a"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzip.compress(b'{"text": "a"}', mtime=0), "gzip data; unpack it"),
        ('{"text": "a"}'.encode("utf-16"), "UTF-16 or UTF-32, not UTF-8; convert"),
        ('{"text": "a"}'.encode("utf-16-be"), "malformed JSON"),
        (b"\x00" * 100, "nothing but NUL bytes"),
        (b"PAR1aaaa", "the ending .parquet"),
        (b"PK\x03\x04", "a zip archive"),
    ],
    ids=["gzip", "UTF-16", "UTF-16 without a mark", "NUL bytes", "Parquet", "zip"],
)
def test_files_of_another_kind_than_their_ending_says(tmp_path: Path, content: bytes, words: str) -> None:
    try:
        (found,) = read_rows(written(tmp_path, "a.jsonl", content))
    except UnreadableFileError as error:
        assert words in str(error)
    else:
        assert isinstance(found, BadRow) and words in found.problem


def test_what_follows_an_array_is_not_passed_over(tmp_path: Path) -> None:
    *_, last = read_rows(written(tmp_path, "a.json", '[{"a": 1}]\n[{"a": 2}]'))
    assert isinstance(last, BadRow) and last.number == 2 and "something follows the array" in last.problem


def test_a_fault_is_told_without_reading_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "CHUNK", 1024)
    chunks: list[int] = []
    more = json_stream._Window._more
    monkeypatch.setattr(json_stream._Window, "_more", lambda self: chunks.append(1) or more(self))
    rows = ",".join('{"text": "some words of a row"}' for _ in range(5000))
    (bad,) = read_rows(written(tmp_path, "a.json", f'[{{"text": b}},{rows}]'))
    assert isinstance(bad, BadRow) and "malformed JSON at column 11" in bad.problem
    assert len(chunks) < 4


def test_a_long_value_is_decoded_a_few_times_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "CHUNK", 64)
    characters: list[int] = []
    decode = json_stream.DECODER.raw_decode

    class Counting:
        @staticmethod
        def raw_decode(text: str, at: int) -> object:
            characters.append(len(text) - at)
            return decode(text, at)

    monkeypatch.setattr(json_stream, "DECODER", Counting)
    size = 100_000
    (row,) = read_rows(written(tmp_path, "a.json", json.dumps([{"text": "x" * size}])))
    assert isinstance(row, Row) and len(row.columns["text"]) == size
    assert sum(characters) < 5 * size


def test_a_line_that_is_no_row_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_lines, "LONGEST_LINE", 100)
    first, second = read_rows(written(tmp_path, "a.jsonl", '{"a": 1}\n{"a": "' + "x" * 300 + '"}\n{"a": 2}\n'))
    assert first == Row(1, {"a": 1})
    assert isinstance(second, BadRow) and second.number == 2 and "the line is longer than" in second.problem


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ","])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_csv_as_other_programs_write_it(tmp_path: Path, delimiter: str, end: str) -> None:
    lines = [f'"prompt"{delimiter}completion', f'"a{delimiter}b""c"{delimiter}d', f'"x{end}y"{delimiter}z', ""]
    rows = list(read_rows(written(tmp_path, "a.csv", end.join(lines))))
    assert [row.columns for row in rows if isinstance(row, Row)] == [
        {"prompt": f'a{delimiter}b"c', "completion": "d"},
        {"prompt": f"x{end}y", "completion": "z"},
    ]


def test_csv_with_the_row_numbers_of_pandas(tmp_path: Path) -> None:
    rows = list(read_rows(written(tmp_path, "a.csv", ",text\n0,a\n1,b\n")))
    assert rows == [Row(2, {"text": "a"}), Row(3, {"text": "b"})]


def test_delimiter_within_a_quoted_header_is_none(tmp_path: Path) -> None:
    (row,) = read_rows(written(tmp_path, "a.csv", '"a,b";text\n1;2\n'))
    assert row == Row(2, {"a,b": "1", "text": "2"})


def test_broken_parquet_files(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["some words"] * 5000, "n": range(5000)}), tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    for broken in (content[:-20], content[: len(content) // 2], content[:100] + b"\xff" * 200 + content[300:]):
        with pytest.raises(UnreadableFileError):
            list(read_rows(written(tmp_path, "b.parquet", broken)))


def test_parquet_rows_without_a_value_in_python_are_told_one_by_one(tmp_path: Path) -> None:
    bad = pa.Array.from_buffers(
        pa.string(), 3, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0"), pa.py_buffer(b"a\xffb")]
    )
    pq.write_table(pa.table({"text": bad}), tmp_path / "a.parquet")
    first, second, third = read_rows(tmp_path / "a.parquet")
    assert (first, third) == (Row(1, {"text": "a"}), Row(3, {"text": "b"}))
    assert isinstance(second, BadRow) and "row 2" not in second.problem and "cannot be read" in second.problem


def test_parquet_with_a_column_twice(tmp_path: Path) -> None:
    pq.write_table(pa.table([["a"], ["b"]], names=["text", "text"]), tmp_path / "a.parquet")
    with pytest.raises(UnreadableFileError, match="must have names, each another"):
        list(read_rows(tmp_path / "a.parquet"))


JSON_LIKE = st.text(alphabet='{}[]",:0-9eE+.\\u dD8 \n\rtruefalsnNaI\x00é', max_size=60)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=80), JSON_LIKE.map(str.encode)), st.sampled_from(sorted(READERS)))
def test_whatever_the_bytes_are_the_result_is_rows_or_problems(content: bytes, ending: str) -> None:
    with TemporaryDirectory() as folder:
        file = written(Path(folder), "a" + ending, content)
        try:
            rows = list(read_rows(file))
        except UnreadableFileError as error:
            assert str(error)
            return
        for row in rows:
            assert row.number >= 1 and (isinstance(row, Row) or row.problem)
