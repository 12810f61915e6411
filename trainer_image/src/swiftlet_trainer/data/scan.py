"""One pass over all data sets of a document: every row checked, tokenized and counted."""

import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from swiftlet.api.v1alpha1.finetunejob_status import DatasetCounts
from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.data.channels import Channels, dataset_channels
from swiftlet_trainer.data.encode import Encoded, Encoder
from swiftlet_trainer.data.tally import Tally
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.models.context import context_length
from swiftlet_trainer.models.loading import model_folder
from swiftlet_trainer.paths import in_pod
from swiftlet_trainer.progress import Reporter
from swiftlet_trainer.tasks.registry import rows_of
from swiftlet_trainer.templates.segments import Segments

REPORT_SECONDS = 5.0
"""Between two reports of how far it is."""

Sink = Callable[[int, list[Encoded]], None]
"""Takes a batch of rows of the data set with the given index."""


def scan(document: TrainDocument, tokenizer: Any, sink: Sink, channels: Channels | None = None) -> list[Tally]:
    """Read all data sets and hand their tokenized rows to `sink`; returns one tally per data set.

    channels: takes those that rows are of, where the task asks.

    Raises InvalidInput with every problem: of the rows (the first ten of each data set), and of data sets of which
    nothing is left.
    """
    encoder = encoder_of(document, tokenizer, Segments(tokenizer), channels)
    names = dataset_channels([one.uri for one in document.datasets])
    reporter, reported = Reporter(), time.monotonic()
    tallies = []
    for index, dataset in enumerate(document.datasets):
        tally = Tally(dataset.uri)
        tallies.append(tally)
        for batch in encoder.encode(dataset, in_pod(dataset.path), tally, names[index]):
            sink(index, batch)
            if time.monotonic() - reported > REPORT_SECONDS:
                reported = time.monotonic()
                read = sum(one.read for one in tallies)
                reporter.emit(type="phase", message=f"preparing data: {read:,} rows read")
    for warning in encoder.warnings:
        reporter.emit(type="phase", message=f"warning: {warning}")
    problems = [problem for tally in tallies for problem in _problems(tally)]
    if problems:
        tell(note for tally in tallies for note in tally.notes())
        raise InvalidInput(problems, counts(tallies))
    return tallies


def encoder_of(
    document: TrainDocument, tokenizer: Any, segments: Segments, channels: Channels | None = None
) -> Encoder:
    """What makes tokens of the document's rows. segments: those of the tokenizer."""
    context, rows = context_length(model_folder(document.model)), rows_of(document, tokenizer, segments)
    return Encoder(rows, segments, document.template, context, document.task.learns_tokens, channels)


def tell(notes: Iterable[str]) -> None:
    """What became of rows, by line, in the log: `swiftlet logs ftj/NAME -c prepare` shows it."""
    sys.stdout.writelines(f"{note}\n" for note in notes)
    sys.stdout.flush()


def counts(tallies: list[Tally], used: int = 0, eval_rows: int = 0, tokens: int = 0) -> DatasetCounts:
    """Counts over all data sets. used and tokens are per epoch, rows that are repeated counted as often; each piece of
    a long text is a row that is used."""
    dropped: dict[str, int] = {}
    for tally in tallies:
        for reason, number in tally.dropped.items():
            dropped[reason] = dropped.get(reason, 0) + number
    return DatasetCounts(
        read=sum(tally.read for tally in tallies), used=used, eval_rows=eval_rows, tokens=tokens, dropped=dropped
    )


def _problems(tally: Tally) -> list[str]:
    """The data set's problems; when all its rows were dropped, that is one."""
    if tally.problem_count or tally.kept:
        return tally.all_problems()
    reasons = ", ".join(f"{number} {reason}" for reason, number in sorted(tally.dropped.items()))
    first = tally.drops[0] if tally.drops else ""
    return [f"{tally.name}: none of its {tally.read} rows is left ({reasons}); {first}"]
