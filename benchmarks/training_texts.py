"""What `prepare` made of the rows of a method, as texts of the very same tokens for the peers, which take no tokens."""

import json
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

from training_rows import JOB

Sequence = tuple[list[int], list[int]]
"""Token ids and labels."""
Told = Callable[[list[int]], str]


def write_texts(method: str, file: Path) -> int:
    """Write the rows that `prepare` left for this process's pod as JSON lines; the tokens that `method` has to process.

    Those are the prompt with each of its answers, or each text, once; not what KTO takes answers to other prompts for,
    nor what a reference says.
    """
    from swiftlet.wire.documents import TrainDocument
    from swiftlet_trainer.data.prepared import open_prepared
    from swiftlet_trainer.document import load_document
    from swiftlet_trainer.models.loading import load_tokenizer

    document = load_document(JOB, TrainDocument)
    tokenizer = load_tokenizer(document.model)
    rows = [(sequences_of(method, row), row) for row in open_prepared(document).train]
    told = [SHAPES[method](sequences, row, tokenizer.decode) for sequences, row in rows]
    file.write_text("".join(json.dumps(row) + "\n" for row in told))
    return sum(len(ids) for sequences, _ in rows for ids, _ in sequences)


def sequences_of(method: str, row: dict[str, Any]) -> list[Sequence]:
    """What `method` learns from a row. Where it learns answers, what follows their last token does nothing, and peers
    would end it once more."""
    found = list(_sequences(row))
    if method == "kto":
        found = found[:1]
    return [_ended(sequence) for sequence in found] if SHAPES[method] in (pair, judged) else found


def _ended(sequence: Sequence) -> Sequence:
    ids, labels = sequence
    end = max(place for place, label in enumerate(labels) if label >= 0) + 1
    return ids[:end], labels[:end]


def _sequences(row: dict[str, Any]) -> Iterator[Sequence]:
    lengths = row.get("seq_lengths") or [len(row["input_ids"])]
    for length, end in zip(lengths, accumulate(lengths), strict=True):
        yield row["input_ids"][end - length : end], row["labels"][end - length : end]


def _split(sequence: Sequence, told: Told) -> tuple[str, str]:
    """Prompt and answer: from the first label on."""
    ids, labels = sequence
    first = next(place for place, label in enumerate(labels) if label >= 0)
    return told(ids[:first]), told(ids[first:])


def pair(sequences: list[Sequence], _row: dict[str, Any], told: Told) -> dict[str, Any]:
    """Two answers to a prompt."""
    (prompt, chosen), (_, rejected) = (_split(sequence, told) for sequence in sequences)
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected}


def whole_pair(sequences: list[Sequence], _row: dict[str, Any], told: Told) -> dict[str, Any]:
    """Two conversations."""
    chosen, rejected = (told(ids) for ids, _ in sequences)
    return {"chosen": chosen, "rejected": rejected}


def judged(sequences: list[Sequence], row: dict[str, Any], told: Told) -> dict[str, Any]:
    """An answer and whether it is good."""
    prompt, completion = _split(sequences[0], told)
    return {"prompt": prompt, "completion": completion, "label": bool(row["targets"][0])}


def close(sequences: list[Sequence], _row: dict[str, Any], told: Told) -> dict[str, Any]:
    """A text and one that is close to it."""
    anchor, positive = (told(ids) for ids, _ in sequences)
    return {"anchor": anchor, "positive": positive}


SHAPES = {"dpo": pair, "orpo": pair, "rm": whole_pair, "kto": judged, "embedding": close}
"""How a row of each method is told."""
