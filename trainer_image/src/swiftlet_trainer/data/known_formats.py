"""Which formats the rows of a task may have, and which of them a data set has."""

from collections.abc import Mapping
from typing import Any

from swiftlet.api.v1alpha1.dataset import Dataset

from swiftlet_trainer.data.channels import CHANNELLED
from swiftlet_trainer.data.examples import AnyExample, Shape
from swiftlet_trainer.data.formats import FORMATS, Format, detect, key_book, unused_columns
from swiftlet_trainer.data.judgements import JUDGEMENTS
from swiftlet_trainer.data.keys import KeyBook, RowError
from swiftlet_trainer.data.labelled import LABELLED
from swiftlet_trainer.data.preferences import MARGINS, PREFERENCES
from swiftlet_trainer.data.relevance import RELEVANCE

FORMATS_OF: Mapping[Shape, Mapping[str, Format[AnyExample]]] = {
    "example": FORMATS,
    "channelled": CHANNELLED,
    "preference": PREFERENCES,
    "judgement": {**JUDGEMENTS, **PREFERENCES},
    "margin": MARGINS,
    "relevance": RELEVANCE,
    "labelled": LABELLED,
}


def format_of(dataset: Dataset, row: dict[str, Any], shape: Shape) -> tuple[Format[AnyExample], KeyBook]:
    """The data set's format and what its keys mean, found from its first row when the document does not say.
    Raises RowError."""
    formats = FORMATS_OF[shape]
    if dataset.format != "auto" and dataset.format not in formats:
        raise RowError(f"format {dataset.format} is none that the task reads ({', '.join(formats)}); use auto")
    found = detect(row, dataset.columns, formats) if dataset.format == "auto" else formats[dataset.format]
    if unused := unused_columns(found, dataset.columns):
        raise RowError(f"columns.{unused[0]} has no meaning for format {found.name}; leave it out, or set format")
    return found, key_book(found, dataset.columns)
