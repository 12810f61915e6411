from collections.abc import Callable
from typing import Any

import pytest
from swiftlet.wire.messages import EXIT_OK
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.verbs.validate import run

Chat = Callable[..., dict[str, Any]]


def test_summary_with_the_places_of_dropped_rows(pod: Any, chat: Chat, capsys: pytest.CaptureFixture[str]) -> None:
    document = pod.document(
        pod.data("a.jsonl", [chat("q", "a"), chat("q", ""), {**chat("q", "b"), "mood": "glad"}, chat("q")])
    )
    assert run(pod.job(document)) == EXIT_OK
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "model hf://HuggingFaceTB/SmolLM2-135M-Instruct: ok"
    assert lines[1].startswith("a.jsonl: 4 rows read, 2 usable, 2 dropped, ")
    assert lines[2:] == [
        "  a.jsonl:2: dropped (no_assistant_turn): no turn of the assistant to learn from",
        "  a.jsonl:4: dropped (no_assistant_turn): no turn of the assistant to learn from",
        "  a.jsonl:3: key 'mood' is not read (1 times); if it means something, name it with columns or leave it out",
    ]


@pytest.mark.parametrize(("task", "said"), [({"sft": {}}, "warning: never stops"), ({"seqCls": {}}, "ok")])
def test_only_what_answers_is_warned_that_it_would_not_stop(
    pod: Any, task: Any, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("swiftlet_trainer.templates.end_token.end_warning", lambda *_: "never stops")
    rows = (
        [{"prompt": "q", "completion": "a"}] if "sft" in task else [{"text": str(one), "label": one} for one in (0, 1)]
    )
    assert run(pod.job(pod.document(pod.data("a.jsonl", rows), task=task))) == EXIT_OK
    assert capsys.readouterr().out.splitlines()[0].endswith(f": {said}")


def test_nothing_is_written(pod: Any, chat: Chat) -> None:
    run(pod.job(pod.document(pod.data("a.jsonl", [chat("q", "a")]))))
    assert not (pod.root / "swiftlet/artifacts").exists() and not (pod.root / "dev").exists()


def test_problems_of_model_and_data_at_once(pod: Any) -> None:
    document = pod.document(
        pod.data("a.jsonl", ""), model={"uri": "hf://org/absent", "path": "/swiftlet/models/org/absent"}
    )
    with pytest.raises(InvalidInput) as caught:
        run(pod.job(document))
    assert len(caught.value.problems) == 2
    assert "does not exist" in caught.value.problems[0]
    assert caught.value.problems[1] == "a.jsonl: the file is empty; write its rows first"
