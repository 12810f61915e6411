"""What is said before an answer that is judged, and the answer, in the shapes that TRL, ms-swift and LLaMA-Factory
publish and read."""

from collections.abc import Mapping, Sequence
from typing import Any

from swiftlet_trainer.data.contents import text_of
from swiftlet_trainer.data.formats import TOOLS, RowView, history_turns, question_of, system_first
from swiftlet_trainer.data.json_values import JsonValueError, decoded
from swiftlet_trainer.data.keys import RowError, is_absent
from swiftlet_trainer.data.linked import joined, linked, untold
from swiftlet_trainer.data.tools import Tool
from swiftlet_trainer.data.turns import Turn, agreed, is_turns, turns_of

BEFORE: Mapping[str, tuple[str, ...]] = {
    "messages": ("messages", "conversations", "conversation"),
    "role": ("role", "from"),
    "content": ("content", "value"),
    "system": ("system",),
    "prompt": ("prompt", "instruction", "query", "question"),
    "input": ("input",),
    "history": ("history",),
    "tools": TOOLS,
}
"""Columns of what comes before an answer."""


def column_of(view: RowView, logical: str) -> str:
    """The column as the row calls it."""
    names = view.names[logical]
    return next((name for name in names if not is_absent(view.row.get(name))), names[0])


def turns_before(view: RowView) -> list[Turn]:
    """What the row has beside the answers. Raises RowError for a row marked not to be learnt."""
    require_whole(agreed(view.marks, ""), "the row")
    messages, prompt = view.get("messages"), view.get("prompt")
    if messages is not None and prompt is not None:
        raise RowError(
            f"the row has both {column_of(view, 'messages')} and {column_of(view, 'prompt')}; leave one of them out"
        )
    if messages is not None:
        return joined(turns_of(messages, column_of(view, "messages"), view.keys))
    if is_turns(prompt, view.keys):
        return joined(turns_of(prompt, column_of(view, "prompt"), view.keys))
    asked = question_of(view)
    return [*history_turns(view), Turn("user", asked)] if asked else history_turns(view)


def answers_of(view: RowView, value: Any, where: str) -> list[list[Turn]]:
    """One answer, or several: each a text, a turn or a list of turns."""
    if isinstance(value, str) and value.lstrip().startswith(("[", "{")):  # as CSV has them
        try:
            read = decoded(value)
        except JsonValueError:
            read = value
        if is_turns(read, view.keys) or is_turns([read], view.keys) or _is_list_of_texts(read):
            value = read
    if is_turns([value], view.keys):
        return [joined(turns_of([value], where, view.keys))]
    if is_turns(value, view.keys):
        return [joined(turns_of(value, where, view.keys))]
    if isinstance(value, list | tuple) and not any(isinstance(one, Mapping) for one in value):
        return [answer for index, one in enumerate(value) for answer in answers_of(view, one, f"{where}[{index}]")]
    return [[Turn("assistant", text_of(value, where, view.book))]]


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)


def without_prompt(before: list[Turn], answer: list[Turn], name: str) -> list[Turn]:
    """The answer, without the prompt that it may repeat."""
    for said in (before, [turn for turn in before if turn.role != "system"]):
        if answer[: len(said)] == said:
            return answer[len(said) :]
    if answer and answer[0].role == "assistant":
        return answer
    what = f"{answer[0].role} {answer[0].content[:40]!r}" if answer else "nothing"
    raise RowError(f"{name} begins with {what}, which is not the row's prompt; a row has one prompt")


def with_tools(
    view: RowView, prompt: list[Turn], answers: Sequence[list[Turn]], good: Sequence[bool]
) -> tuple[list[Turn], list[list[Turn]], tuple[Tool, ...]]:
    """The prompt and its answers with calls and results put together, and the row's tools. good: of each answer,
    whether it is to be learnt; others may call tools that the row does not have. Raises RowError."""
    prompt = system_first(view, prompt)
    tools = untold(view.tools, prompt)
    before = sum(len(turn.calls) for turn in prompt)
    said = [linked(one, tools, before, invented=not is_good) for one, is_good in zip(answers, good, strict=True)]
    return linked(prompt, tools, invented=True), said, tools


def check_answer(name: str, answer: list[Turn]) -> None:
    """Raises RowError for turns that are no answer, or are one in part."""
    if not answer or answer[0].role != "assistant":
        begins = f"begins with a turn of the {answer[0].role}" if answer else "has no answer"
        raise RowError(f"{name} {begins}; after the prompt the assistant answers")
    for index, turn in enumerate(answer):
        require_whole(turn.weight, f"turn {index} of {name}")


def require_whole(weight: float | None, what: str) -> None:
    """Raises RowError for a mark that asks for a part of what is judged as a whole."""
    if weight == 0:
        raise RowError(f"{what} is marked not to be learnt; whole answers are judged: leave it out")
    if weight not in (None, 1.0):
        raise RowError(f"{what} is marked with the weight {weight:g}; whole answers are judged: leave the mark out")
