"""Which pieces of a conversation's answers count more or less than the rest of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.templates.factors import Piece
from swiftlet_trainer.templates.loss_scale.chain import PLAIN, Chain
from swiftlet_trainer.templates.loss_scale.rules import LONGEST
from swiftlet_trainer.templates.prompt_template import TemplateRefusalError, UnsuitableTemplateError
from swiftlet_trainer.templates.special import SpecialTokens


@dataclass(frozen=True)
class Weighing:
    """What a document's rules and its rows say of answers."""

    special: SpecialTokens
    chain: Chain = PLAIN

    def weighs(self, turns: Sequence[Turn]) -> bool:
        """Whether any answer of a conversation may have pieces."""
        return bool(self.chain.rules) or any(turn.given for turn in turns)

    def of_last_round(self, turns: Sequence[Turn]) -> list[Turn]:
        """Answers before the last question that is answered as given, where only those behind it are learnt."""
        if self.chain.base != "last_round":
            return list(turns)
        last = max((i for i, turn in enumerate(turns) if turn.is_answer), default=0)
        asked = max((i for i, turn in enumerate(turns[:last]) if turn.role in ("user", "tool")), default=-1)
        return [
            replace(turn, weight=0.0) if turn.role == "assistant" and index < asked else turn
            for index, turn in enumerate(turns)
        ]

    def of_answer(self, turns: Sequence[Turn], index: int, text: str) -> list[Piece]:
        """Of the answer `index` as it is rendered, without what ends it. Raises TemplateRefusalError,
        UnsuitableTemplateError."""
        before = max((i for i, turn in enumerate(turns[:index]) if turn.role == "assistant"), default=-1)
        asked = "\n".join(turn.content for turn in turns[before + 1 : index] if turn.role != "system")
        true, found, start = self.special.unshielded(text), list[Piece](), 0
        given = sorted(_given(turns[index], true))
        # What follows what others wrote is an answer to that: rules begin anew, as in a turn of its own.
        for begin, end, _ in [*given, (len(true), len(true), 0.0)]:
            found += [
                (start + left, start + right, factor)
                for left, right, factor in self._of_rules(true[start:begin], asked)
            ]
            asked, start = true[begin:end], end
        if self.chain.base == "last_round" and (answered := [one for one in given if true[one[1] :].strip()]):
            found.append((0, answered[-1][0], 0.0))  # what is before the last result, as where results are turns
        return self._as_rendered(text, [*found, *given])

    def of_text(self, text: str) -> list[Piece]:
        """Of what is no answer to anything. Raises UnsuitableTemplateError."""
        return self._as_rendered(text, self._of_rules(self.special.unshielded(text), ""))

    def _of_rules(self, text: str, asked: str) -> list[Piece]:
        try:
            return [piece for piece in self.chain.pieces(text, asked) if piece[2] != 1]
        except TimeoutError:
            names = ", ".join(rule.name for rule in self.chain.rules if rule.found)
            raise UnsuitableTemplateError(
                f"template.lossScale: a pattern of {names} searches an answer of {len(text):,} characters for longer "
                f"than {LONGEST:g} s; write it so that it cannot match the same text in many ways"
            ) from None

    def _as_rendered(self, text: str, pieces: Sequence[Piece]) -> list[Piece]:
        """Pieces of a text as users wrote it in the one that stand-ins are in."""
        if not pieces or (true := self.special.unshielded(text)) == text:
            return list(pieces)
        origin = np.append(np.repeat(np.arange(len(text)), self.special.shield_widths(text)), len(text))
        assert len(origin) == len(true) + 1  # noqa: S101
        return [(int(origin[start]), int(origin[end]), factor) for start, end, factor in pieces]


def _given(turn: Turn, text: str) -> Iterator[Piece]:
    """Where the rendered text of an answer has what others wrote in it. Raises TemplateRefusalError."""
    said, place = turn.content.strip(), 0
    lead = len(turn.content) - len(turn.content.lstrip())
    whole = text.find(said)
    for start, end in turn.given:
        part = turn.content[start:end].strip()
        if not part:
            continue
        if whole >= 0:
            yield whole + max(start - lead, 0), whole + min(end - lead, len(said)), 0.0
        elif (found := text.find(part, place)) >= 0:
            yield found, (place := found + len(part)), 0.0
        else:
            raise TemplateRefusalError(
                f"the chat template rewrites an answer, and what others wrote in it is no longer found: {part[:40]!r}"
            )
