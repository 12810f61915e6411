"""Questions that are asked of all rows of a preview, and their answers in words."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from swiftlet.wire.preview import PreviewCheck, State, span_of

from swiftlet_trainer.data.tally import MAX_SHOWN, Tally
from swiftlet_trainer.preview.prompts import Finding, Prompts
from swiftlet_trainer.preview.rows import Learnt

FINDINGS: dict[Finding, tuple[State, str]] = {
    "other": ("failed", "answers are learnt behind other tokens than generation is given; report the model"),
    "rewritten": (
        "warning",
        "answers follow turns that generation is given otherwise: the chat template rewrites them",
    ),
    "thought": ("warning", "answers begin without the thought that generation is asked for; write thoughts into them"),
}
NOT_LEARNT = ("no_labels", "not_learnt", "no_assistant_turn", "empty_answer")
"""Reasons to drop rows of which nothing would be learnt."""


@dataclass
class Found:
    """What was found in rows, by question and answer: how often, and in which rows. weights: of learnt tokens."""

    counts: Counter[str] = field(default_factory=Counter)
    places: dict[str, list[str]] = field(default_factory=dict)
    weights: set[float] = field(default_factory=set)

    def add(self, what: str, place: str) -> None:
        """Count one more; the first rows of each are told."""
        self.counts[what] += 1
        told = self.places.setdefault(what, [])
        if len(told) < MAX_SHOWN and place not in told:
            told.append(place)

    def told(self, name: str, state: State, text: str, *what: str) -> PreviewCheck:
        """An answer, with the rows in which `what` was found."""
        return PreviewCheck(
            name=name, state=state, text=text, places=[p for one in what for p in self.places.get(one, [])]
        )


class TokenChecks:
    """Of rows whose tokens are learnt."""

    def __init__(self, stops: Sequence[int], prompts: Prompts | None) -> None:
        """stops: ids at which generation stops. prompts: None where no chat template is there to ask."""
        self._stops, self._prompts = frozenset(stops), prompts
        self.found = Found()

    def look(self, row: Sequence[Learnt], place: str) -> None:
        """Take in the sequences of a row."""
        if not any(one.learnt for one in row):
            self.found.add("nothing", place)
        for one in row:
            self.found.counts["tokens"] += len(one.ids)
            self.found.counts["learnt"] += one.learnt
            self.found.weights.update(weight for weight in one.weights if weight)
            if self._prompts and one.rendered.messages:
                for finding in self._prompts.findings(one):
                    self.found.add(finding, place)
            for at in one.answers:
                self.found.add(self._end(one, at), place)

    def _end(self, one: Learnt, at: int) -> str:
        end = one.bounds[at + 1]
        if end - one.bounds[at] < len(one.parts[at]):
            return "unended"
        return "ended" if one.ids[end - 1] in self._stops and one.weights[end - 1] else "endless"

    def answers(self, stops: Sequence[str], tallies: Sequence[Tally]) -> Iterator[PreviewCheck]:
        """What was found. stops: the tokens at which generation stops, in words."""
        found, counts = self.found, self.found.counts
        yield from self._of_prompts()
        ends = counts["ended"] + counts["endless"]
        text = f"{counts['ended']:,} of {ends:,} answers and texts end with a token at which generation stops"
        yield found.told(
            "stop", "failed" if counts["endless"] else "ok", f"{text} ({', '.join(stops) or 'it has none'})", "endless"
        )
        share = f" ({counts['learnt'] / counts['tokens']:.1%})" if counts["tokens"] else ""
        weights = f", {span_of([*found.weights])}" if found.weights - {1.0} else ""
        text = f"{counts['learnt']:,} of {counts['tokens']:,} tokens are learnt{share}{weights}"
        yield found.told("learnt", "ok" if counts["learnt"] else "failed", text)
        left_out = sum(tally.dropped[reason] for tally in tallies for reason in NOT_LEARNT)
        text = f"rows with nothing to learn in them: {left_out + counts['nothing']:,}"
        yield found.told("nothing", "warning" if left_out + counts["nothing"] else "ok", text, "nothing")

    def _of_prompts(self) -> Iterator[PreviewCheck]:
        found, counts = self.found, self.found.counts
        total = sum(counts[one] for one in ("same", *FINDINGS))
        if not total:
            return
        text = f"{counts['same']:,} of {total:,} answers follow the very tokens that generation is given"
        yield found.told("prompt", "ok", text)
        for finding, (state, words) in FINDINGS.items():
            if counts[finding]:
                yield found.told("prompt", state, f"{counts[finding]:,} {words}", finding)


def row_checks(tallies: Sequence[Tally], cut: Found, limit: int, warnings: Sequence[str]) -> Iterator[PreviewCheck]:
    """Of all rows, whatever is learnt of them. cut: those that were longer than `limit`. warnings: of the model's files
    and its chat template."""
    dropped = sum((tally.dropped for tally in tallies), Counter[str]())
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(dropped.items()))
    read = sum(tally.read for tally in tallies)
    text = f"{dropped.total():,} of {read:,} rows are dropped"
    yield PreviewCheck(
        name="dropped", state="warning" if reasons else "ok", text=f"{text}: {reasons}" if reasons else text
    )
    long = dropped["too_long"] + dropped["cut_call"]
    parts = [(cut.counts["cut"], "cut"), (cut.counts["split"], "split"), (long, "dropped")]
    told = ", ".join(f"{count:,} {what}" for count, what in parts if count)
    text = f"longest sequence allowed: {limit:,} tokens; rows that are longer: {told or 'none'}"
    yield cut.told("length", "warning" if cut.counts["cut"] or long else "ok", text, "cut", "split")
    for tally in tallies:
        if not tally.kept and not tally.problem_count:
            text = f"{tally.name}: none of the {tally.read:,} rows that were read is left"
            yield PreviewCheck(name="usable", state="failed", text=text)
    for warning in warnings:
        yield PreviewCheck(name="model", state="warning", text=warning)


def stop_names(stops: Sequence[int], tokenizer: Any) -> list[str]:
    """Tokens at which generation stops, as the tokenizer names them."""
    return [str(tokenizer.convert_ids_to_tokens(one)) for one in stops]
