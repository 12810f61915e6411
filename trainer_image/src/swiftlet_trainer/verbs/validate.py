"""`validate`: check the document, the model and the data; write nothing."""

import sys
from typing import Any

from swiftlet.wire.documents import TrainDocument
from swiftlet.wire.messages import EXIT_OK

from swiftlet_trainer.document import load_document
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.models.tokenizers_alone import tokenizers_alone


def run(job_path: str) -> int:
    """Prints what became of the rows. Raises InvalidInput with every problem of the model and of the data."""
    tokenizers_alone()
    document = load_document(job_path, TrainDocument)
    sys.stdout.write("\n".join(checked(document)) + "\n")
    return EXIT_OK


def checked(document: TrainDocument) -> list[str]:
    """A summary for people, one line per data set and the places of rows that are left out. Raises InvalidInput."""
    import numpy as np

    from swiftlet_trainer.data.scan import scan
    from swiftlet_trainer.models.loading import load_tokenizer, model_folder
    from swiftlet_trainer.models.vocabulary import embedding_rows, id_problem
    from swiftlet_trainer.tasks.registry import target_notes
    from swiftlet_trainer.templates.end_token import end_warning

    document = with_model(document)
    tokens, largest, targets = [0] * len(document.datasets), [0], list[float]()

    def count(index: int, batch: list[Any]) -> None:
        tokens[index] += sum(len(row.input_ids) for row in batch)
        largest[0] = max([largest[0], *(max(row.input_ids) for row in batch)])
        if document.datasets[index].split == "train":
            targets.extend(one for row in batch for one in row.targets or ())

    tokenizer = load_tokenizer(document.model)
    warning = end_warning(model_folder(document.model), tokenizer) if document.task.learns_tokens else None
    lines = [f"model {document.model.uri}: {f'warning: {warning}' if warning else 'ok'}"]
    for tally, total in zip(scan(document, tokenizer, count), tokens, strict=True):
        dropped = sum(tally.dropped.values())
        lines.append(
            f"{tally.name}: {tally.read:,} rows read, {tally.kept:,} usable, {dropped:,} dropped, {total:,} tokens"
        )
        lines += [f"  {note}" for note in tally.notes()]
    if document.task.has_targets:
        lines += target_notes(document, np.array(targets, dtype=np.float32))
    if problem := id_problem(largest[0], embedding_rows(model_folder(document.model)), tokenizer):
        raise InvalidInput([f"model {document.model.uri}: {problem}"])
    return lines


def with_model(document: TrainDocument) -> TrainDocument:
    """The document with a model that can be read, where nothing may be written: the base of an adapter that is merged
    makes the same tokens of rows. Raises InvalidInput with every problem of the model, and of files that are missing.
    """
    from swiftlet_trainer.artifact.start import start_problems
    from swiftlet_trainer.models.loading import check_model, check_trainable

    if document.start and document.start.merge_into:
        document = document.model_copy(update={"model": document.start.merge_into})
    head = document.task.head
    problems = (
        check_model(document.model, chat=False) or check_trainable(document.model, head) or start_problems(document)
    )
    if problems:
        raise InvalidInput([*problems, *_missing_files(document)])
    return document


def _missing_files(document: TrainDocument) -> list[str]:
    """Without a tokenizer no row can be judged, but missing files can be told at once."""
    from swiftlet_trainer.data.readers import UnreadableFileError, read_rows
    from swiftlet_trainer.paths import in_pod

    problems = []
    for dataset in document.datasets:
        try:
            next(read_rows(in_pod(dataset.path)), None)
        except UnreadableFileError as error:
            problems.append(f"{dataset.uri}: {error}")
    return problems
