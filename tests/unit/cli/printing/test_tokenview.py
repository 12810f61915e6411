from io import StringIO

from rich.console import Console
from swiftlet.cli.printing.tokenview import lines_of
from swiftlet.wire.preview import Preview

EVIL = "\x1b]0;mine\x07\x9b2J"


def made(**changes: object) -> Preview:
    tokens = [{"id": 1, "text": " word", "weight": 0.0}] * 30 + [{"id": 2, "text": EVIL, "weight": 0.0}]
    answer = [{"id": 3, "text": "yes", "weight": 2.0}, {"id": 4, "text": "<end>", "weight": 1.0, "control": True}]
    segments = [{"kind": "prompt", "tokens": tokens}, {"kind": "answer", "tokens": answer}]
    row = {"dataset": 0, "place": "a.jsonl:1", "label": "good answer"}
    counts = {"whole": False, "read": 1000, "usable": 999, "tokens": 5000, "learnt": 12, "dropped": {"empty": 1}}
    return Preview.model_validate(
        {
            "name": "bird",
            "model": "hf://org/name",
            "task": "kto",
            "learnsTokens": True,
            "datasets": [{"uri": "a.jsonl", "split": "train", **counts, "notes": [f"a.jsonl:2: dropped: {EVIL}"]}],
            "rows": [{**row, "sequences": [{"name": "", "cut": 4, "segments": segments}]}],
            "checks": [{"name": "stop", "state": "failed", "text": "0 of 1 end", "places": ["a.jsonl:1"]}],
            "problems": [],
            **changes,
        }
    )


def printed(found: Preview, colours: bool = False) -> str:
    stream = StringIO()
    console = Console(file=stream, width=80, force_terminal=colours, color_system="standard" if colours else None)
    for line in lines_of(found, 80):
        console.print(line, soft_wrap=True)
    return stream.getvalue()


def test_weights_and_segments_are_readable_without_colours_in_80_columns() -> None:
    text = printed(made())
    assert "\x1b" not in text and "\x9b" not in text and "\x07" not in text
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    first = next(line for line in lines if line.startswith("  prompt "))
    assert first == "  prompt  \N{MULTIPLICATION SIGN}0    " + "|".join(["·word"] * 10)
    assert (
        "  answer  \N{MULTIPLICATION SIGN}2    yes" in lines and "          \N{MULTIPLICATION SIGN}1    <end>" in lines
    )
    for said in (
        "the first 1,000 rows read, 999 usable: 5,000 tokens, 12 learnt",
        "a.jsonl:1: 33 tokens, 2 learnt, weights 1 to 2, good answer",
        "4 more tokens are cut off",
        "FAILED  0 of 1 end",
        r"a.jsonl:2: dropped: \x1b]0;mine\x07\x9b2J",
    ):
        assert said in text


def test_colours_are_weights_and_nothing_else_is_sent_to_the_terminal() -> None:
    text = printed(made(), colours=True)
    assert "\x1b[35myes\x1b[0m" in text and "\x1b[1;32m<end>\x1b[0m" in text
    assert "\x1b]" not in text and "\x9b" not in text and "\x07" not in text


def test_problems_come_last() -> None:
    assert printed(made(problems=["a.jsonl:3: malformed"])).splitlines()[-1] == "  a.jsonl:3: malformed"
