"""Rows of a text and what it is labelled with, in the shapes that transformers and ms-swift read."""

import math
from collections.abc import Sequence
from typing import Any

from swiftlet_trainer.data.examples import Labelled
from swiftlet_trainer.data.formats import FORMATS, Format, RowView
from swiftlet_trainer.data.json_values import JsonValueError, decoded
from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.data.shown import shown

LABEL = ("label", "labels")
TEXT = ("text", "sentence")
SHAPES = ("messages", "sharegpt", "text")
"""Formats of the text; what is asked and answered is no text alone."""


def _labelled(base: Format[Any]) -> Format[Labelled]:
    def convert(view: RowView) -> Labelled:
        return Labelled(base.convert(view), view.needed("label"))

    columns = {name: TEXT if name == "text" else names for name, names in base.columns.items()}
    return Format(base.name, {**columns, "label": LABEL}, (*base.required, "label"), convert)


LABELLED: dict[str, Format[Labelled]] = {name: _labelled(FORMATS[name]) for name in SHAPES}
"""What tasks that learn labels of texts read."""


def targets_of(value: Any, names: Sequence[str], problem_type: str) -> tuple[float, ...]:
    """What is to come out for a row's label, by the kind of problem as transformers names it: the id of a class; 1 or 0
    for each class; figures. Raises RowError for a label that is none of `names`, by name or id."""
    if isinstance(value, str) and value not in names:
        try:  # as CSV has them
            value = decoded(value)
        except JsonValueError:
            raise RowError(_unknown(value, names)) from None
    if problem_type == "regression":
        return _figures(value, names)
    several = list(value) if isinstance(value, list | tuple) else [value]
    if problem_type == "single_label_classification":
        if len(several) != 1:
            raise RowError(f"label is {shown(value)}; give one class, or set problemType: multi_label_classification")
        return (float(_id(several[0], names)),)
    if len(several) == len(names) and all(isinstance(one, float) and one in (0.0, 1.0) for one in several):
        return tuple(several)  # one of each class, as transformers takes them
    ids = {_id(one, names) for one in several}
    return tuple(float(number in ids) for number in range(len(names)))


def _figures(value: Any, names: Sequence[str]) -> tuple[float, ...]:
    found = list(value) if isinstance(value, list | tuple) else [value]
    if any(isinstance(one, bool) or not isinstance(one, int | float) or not math.isfinite(one) for one in found):
        raise RowError(f"label is {shown(value)}; give a number")
    if len(found) != len(names):
        raise RowError(f"label has {len(found)} numbers for {len(names)} figures ({_known(names)}); give one for each")
    return tuple(float(one) for one in found)


def _id(value: Any, names: Sequence[str]) -> int:
    """Of a class, by its name or number."""
    if isinstance(value, str) and value in names:
        return names.index(value)
    number = int(value) if isinstance(value, bool | int) or (isinstance(value, float) and value.is_integer()) else -1
    if not 0 <= number < len(names):
        raise RowError(_unknown(value, names))
    return number


def _unknown(value: Any, names: Sequence[str]) -> str:
    return f"label is {shown(value)}; known are {_known(names)}, or 0 to {len(names) - 1}: correct it, or set labels"


def _known(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
