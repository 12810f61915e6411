"""One turn of an agent as a step: calls of tools, an answer, or neither."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Plan = Literal["call", "finish", "give up"]
FINISH = "Finish"
"""The tool by whose call ToolBench's agents end: they give an answer, or give up."""
ACTION, ACTION_INPUT, FINAL_ANSWER = "Action:", "Action Input:", "Final Answer:"
NO_ANSWERS = ("", ".", ",")
"""Final answers that say nothing."""


@dataclass(frozen=True)
class Call:
    """A call as it was written. arguments: a JSON value, None when what was written is none."""

    name: str
    arguments: Any


@dataclass(frozen=True)
class Step:
    """plan: what is done. calls: of plan "call", none when no tool was named. answer: of plan "finish"."""

    plan: Plan
    calls: tuple[Call, ...] = ()
    answer: str | None = None

    @property
    def names(self) -> list[str]:
        """Of the tools that are called, sorted."""
        return sorted(call.name for call in self.calls)


def step_of(content: str, calls: Sequence[Call]) -> Step:
    """The step of a turn whose calls stand apart from its text: without a call it answers."""
    if len(calls) == 1 and calls[0].name == FINISH:
        return _finish(calls[0].arguments)
    return Step("call", tuple(calls)) if calls else Step("finish", answer=_behind(content, FINAL_ANSWER) or content)


def step_of_text(text: str) -> Step:
    """The step of a turn in ReAct's words.

    The action is what follows the last `Action:`, its input what follows the last `Action Input:`, and none is `{}`. A
    call of Finish with return_type give_answer answers; another one gives up. Sources: EvalScope, ToolBench-Static
    (arXiv:2307.16789, arXiv:2408.05517). Beside them, `Final Answer:` without an action answers, as ReAct has it
    (arXiv:2210.03629).
    """
    action = _behind(text, ACTION)
    if action is None:
        answer = _behind(text, FINAL_ANSWER)
        return Step("call") if answer is None else Step("finish", answer=answer)
    name = action.partition(ACTION_INPUT)[0].strip()
    given = _behind(text, ACTION_INPUT)
    arguments = {} if given is None else json_value(given)
    return _finish(arguments) if name == FINISH else Step("call", (Call(name, arguments),))


def json_value(text: str) -> Any:
    """None for what is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _behind(text: str, mark: str) -> str | None:
    """What follows the last `mark`."""
    return text.rpartition(mark)[2].strip() if mark in text else None


def _finish(arguments: Any) -> Step:
    if not isinstance(arguments, Mapping) or arguments.get("return_type") != "give_answer":
        return Step("give up")
    answer = str(arguments.get("final_answer", ""))
    return Step("finish", answer="None" if answer.strip() in NO_ANSWERS else answer)
