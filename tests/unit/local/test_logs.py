"""Log files: order, plain text, tails."""

from pathlib import Path

from swiftlet.local.logs import log_lines, log_path, pod_log_files, tail

LINES = [
    "2026-01-31T12:00:00.000000000Z stdout F first\n",
    "2026-01-31T12:00:01.000000000Z stderr P half \n",
    "2026-01-31T12:00:01.000000000Z stderr F line\n",
    "2026-01-31T12:00:02.000000000Z stdout F \n",
]


def write(state: Path, container: str, restart: int, second: int) -> None:
    path = log_path(state, "ns", "pod", container, restart)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"2026-01-31T12:00:{second:02d}.000000000Z stdout F x\n")


def test_files_come_in_the_order_in_which_the_runs_began(tmp_path: Path) -> None:
    for container, restart, second in (("train", 0, 5), ("prepare", 1, 3), ("prepare", 0, 1)):
        write(tmp_path, container, restart, second)
    found = [(log.container, log.restart) for log in pod_log_files(tmp_path, "ns", "pod")]
    assert found == [("prepare", 0), ("prepare", 1), ("train", 0)]
    assert pod_log_files(tmp_path, "ns", "other") == []


def test_records_become_the_text_that_was_written() -> None:
    assert "".join(line.text for line in log_lines(LINES)) == "first\nhalf line\n\n"


def test_a_record_that_is_being_written_is_left_for_later() -> None:
    assert [line.text for line in log_lines([LINES[0], "2026-01-31T12"])] == ["first\n"]


def test_tail_keeps_the_last_lines_within_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "0.log"
    path.write_text("".join(f"2026-01-31T12:00:00.000000000Z stdout F line {n}\n" for n in range(20000)))
    assert tail(path, 2, 2048) == "line 19998\nline 19999\n"
    assert tail(path, 80, 12) == "\nline 19999\n"
