"""Finds the parts of a task by the name of its block: they lie in swiftlet_trainer.tasks.<name>.

rows.py  what its rows hold and what of them is learnt; imported by `prepare`, which needs no torch
task.py  its loss and figures
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from swiftlet.wire.documents import TrainDocument

if TYPE_CHECKING:
    from swiftlet_trainer.data.encode import TaskRows
    from swiftlet_trainer.tasks.base import Task
    from swiftlet_trainer.templates.segments import Segments


def rows_of(document: TrainDocument, tokenizer: Any, segments: "Segments") -> "TaskRows":
    """What the document's task makes of examples."""
    made: TaskRows = _module(document, "rows").rows(document, tokenizer, segments)
    return made


def task_of(document: TrainDocument) -> "Task":
    """The document's task, as the trainer sees it."""
    made: Task = _module(document, "task").task(document)
    return made


def _module(document: TrainDocument, part: str) -> Any:
    """Of the task whose block the document has; there is exactly one."""
    return import_module(f"swiftlet_trainer.tasks.{document.task.name}.{part}")
