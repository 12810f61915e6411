"""Rows of preference data: an answer that is preferred to others, in the shapes that TRL, ms-swift and LLaMA-Factory
publish and read."""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from swiftlet_trainer.data.examples import Preference
from swiftlet_trainer.data.formats import Format, RowView, history_turns, question_of, system_first
from swiftlet_trainer.data.json_values import JsonValueError, decoded
from swiftlet_trainer.data.keys import RowError, is_absent
from swiftlet_trainer.data.turns import Turn, agreed, is_turns, text_of, turns_of

NO_PROMPT = "add the question as prompt or messages, or begin both answers with it, as lists of turns"


def _from_preference(view: RowView) -> Preference:
    if agreed(view.marks, "") is False:
        raise RowError("the row is marked not to be learnt; leave it out")
    chosen, rejected = view.get("chosen"), view.needed("rejected")
    chosen_name, rejected_name = (column_of(view, logical) for logical in ("chosen", "rejected"))
    before = _before(view)
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
        _check(name, answer)
    return Preference(system_first(view, prompt), answers[0], answers[1:])


def column_of(view: RowView, logical: str) -> str:
    """The column as the row calls it."""
    names = view.names[logical]
    return next((name for name in names if not is_absent(view.row.get(name))), names[0])


def _before(view: RowView) -> list[Turn]:
    """What the row has beside the answers."""
    messages, prompt = view.get("messages"), view.get("prompt")
    if messages is not None and prompt is not None:
        raise RowError(
            f"the row has both {column_of(view, 'messages')} and {column_of(view, 'prompt')}; leave one of them out"
        )
    if messages is not None:
        return turns_of(messages, column_of(view, "messages"), view.keys)
    if is_turns(prompt, view.keys):
        return turns_of(prompt, column_of(view, "prompt"), view.keys)
    asked = question_of(view)
    return [*history_turns(view), Turn("user", asked)] if asked else history_turns(view)


def answers_of(view: RowView, value: Any, where: str) -> list[list[Turn]]:
    """One answer, or several: each a text, a turn or a list of turns. Raises RowError."""
    if isinstance(value, str) and value.lstrip().startswith(("[", "{")):  # as CSV has them
        try:
            read = decoded(value)
        except JsonValueError:
            read = value
        if is_turns(read, view.keys) or is_turns([read], view.keys) or _is_list_of_texts(read):
            value = read
    if is_turns([value], view.keys):
        return [turns_of([value], where, view.keys)]
    if is_turns(value, view.keys):
        return [turns_of(value, where, view.keys)]
    if isinstance(value, list | tuple) and not any(isinstance(one, Mapping) for one in value):
        return [answer for index, one in enumerate(value) for answer in answers_of(view, one, f"{where}[{index}]")]
    return [[Turn("assistant", text_of(value, where, view.book))]]


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)


def _parted(before: list[Turn], answers: list[list[Turn]], names: Sequence[str]) -> tuple[list[Turn], list[list[Turn]]]:
    """The prompt, and the answers without it. Where the row has none beside them, it is what they begin with alike."""
    if before:
        return before, [_without(before, answer, name) for answer, name in zip(answers, names, strict=True)]
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


def _without(before: list[Turn], answer: list[Turn], name: str) -> list[Turn]:
    """The answer, without the prompt that it may repeat."""
    for said in (before, [turn for turn in before if turn.role != "system"]):
        if answer[: len(said)] == said:
            return answer[len(said) :]
    if answer and answer[0].role == "assistant":
        return answer
    what = f"{answer[0].role} {answer[0].content[:40]!r}" if answer else "nothing"
    raise RowError(f"{name} begins with {what}, which is not the row's prompt; a pair has one prompt")


def _check(name: str, answer: list[Turn]) -> None:
    if not answer or answer[0].role != "assistant":
        begins = f"begins with a turn of the {answer[0].role}" if answer else "has no answer"
        raise RowError(f"{name} {begins}; after the prompt the assistant answers")
    for index, turn in enumerate(answer):
        if turn.learn is False:
            raise RowError(
                f"turn {index} of {name} is marked not to be learnt; whole answers are compared: leave it out"
            )


PREFERENCES: dict[str, Format[Preference]] = {
    "preference": Format(
        "preference",
        {
            "messages": ("messages", "conversations", "conversation"),
            "role": ("role", "from"),
            "content": ("content", "value"),
            "system": ("system",),
            "prompt": ("prompt", "instruction", "query", "question"),
            "input": ("input",),
            "history": ("history",),
            "chosen": ("chosen", "chosen_response", "chosen_messages"),
            "rejected": ("rejected", "rejected_response", "rejected_messages"),
        },
        ("rejected",),
        _from_preference,
    )
}
"""What tasks that compare answers read."""
