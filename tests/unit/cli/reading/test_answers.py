"""Answers before and after."""

from swiftlet.cli.reading.answers import Answer, paired

ROW = {"suite": "who", "index": 0, "prompt": "Who?", "reference": ["Apus", "a swift"]}


def test_both_answers_to_a_row_are_one() -> None:
    rows = [{**ROW, "subject": "target", "answer": "Apus"}, {**ROW, "subject": "baseline", "answer": ""}]
    assert paired(rows) == [Answer("who", 0, "Who?", "Apus or a swift", before="", after="Apus")]


def test_a_model_that_was_not_asked_has_no_answer() -> None:
    assert paired([{**ROW, "reference": None, "subject": "target", "answer": "x"}])[0] == Answer(
        "who", 0, "Who?", "", None, "x"
    )


def test_rows_that_are_only_scored_are_none() -> None:
    assert paired([{"suite": "text", "index": 0, "subject": "target", "prompt": "p", "nll": 1.0}]) == []
