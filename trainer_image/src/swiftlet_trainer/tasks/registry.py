"""Finds the parts of a task by the name of its block: they lie in swiftlet_trainer.tasks.<name>.

rows.py  what its rows hold and what of them is learnt, and what is said of their targets; imported by `prepare`, which
         needs no torch
task.py  its loss and figures
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from swiftlet.wire.documents import TrainDocument

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from swiftlet_trainer.data.encode import TaskRows
    from swiftlet_trainer.tasks.base import Task
    from swiftlet_trainer.templates.segments import Segments


def rows_of(document: TrainDocument, tokenizer: Any, segments: "Segments") -> "TaskRows":
    """What the document's task makes of examples."""
    made: TaskRows = _module(document, "rows").rows(document, tokenizer, segments)
    return made


def target_notes(document: TrainDocument, targets: "NDArray[np.float32]") -> list[str]:
    """What the user should know of the targets of the training rows, one after the other, of a task that has them.
    Raises InvalidInput for those that nothing can be learnt from."""
    notes: list[str] = _module(document, "rows").target_notes(document, targets)
    return notes


def task_of(document: TrainDocument) -> "Task":
    """The document's task, as the trainer sees it."""
    made: Task = _module(document, "task").task(document)
    return made


def _module(document: TrainDocument, part: str) -> Any:
    """Of the task whose block the document has; there is exactly one."""
    return import_module(f"swiftlet_trainer.tasks.{document.task.name}.{part}")
