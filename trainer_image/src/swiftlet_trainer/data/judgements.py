"""Rows of unpaired preference data: an answer and whether it is good, in the shapes that TRL, ms-swift and
LLaMA-Factory publish and read."""

from swiftlet_trainer.data.answers import (
    BEFORE,
    answers_of,
    check_answer,
    column_of,
    turns_before,
    with_tools,
    without_prompt,
)
from swiftlet_trainer.data.examples import Judgement
from swiftlet_trainer.data.formats import Format, RowView
from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.data.shown import shown
from swiftlet_trainer.data.turns import Turn, mark_of

VERDICTS = {1.0: True, 0.0: False}


def _from_judgement(view: RowView) -> Judgement:
    label, completion = view.needed("label"), view.get("completion")
    name = column_of(view, "completion")
    before = turns_before(view)
    if completion is None:
        name = column_of(view, "messages")
        prompt, answer = _ended(before, name)
    else:
        found = answers_of(view, completion, name)
        if len(found) != 1:
            raise RowError(f"{name} has {len(found)} answers; give one, and others as rows of their own")
        prompt, answer = (before, without_prompt(before, found[0], name)) if before else _ended(found[0], name)
    check_answer(name, answer)
    is_good = _is_good(label, column_of(view, "label"))
    prompt, (said,), tools = with_tools(view, prompt, [answer], [is_good])
    return Judgement(prompt, said, is_good, tools)


def _ended(turns: list[Turn], name: str) -> tuple[list[Turn], list[Turn]]:
    """A conversation as what it says before its last turn, and that turn."""
    if not turns or turns[-1].role != "assistant":
        raise RowError(f"no answer at the end of {name}, which label judges; add it there or as completion")
    if len(turns) == 1:
        raise RowError("no prompt; add the question as prompt, or begin messages with it")
    return turns[:-1], turns[-1:]


def _is_good(label: object, name: str) -> bool:
    try:
        return VERDICTS[mark_of(label, name)]
    except (RowError, KeyError):
        raise RowError(f"{name} is {shown(label)}; write true for a good answer and false for a bad one") from None


JUDGEMENTS: dict[str, Format[Judgement]] = {
    "unpaired_preference": Format(
        "unpaired_preference",
        {**BEFORE, "completion": ("completion", "response", "output"), "label": ("label", "kto_tag")},
        ("label",),
        _from_judgement,
    )
}
"""What tasks that judge single answers read."""
