"""Conversations with tools as conversations of texts alone, which any chat template can write."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby

from swiftlet_trainer.data.tools import Tool
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.templates.agents.template import AgentTemplate, UnwritableError


def plain(
    turns: Sequence[Turn], tools: Sequence[Tool], template: AgentTemplate, seal: Callable[[str], str] = str
) -> list[Turn]:
    """The turns with tools introduced, calls and results as texts. Of an answer that goes on behind results within one
    turn, the results are given. seal: changes each text that is written. Raises UnwritableError."""
    said: list[Turn] = []
    for is_result, group in groupby(_introduced(turns, tools, template), key=lambda turn: turn.role == "tool"):
        if is_result:
            _add_results(said, list(group), template, seal)
            continue
        for turn in group:
            is_answer = turn.role == "assistant"
            text = template.answer(turn, tools) if is_answer else turn.content
            thought = None if turn.thought is None or (is_answer and template.thought) else seal(turn.thought)
            one = replace(turn, content=seal(text), calls=(), thought=thought)
            if is_answer and said and said[-1].role == "assistant" and template.results_in == "assistant":
                said[-1] = _behind(said[-1], one, template)
            else:
                said.append(one)
    return said


def _introduced(turns: Sequence[Turn], tools: Sequence[Tool], template: AgentTemplate) -> list[Turn]:
    if not tools:
        return list(turns)
    place = next((index for index, turn in enumerate(turns) if turn.role == template.introduces_in), None)
    if place is None:
        if template.introduces_in == "user":
            raise UnwritableError(
                f"template.agentTemplate {template.name} introduces tools to the user, who says nothing"
            )
        return [Turn("system", template.introduced(tools, "")), *turns]
    own = turns[place]
    text = template.introduced(tools, own.content)
    return [*turns[:place], replace(own, content=text), *turns[place + 1 :]]


def _add_results(
    said: list[Turn], results: Sequence[Turn], template: AgentTemplate, seal: Callable[[str], str]
) -> None:
    text, ends = seal(template.results(results)), seal(template.ends)
    if template.results_in != "assistant":
        said.append(Turn(template.results_in, text))
        return
    if not said or said[-1].role != "assistant":
        raise UnwritableError("a result of a tool follows no answer with a call; leave it out")
    answer = said[-1]
    start = len(answer.content) + len(ends)
    content = f"{answer.content}{ends}{text}"
    said[-1] = replace(answer, content=content, given=(*answer.given, (start, len(content))))


def _behind(before: Turn, turn: Turn, template: AgentTemplate) -> Turn:
    """An answer with what it says behind results. Where one of them is not learnt, it is given."""
    if turn.thought is not None:
        raise UnwritableError(
            f"template.agentTemplate {template.name} has no place for a thought behind results; put it into the content"
        )
    shift = len(before.content)
    content = before.content + turn.content
    given = (*before.given, *((start + shift, end + shift) for start, end in turn.given))
    if _weight(before) == _weight(turn):
        return replace(before, content=content, given=given)
    if before.weight == 0:
        return replace(before, content=content, given=((0, shift),), weight=turn.weight)
    if turn.weight == 0:
        return replace(before, content=content, given=(*before.given, (shift, len(content))))
    raise UnwritableError(
        f"template.agentTemplate {template.name} writes answers around results as one, and their marks differ "
        f"({_weight(before)} and {_weight(turn)}); give them the same"
    )


def _weight(turn: Turn) -> float:
    return 1.0 if turn.weight is None else turn.weight
