from swiftlet.wire.preview import (
    Preview,
    PreviewCheck,
    PreviewDataset,
    PreviewRow,
    PreviewSegment,
    PreviewSequence,
    PreviewToken,
)
from swiftlet_trainer.report.preview import preview_page

EVIL = "<script>alert(1)</script>\x1b[2J\u202e"


def made(text: str = EVIL) -> Preview:
    tokens = [PreviewToken(id=7, text=text, weight=2.0), PreviewToken(id=8, text="\u05e9", weight=0.5)]
    sequence = PreviewSequence(name="chosen", cut=3, segments=[PreviewSegment(kind="answer", tokens=tokens)])
    return Preview(
        name="bird",
        model="hf://org/name",
        task="dpo",
        learns_tokens=True,
        datasets=[
            PreviewDataset(
                uri="a.jsonl", split="train", whole=True, read=2, usable=1, tokens=2, learnt=2, dropped={"empty": 1},
                notes=[f"a.jsonl:2: dropped (empty): {text}"],
            )
        ],
        rows=[PreviewRow(dataset=0, place="a.jsonl:1", label=text, sequences=[sequence])],
        checks=[PreviewCheck(name="stop", state="failed", text="0 of 1 answers end", places=["a.jsonl:1"])],
        problems=[text],
    )  # fmt: skip


def test_texts_of_users_do_nothing_on_the_page() -> None:
    page = preview_page(made())
    assert "<script" not in page and "\x1b" not in page and "\u202e" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[2J\\u202e") == 4


def test_tokens_have_ids_weights_and_colours() -> None:
    page = preview_page(made("x"))
    assert '<bdi class="more" title="id 7, weight 2">x</bdi>' in page
    assert '<bdi class="less" title="id 8, weight 0.5">\u2068\u05e9\u2069</bdi>' in page
    for said in ("chosen", "3 more tokens are cut off", "All 2 rows were read, 1 are usable", "0 of 1 answers end"):
        assert said in page
