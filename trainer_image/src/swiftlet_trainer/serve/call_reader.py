"""Calls of tools in an answer, told from its text while it comes."""

from collections.abc import Sequence

from swiftlet_trainer.data.tools import Tool, ToolCall
from swiftlet_trainer.templates.agents.cut_calls import before_cut
from swiftlet_trainer.templates.agents.template import END_OF_THOUGHT, AgentTemplate
from swiftlet_trainer.templates.stops import overlap


class CallReader:
    """Passes on what an answer says until a call may begin, and reads the rest once it is whole.

    template: in whose words calls are written; None: nothing is a call. tools: that may be called. parallel: whether
    more than the first call counts. once: whether a call counts once only, however often it is made.
    """

    def __init__(
        self,
        template: AgentTemplate | None = None,
        tools: Sequence[Tool] = (),
        parallel: bool = True,
        once: bool = False,
    ) -> None:
        self._template, self._tools, self._parallel, self._once = template, tools, parallel, once
        self._held, self._said, self._begun = "", False, False

    def push(self, text: str) -> str:
        """The text that can be shown after `text` came in: no call, and no blanks that may stand before one."""
        if self._template is None:
            return text
        self._held += text
        if self._begun:
            return ""
        opening = self._template.opening
        place = self._held.find(opening)
        self._begun = place >= 0
        before = self._held[: place if self._begun else len(self._held) - overlap(self._held, opening)].rstrip()
        self._held = self._held[len(before) :]
        self._said = self._said or bool(before)
        return before

    def finish(self, is_cut: bool = False) -> tuple[str, tuple[ToolCall, ...]]:
        """The text that was held back and is none of a call, and the calls. What looks like a call and cannot be read
        is text, and so is then all beside it: half of what was meant must not be done. is_cut: whether the answer was
        ended by its length, which its reader is told; then only a last call that was cut is text."""
        if self._template is None:
            return "", ()
        thought, end, said = "", "", self._held
        if self._template.thought is None:
            thought, end, said = said.rpartition(END_OF_THOUGHT)
        found = self._template.read(said, self._tools)
        if is_cut and found.problems:
            found = before_cut(self._template, said, self._tools) or found
        if found.problems or not found.calls:
            return self._held, ()
        between = "\n" if found.content and self._said and not end else ""
        beside = f"{thought}{end}{between}{found.content}"
        calls = [call for place, call in enumerate(found.calls) if not (self._once and call in found.calls[:place])]
        return beside, tuple(calls[: None if self._parallel else 1])


class Repetition:
    """Tells when an answer makes a call once more. Calls of one answer have no order, so that what would come behind
    it is no more than the same again, and small models that must call go on so until they are cut."""

    def __init__(self, template: AgentTemplate, tools: Sequence[Tool]) -> None:
        self._template, self._tools, self._text = template, tools, ""

    def __call__(self, piece: str) -> bool:
        """Whether the answer has done so, with `piece` behind what was said."""
        self._text += piece
        if "}" not in piece:  # by which arguments end, where calls can be made to come
            return False
        calls = self._template.read(self._text.rpartition(END_OF_THOUGHT)[2], self._tools).calls
        return bool(calls) and calls[-1] in calls[:-1]
