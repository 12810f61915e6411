import json
from collections.abc import Callable
from typing import Any

from swiftlet.wire.messages import EXIT_INVALID, EXIT_OK
from swiftlet.wire.preview import PREVIEW_FILE, PREVIEW_PAGE, Preview
from swiftlet_trainer.verbs.preview import run

Chat = Callable[..., dict[str, Any]]


def left(pod: Any, name: str) -> str:
    return str((pod.root / "swiftlet/artifacts/bird" / name).read_text())


START = {"adapter": {"uri": "pvc://artifacts/other/artifact", "path": "/swiftlet/artifacts/other/artifact"}}
"""What another run has yet to make."""


def test_a_preview_and_its_page_are_left_and_no_data_is_prepared(pod: Any, chat: Chat) -> None:
    document = pod.document(pod.data("a.jsonl", [chat("q", "a"), chat("q"), chat("q", "b")]), start=START)
    assert run(pod.job(document), 1) == EXIT_OK
    found = Preview.model_validate_json(left(pod, PREVIEW_FILE))
    assert [row.place for row in found.rows] == ["a.jsonl:1"]
    assert (found.datasets[0].read, found.datasets[0].usable) == (3, 2)
    assert "a.jsonl:2: dropped (no_assistant_turn)" in left(pod, PREVIEW_PAGE)
    assert {one.name for one in (pod.root / "swiftlet/artifacts/bird").iterdir()} == {PREVIEW_FILE, PREVIEW_PAGE}


def test_a_row_with_a_problem_fails_and_good_ones_are_shown(pod: Any, chat: Chat) -> None:
    document = pod.document(pod.data("a.jsonl", json.dumps(chat("q", "a")) + "\n{\n"))
    assert run(pod.job(document), 3) == EXIT_INVALID
    found = Preview.model_validate_json(left(pod, PREVIEW_FILE))
    assert len(found.rows) == 1 and found.problems[0].startswith("a.jsonl:2: malformed JSON")
