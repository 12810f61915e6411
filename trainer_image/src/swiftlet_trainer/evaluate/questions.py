"""A suite's file as questions."""

from dataclasses import dataclass

from swiftlet.api.v1alpha1.suites import SUITE_NAMES
from swiftlet.wire.documents import ResolvedSuite

from swiftlet_trainer.data.readers import BadRow, UnreadableFileError, is_numbered_by_line, read_rows
from swiftlet_trainer.data.tally import printable
from swiftlet_trainer.evaluate.rows import Row, UnusableRowError, filled, parse_row
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.paths import in_pod


@dataclass(frozen=True)
class Question:
    """A row and the place it came from."""

    place: str
    row: Row


def read_questions(suites: list[ResolvedSuite]) -> dict[str, list[Question]]:
    """The questions of every suite, by its name. Raises InvalidInput with all problems of all files."""
    found: dict[str, list[Question]] = {}
    problems: list[str] = []
    for suite in suites:
        try:
            found[suite.name] = _questions(suite)
        except InvalidInput as error:
            problems += error.problems
    if problems:
        raise InvalidInput(problems)
    return found


def source_uri(suite: ResolvedSuite) -> str:
    """The URI that the document gave the suite's file."""
    uri: str = next(block.uri for name in SUITE_NAMES if (block := getattr(suite, name)))
    return uri


def _questions(suite: ResolvedSuite) -> list[Question]:
    file = in_pod(suite.path)
    where = f"suite {suite.name}: {source_uri(suite)}"
    unit = "line" if is_numbered_by_line(file) else "row"
    questions: list[Question] = []
    problems: list[str] = []
    try:
        for row in read_rows(file):
            if suite.limit is not None and len(questions) + len(problems) >= suite.limit:
                break
            place = f"{where}, {unit} {row.number}"
            if isinstance(row, BadRow):
                problems.append(f"{place}: {printable(row.problem)}")
                continue
            try:
                questions.append(Question(place, parse_row(suite, filled(row.columns, suite.placeholders))))
            except UnusableRowError as error:
                problems.append(f"{place}: {printable(str(error))}")
    except UnreadableFileError as error:
        problems.append(f"{where}: {error}")
    if problems:
        raise InvalidInput(problems)
    return questions
