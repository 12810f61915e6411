"""The page of a training run."""

import re
from html.parser import HTMLParser
from pathlib import Path

from swiftlet_trainer.report.training import write_training_report

REFERENCES = {"src", "href", "action", "data", "poster", "xlink:href"}


class Outside(HTMLParser):
    """Collects what a browser would load."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loaded += [
            value or "" for name, value in attrs if name in REFERENCES and not (value or "").startswith("#")
        ]


def test_page_shows_curves_figures_and_parameters(run_folder: Path) -> None:
    page = write_training_report(run_folder).read_text()
    assert page.count("<svg") == 3
    for text in (
        "Training default/bird",
        "3.00 → 0.10",
        "Dropped: too_long",
        "tuner.lora.rank",
        "sha256:abc",
        "2.13.0",
    ):
        assert text in page, text


def test_figures_that_a_run_was_asked_for_have_curves_of_their_own(run_folder: Path) -> None:
    history = run_folder / "events.jsonl"
    asked = '"gradNorm": "0.5", "entropy": "1.2", "meanTokenAccuracy": "0.6", "loss"'
    history.write_text(history.read_text().replace('"loss"', asked))
    page = write_training_report(run_folder).read_text()
    assert page.count("<svg") == 6
    assert all(f"<h2>{title}</h2>" in page for title in ("Gradient norm", "Token accuracy", "Entropy"))


def test_losses_of_channels_are_drawn_together(run_folder: Path) -> None:
    history = run_folder / "events.jsonl"
    lines = history.read_text().splitlines()
    told = '"channelLosses": {"chat": "2.5", "step": "1.5"}, "loss"'
    history.write_text("\n".join([lines[0].replace('"loss"', told), *lines[1:]]) + "\n")
    page = write_training_report(run_folder).read_text()
    assert page.count("<svg") == 4
    assert "<h2>Loss by channel</h2>" in page
    assert ">chat</text>" in page


def test_page_needs_nothing_from_outside(run_folder: Path) -> None:
    page = write_training_report(run_folder).read_text()
    parser = Outside()
    parser.feed(page)
    assert parser.loaded == []
    assert not {"script", "link", "iframe", "img"} & set(parser.tags)
    assert "@import" not in page
    assert re.findall(r"url\((?!#)", page) == []


def test_texts_are_escaped(run_folder: Path) -> None:
    page = write_training_report(run_folder).read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_run_that_left_little_still_has_a_page(tmp_path: Path) -> None:
    page = write_training_report(tmp_path).read_text()
    assert "No step was reported." in page
