"""docs/reference/loss-scale.md is what bases and rules make of its conversations, with a real tokenizer as well."""

import copy
from pathlib import Path
from typing import Any

from swiftlet.api.v1alpha1.loss_scale import BASES, RULES
from swiftlet_trainer.tasks.sft.weights_page import CHATML, EXAMPLES, Runs, letters, render_page, weighed_runs
from swiftlet_trainer.templates.segments import Segments

PAGE = Path(__file__).parents[5] / "docs/reference/loss-scale.md"


def test_the_generated_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == render_page(), "run: make generate"


def test_every_base_and_rule_is_shown() -> None:
    assert {one.title for one in EXAMPLES} >= {*BASES, *RULES}


def test_tokens_of_a_model_weigh_the_same(tokenizer: Any) -> None:
    changed = copy.copy(tokenizer)
    changed.chat_template = CHATML
    of_model, of_bytes = ((one, Segments(one)) for one in (changed, letters()))
    for example in EXAMPLES:
        assert solid(weighed_runs(example, *of_model)) == solid(weighed_runs(example, *of_bytes)), example.title


def solid(runs: Runs) -> Runs:
    """Without blanks, which may belong to the token behind them."""
    found: Runs = []
    for weight, text in ((weight, "".join(text.split())) for weight, text in runs):
        if text and found and found[-1][0] == weight:
            found[-1] = (weight, found[-1][1] + text)
        elif text:
            found.append((weight, text))
    return found
