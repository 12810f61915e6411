"""What became of the rows of one data set, with the places of those that were left out or are wrong."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from swiftlet_trainer.data.keys import Level, Seen

MAX_SHOWN = 10
"""Rows of a kind whose places are told."""


def printable(text: str) -> str:
    """The text of a message without halves of surrogate pairs, which no file or log takes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@dataclass
class Tally:
    """Counts of one data set. name: as the document names it, its URI."""

    name: str
    by_line: bool = True
    read: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    drops: list[str] = field(default_factory=list)
    problem_count: int = 0
    problems: list[str] = field(default_factory=list)
    unread: dict[tuple[Level, str], Seen] = field(default_factory=dict)

    def at(self, number: int) -> str:
        """`file:line`, or `file row number`."""
        return f"{self.name}:{number}" if self.by_line else f"{self.name} row {number}"

    def drop(self, number: int, reason: str, what: str) -> None:
        """Count a row that is left out by rule; the first of each reason are told."""
        self.dropped[reason] += 1
        if self.dropped[reason] <= MAX_SHOWN:
            self.drops.append(f"{self.at(number)}: dropped ({reason}): {printable(what)}")

    def problem(self, number: int, what: str) -> None:
        """Count a row that is wrong: the data set is refused."""
        self.problem_count += 1
        if self.problem_count <= MAX_SHOWN:
            self.problems.append(f"{self.at(number)}: {printable(what)}")

    def refuse(self, what: str) -> None:
        """The data set as a whole is refused."""
        self.problem_count += 1
        self.problems.append(f"{self.name}: {printable(what)}")

    def all_problems(self) -> list[str]:
        """The problems that were kept, and how many more there are."""
        rest = self.problem_count - len(self.problems)
        return self.problems + ([f"{self.name}: and {rest} more rows like these"] if rest > 0 else [])

    def notes(self) -> list[str]:
        """Rows that were left out, by line, and keys that nobody read: what the counts alone do not say."""
        shown = [
            f"{self.name}: and {count - MAX_SHOWN:,} more rows dropped ({reason})"
            for reason, count in sorted(self.dropped.items())
            if count > MAX_SHOWN
        ]
        return [*self.drops, *shown, *self._unread()]

    def _unread(self) -> Iterator[str]:
        for (level, key), seen in list(self.unread.items())[:MAX_SHOWN]:
            where = f"of a {level} " if level != "row" else ""
            what = f"key {printable(key)!r} {where}is not read ({seen.count:,} times)"
            yield f"{self.at(seen.first)}: {what}; if it means something, name it with columns or leave it out"
        if len(self.unread) > MAX_SHOWN:
            yield f"{self.name}: and {len(self.unread) - MAX_SHOWN} more keys that are not read"
