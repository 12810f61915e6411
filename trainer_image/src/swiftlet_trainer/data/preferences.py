"""Rows of preference data: an answer that is preferred to others, in the shapes that TRL, ms-swift and LLaMA-Factory
publish and read."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from swiftlet_trainer.data.answers import (
    BEFORE,
    answers_of,
    check_answer,
    column_of,
    turns_before,
    with_tools,
    without_prompt,
)
from swiftlet_trainer.data.examples import Preference
from swiftlet_trainer.data.formats import Format, RowView
from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.data.shown import shown
from swiftlet_trainer.data.turns import Turn

NO_PROMPT = "add the question as prompt or messages, or begin both answers with it, as lists of turns"


def _from_preference(view: RowView) -> Preference:
    chosen, rejected = view.get("chosen"), view.needed("rejected")
    chosen_name, rejected_name = (column_of(view, logical) for logical in ("chosen", "rejected"))
    before = turns_before(view)
    if chosen is None:
        if not before or before[-1].role != "assistant":
            raise RowError(f"no column {chosen_name}, and no answer at the end of messages; add one of them")
        preferred, before = [before[-1]], before[:-1]
    else:
        found = answers_of(view, chosen, chosen_name)
        if len(found) != 1:
            raise RowError(f"{chosen_name} has {len(found)} answers; give one, and others as rows of their own")
        preferred = found[0]
    answers = [preferred, *answers_of(view, rejected, rejected_name)]
    if len(answers) == 1:
        raise RowError(f"{rejected_name} is empty; give an answer, or leave the row out")
    names = [chosen_name, *[rejected_name] * (len(answers) - 1)]
    prompt, answers = _parted(before, answers, names)
    for name, answer in zip(names, answers, strict=True):
        check_answer(name, answer)
    good = [True, *[False] * (len(answers) - 1)]
    prompt, (chosen, *others), tools = with_tools(view, prompt, answers, good)
    return Preference(prompt, chosen, others, _margin(view), tools)


def _margin(view: RowView) -> float | None:
    """By how much the chosen answer is preferred. NaN is not taken for none: it may be a figure that failed."""
    name = next((name for name in view.names.get("margin", ()) if view.row.get(name) not in (None, "")), None)
    if name is None:
        return None
    value = view.row[name]
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise RowError(f"{name} must be a number, this is {shown(value)}; leave it out where nothing is known")
    return found


def _parted(before: list[Turn], answers: list[list[Turn]], names: Sequence[str]) -> tuple[list[Turn], list[list[Turn]]]:
    """The prompt, and the answers without it. Where the row has none beside them, it is what they begin with alike."""
    if before:
        return before, [without_prompt(before, answer, name) for answer, name in zip(answers, names, strict=True)]
    alike = len(list(takewhile(lambda turns: all(one == turns[0] for one in turns), zip(*answers, strict=False))))
    shortest = min(map(len, answers))
    if alike < shortest and any(answer[alike].role != "assistant" for answer in answers):
        raise RowError(_differ(alike, [answer[alike] for answer in answers]))
    # One that is the beginning of another, or the same: the last answer that all give.
    while alike and (alike == shortest or answers[0][alike].role != "assistant"):
        alike -= 1
    if not alike:
        raise RowError(f"no prompt; {NO_PROMPT}")
    return answers[0][:alike], [answer[alike:] for answer in answers]


def _differ(index: int, turns: Sequence[Turn]) -> str:
    other = next((turn for turn in turns[1:] if turn != turns[0]), turns[-1])
    return (
        f"turn {index} is {turns[0].role} {turns[0].content[:40]!r} in one answer and {other.role}"
        f" {other.content[:40]!r} in another; a pair has one prompt, and answers begin with the assistant"
    )


PREFERENCES: dict[str, Format[Preference]] = {
    "preference": Format(
        "preference",
        {
            **BEFORE,
            "chosen": ("chosen", "chosen_response", "chosen_messages"),
            "rejected": ("rejected", "rejected_response", "rejected_messages"),
        },
        ("rejected",),
        _from_preference,
    )
}
"""What tasks that compare answers read."""

MARGINS: dict[str, Format[Preference]] = {
    name: replace(one, columns={**one.columns, "margin": ("margin",)}) for name, one in PREFERENCES.items()
}
"""The same with the margin, for tasks that learn it."""
