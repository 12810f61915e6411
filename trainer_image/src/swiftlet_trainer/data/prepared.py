"""Prepared data: tokenized once, kept below the run's folder, opened by every process as a memory map.

<outputDir>/data/<key>/rows.arrow      every usable row of every data set: input_ids, labels, length, dataset; where
                                       a row is a group of sequences, seq_lengths and group_sizes; where rows say
                                       what is to come out for them, or are told apart by channels, targets; where
                                       any label counts otherwise than once, weights
                       train.npy       row numbers of one epoch, in the order of the data sets
                       eval.npy        row numbers held out; absent when there are none
                       packed.arrow    instead of train.npy with packing: input_ids, labels, length, seq_lengths and,
                                       of groups, group_sizes; targets and weights
                       reference-….safetensors   what the model said of rows before it was trained, where asked
                       prepared.json   counts, digest, channels, and notes on rows by line
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from datasets import Dataset
from swiftlet.api.v1alpha1.finetunejob_status import DatasetCounts
from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.data.digest import preparation_key
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.paths import in_pod


@dataclass(frozen=True)
class PreparedData:
    """Tokens to train on.

    train: one epoch; columns input_ids and labels (int32, -100 where nothing is learnt), length, dataset (index in the
    document); weights of the labels, fp32, where any is neither 0 nor 1; with packing seq_lengths (tokens of each row
    in the sequence, in order) instead of dataset.
    eval: rows held out, never packed; None when there are none. channels: names of what rows are told apart by, which
    targets count; none where the task does not ask. notes: rows that were left out and keys that nobody
    read, by line.
    """

    train: Dataset
    eval: Dataset | None
    channels: tuple[str, ...]
    counts: DatasetCounts
    digest: str
    notes: list[str]
    folder: Path

    def largest_id(self) -> int:
        """The largest token id of all rows, those held out included; 0 without rows."""
        chunks = Dataset.from_file(str(self.folder / "rows.arrow")).data.column("input_ids").chunks
        return max((int(chunk.flatten().to_numpy().max(initial=0)) for chunk in chunks), default=0)


def open_prepared(document: TrainDocument) -> PreparedData:
    """What `prepare` left for this document. Raises InvalidInput when it has not run on the very same input."""
    folder = prepared_folder(document)
    if not folder.exists():
        raise InvalidInput([f"{folder}: the data is not prepared; run `swiftlet_trainer prepare` on the same document"])
    return opened(folder)


def prepared_folder(document: TrainDocument) -> Path:
    """Where the document's prepared data lies, or will; the same input gives the same folder."""
    return in_pod(document.output_dir) / "data" / preparation_key(document)


def opened(folder: Path) -> PreparedData:
    """The prepared data in `folder`, as memory maps."""
    about = json.loads((folder / "prepared.json").read_text())
    rows = Dataset.from_file(str(folder / "rows.arrow"))
    packed, held = folder / "packed.arrow", folder / "eval.npy"
    return PreparedData(
        train=Dataset.from_file(str(packed)) if packed.exists() else rows.select(np.load(folder / "train.npy")),
        eval=rows.select(np.load(held)) if held.exists() else None,
        channels=tuple(about.get("channels", ())),
        counts=DatasetCounts.model_validate(about["counts"]),
        digest=about["digest"],
        notes=about["notes"],
        folder=folder,
    )
