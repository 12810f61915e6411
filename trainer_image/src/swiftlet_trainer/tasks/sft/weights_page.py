"""The page of the reference that shows what each base and rule of loss scale makes of a conversation:
`python -m swiftlet_trainer.tasks.sft.weights_page FILE`."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from swiftlet.api.v1alpha1.finetunejob import Template

from swiftlet_trainer.data.encode import IGNORED, scaled
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.tasks.sft.rows import SftRows
from swiftlet_trainer.templates.agents.plain import plain
from swiftlet_trainer.templates.agents.registry import AGENT_TEMPLATES
from swiftlet_trainer.templates.agents.sample import TURNS
from swiftlet_trainer.templates.loss_scale.known import KNOWN
from swiftlet_trainer.templates.segments import Segments, Weighed

HEAD = """# Rules of loss scale

Generated from the rules by `make generate`; [loss scale](../how-to/loss-scale.md) tells how they are chosen and
chained. Rows below went the way that rows of training go, as ChatML: on the left stands the weight of each piece in the
loss, `·` where nothing is learnt, and `⏎` where the text has the end of a line. A token across the border of two pieces
has the weight of the first of its characters that is not blank.
"""
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
QUESTION = TURNS[1]
Runs = list[tuple[float, str]]
"""A text in pieces, each with its weight in the loss."""


@dataclass(frozen=True)
class Example:
    """A row, and what a document says of its loss. title: of its section. agent: the template that writes its calls."""

    title: str
    told: str
    turns: Sequence[Turn]
    chain: str
    agent: str = ""
    own: Mapping[str, str] = field(default_factory=dict)

    @property
    def texts(self) -> list[Turn]:
        """The row as texts alone. Tools are not told: what tells them is never learnt, and long."""
        return plain(self.turns, (), AGENT_TEMPLATES[self.agent]) if self.agent else list(self.turns)


_CALLS = TURNS[1:]
_ROUNDS = (
    *_CALLS[:3],
    TURNS[4],
    Turn("assistant", "In Genève."),
    Turn("user", "Thanks."),
    Turn("assistant", "Gladly."),
)
_ASKED = Turn("user", "What is the tool you want to use?")

EXAMPLES = (
    Example("default", "All answers, with what ends them.", _CALLS, "default", "react_en"),
    Example("last_round", "What is behind the last question or result.", _ROUNDS, "last_round", "hermes"),
    Example("all", "Every token; goes with `task.sft.assistantOnlyLoss: false`.", _CALLS[:1] + _CALLS[-1:], "all"),
    Example("react", "What an agent does counts twice.", _CALLS, "react", "react_en"),
    Example(
        "alpha_umi",
        "The same, and whom the planner hands on to.",
        (QUESTION, Turn("assistant", "Thought: I need the weather of both.\nNext: caller\n")),
        "alpha_umi",
    ),
    Example("agentflan", "What follows the words before a call counts three times.", _CALLS, "agentflan", "react_en"),
    Example(
        "agentflan, asked for a tool",
        "The whole answer counts three times where it is asked for in so many words.",
        (_ASKED, Turn("assistant", "get_weather, for it knows both.")),
        "agentflan",
    ),
    Example("qwen", "Qwen-Agent's flowers.", _CALLS, "qwen", "qwen_en"),
    Example("hermes", "Each whole call, with its tags.", _CALLS, "hermes", "hermes"),
    Example(
        "ignore_empty_think",
        "A thought that is empty, in the words of several families of models. What the first of the two answers begins"
        "\nwith is never learnt here, with the rule or without.",
        (
            *(QUESTION, Turn("assistant", "<think>\n\n</think>\n\nIn Genève.")),
            *(QUESTION, Turn("assistant", "</mm:think>\n\nIn Genève.")),
        ),
        "ignore_empty_think",
    ),
    Example(
        "ignore_think_prefix",
        "The mark that begins a thought, where it is part of the prompt when the model is used.",
        (QUESTION, Turn("assistant", "<think>\nGenève is further south.\n</think>\n\nIn Genève.")),
        "ignore_think_prefix",
    ),
    Example(
        "A chain with a rule of your own",
        'With `lossScaleRules.mine`: `{" ?\\\\d+": [3.0]}`, and `loss_scale: 0.5` in the row. A rule cuts the pieces of'
        " the one\nbefore it, and weights multiply.",
        (QUESTION, Turn("assistant", 'Action: get_weather\nAction Input: {"city": "Bern", "days": 2}', weight=0.5)),
        "react+mine",
        own={"mine": '{" ?\\\\d+": [3.0]}'},
    ),
)


def weighed_runs(example: Example, tokenizer: Any, segments: Segments) -> Runs:
    """The row by runs of tokens of one weight. segments: those of the tokenizer."""
    template = Template(loss_scale=[example.chain], loss_scale_rules=dict(example.own))
    rows = SftRows(tokenizer, segments, template, assistant_only=not example.chain.startswith("all"))
    rendered = rows.conversation(example.texts)
    (found,) = segments.weighed([rendered])
    assert isinstance(found, Weighed)  # noqa: S101 - examples hold nothing that looks like a control token
    row = scaled(rows.labelled(found.parts, rendered), found.factors)
    weights = row.weights or [float(label != IGNORED) for label in row.labels]
    each = groupby(zip(weights, row.input_ids, strict=True), key=lambda one: one[0])
    return [(weight, tokenizer.decode([token for _, token in run])) for weight, run in each]


def letters() -> Any:
    """A tokenizer of single bytes, so that pieces are seen where rules cut them."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE({char: number for number, char in enumerate(alphabet)}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # type: ignore[assignment]
    made.decoder = decoders.ByteLevel()  # type: ignore[assignment]
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, chat_template=CHATML)
    tokenizer.add_special_tokens({"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"})
    return tokenizer


def render_page() -> str:
    """The page as Markdown."""
    tokenizer = letters()
    segments = Segments(tokenizer)
    sections = (_section(one, weighed_runs(one, tokenizer, segments)) for one in EXAMPLES)
    return "\n".join([HEAD, *(line for section in sections for line in section)])


def _section(example: Example, runs: Runs) -> Iterator[str]:
    yield f"## {example.title}\n\n{example.told}\n"
    if held := KNOWN.get(example.title):
        yield "\n".join(_table(held))
    written = f", calls by `{example.agent}`" if example.agent else ""
    yield f"`lossScale: [{example.chain}]`{written}:\n\n````text"
    for weight, text in runs:
        for number, line in enumerate(text.splitlines(keepends=True)):
            shown = "" if number else f"{weight:g}" if weight else "·"
            yield f"{shown:>4} {line.rstrip(chr(10))}{'⏎' if line.endswith(chr(10)) else ''}"
    yield "````\n"


def _table(held: Mapping[str, Any]) -> Iterator[str]:
    """What a rule looks for, and what that weighs."""
    found = held.get("response", held)
    of_keys = all(len(weights) == 2 for weights in found.values())
    names = ("found in answers", "weighs", *(["what follows weighs"] if of_keys else []))
    yield f"| {' | '.join(names)} |\n|{' --- |' * len(names)}"
    for key, weights in found.items():
        yield f"| `{_cell(key)}` | {' | '.join(f'{weight:g}' for weight in weights)} |"
    if asked := held.get("query"):
        yield "\n| found in what is asked | the whole answer weighs |\n| --- | --- |"
        yield from (f"| `{_cell(key)}` | {weights[0]:g} |" for key, weights in asked.items())
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "\\n")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render_page(), encoding="utf-8")
