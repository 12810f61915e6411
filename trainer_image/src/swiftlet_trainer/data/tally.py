"""What became of the rows of one data set, with the places of those that were left out or are wrong."""

from collections import Counter
from dataclasses import dataclass, field

MAX_SHOWN = 10
"""Rows of a kind whose places are told."""


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

    def at(self, number: int) -> str:
        """`file:line`, or `file row number`."""
        return f"{self.name}:{number}" if self.by_line else f"{self.name} row {number}"

    def drop(self, number: int, reason: str, what: str) -> None:
        """Count a row that is left out by rule; the first of each reason are told."""
        self.dropped[reason] += 1
        if self.dropped[reason] <= MAX_SHOWN:
            self.drops.append(f"{self.at(number)}: dropped ({reason}): {what}")

    def problem(self, number: int, what: str) -> None:
        """Count a row that is wrong: the data set is refused."""
        self.problem_count += 1
        if self.problem_count <= MAX_SHOWN:
            self.problems.append(f"{self.at(number)}: {what}")

    def refuse(self, what: str) -> None:
        """The data set as a whole is refused."""
        self.problem_count += 1
        self.problems.append(f"{self.name}: {what}")

    def all_problems(self) -> list[str]:
        """The problems that were kept, and how many more there are."""
        rest = self.problem_count - len(self.problems)
        return self.problems + ([f"{self.name}: and {rest} more rows like these"] if rest > 0 else [])
