"""Calls of tools and what came of them, put together over the turns of a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.data.tools import Tool, ToolCall
from swiftlet_trainer.data.turns import Turn

NAMED = 8
"""Tools that a message names."""


def joined(turns: Sequence[Turn]) -> list[Turn]:
    """With calls that are turns of their own in the assistant's turn right before them: they are said at once. Raises
    RowError where the two are marked otherwise."""
    found: list[Turn] = []
    for index, turn in enumerate(turns):
        last = found[-1] if found else None
        if not (last and turn.calls and last.role == "assistant" and turn.thought is None and not turn.content.strip()):
            found.append(turn)
            continue
        if last.weight != turn.weight:
            raise RowError(f"turn {index} is a call in the answer before it, and is marked otherwise; mark them alike")
        found[-1] = replace(last, calls=(*last.calls, *turn.calls))
    return found


def linked(turns: Sequence[Turn], tools: Sequence[Tool], calls_before: int = 0, invented: bool = False) -> list[Turn]:
    """Turns whose calls have ids, and whose results have the names and ids of the calls that they are of.

    calls_before: how many calls the row has before these turns. invented: whether tools may be called that the row does
    not have. Raises RowError for a result that no call is before, and for a call of another tool than the row's that is
    to be learnt.
    """
    if not any(turn.calls for turn in turns):
        _require_said(turns)
        return list(turns)
    known = {tool["function"]["name"]: tool["function"].get("parameters") or {} for tool in tools}
    found, pending, number = list[Turn](), list[_Pending](), calls_before
    for index, turn in enumerate(turns):
        if turn.calls:
            if known and not invented and turn.weight != 0:
                _require_known(turn, index, known)
            pending = [_pending(call, number + place, known) for place, call in enumerate(turn.calls)]
            number += len(pending)
            turn = replace(turn, calls=tuple(one.call for one in pending))
        elif turn.role == "tool":
            one = next((one for one in pending if one.is_met_by(turn)), None)
            if one is None:
                raise RowError(_unmatched(turn, index, pending))
            pending.remove(one)
            turn = replace(turn, name=one.call.name, call_id=one.call.id)
        else:
            pending = []
        found.append(turn)
    return found


def untold(tools: tuple[Tool, ...], turns: Sequence[Turn]) -> tuple[Tool, ...]:
    """The tools, but none where the system's text has all of them between `<tools>` already, as in data of Hermes: they
    would be told twice."""
    system = turns[0].content if turns and turns[0].role == "system" else ""
    if "<tools>" in system and all(tool["function"]["name"] in system for tool in tools):
        return ()
    return tools


@dataclass(frozen=True)
class _Pending:
    """A call without a result. named: whether the data has an id for it."""

    call: ToolCall
    named: bool

    def is_met_by(self, result: Turn) -> bool:
        """Whether a result may be of this call, by the id and the tool that it says."""
        by_id = result.call_id in (None, self.call.id) or not self.named
        return by_id and result.name in (None, self.call.name)


def _pending(call: ToolCall, number: int, known: Mapping[str, Mapping[str, object]]) -> _Pending:
    """Arguments that are null and not the tool's are another tool's, for which a table has a column. Ids that the data
    lacks are nine letters and digits, as Mistral's chat templates ask."""
    own = known.get(call.name)
    if own is not None and None in call.arguments.values():
        its: object = own.get("properties")
        names = its if isinstance(its, Mapping) else {}
        held = {key: value for key, value in call.arguments.items() if value is not None or key in names}
        call = replace(call, arguments=held)
    return _Pending(call if call.id else replace(call, id=f"call{number:05}"), call.id is not None)


def _unmatched(turn: Turn, index: int, pending: Sequence[_Pending]) -> str:
    of = f" of call {turn.call_id}" if turn.call_id else f" of {turn.name}" if turn.name else ""
    waiting = ", ".join(f"{one.call.name} ({one.call.id})" for one in pending) or "none"
    return (
        f"turn {index} is a result{of} without a call; calls right before it that have no result yet: {waiting}. "
        "Write the call, or leave the result out"
    )


def _require_known(turn: Turn, index: int, known: Mapping[str, object]) -> None:
    for call in turn.calls:
        if call.name not in known:
            names = ", ".join(list(known)[:NAMED]) + (", …" if len(known) > NAMED else "")
            raise RowError(
                f"turn {index} calls {call.name!r}, which is none of the row's tools ({names}); correct it, describe "
                "the tool, or give the turn weight 0: it is then said, and not learnt"
            )


def _require_said(turns: Sequence[Turn]) -> None:
    """Raise RowError for a result that nothing is before which could be a call written as text."""
    said = False
    for index, turn in enumerate(turns):
        if turn.role != "tool":
            said = turn.role == "assistant" and bool(turn.content.strip())
        elif not said:
            raise RowError(_unmatched(turn, index, ()))
