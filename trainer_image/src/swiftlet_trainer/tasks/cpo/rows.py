"""Rows are pairs of answers."""

from swiftlet_trainer.tasks.preference.rows import rows

__all__ = ["rows"]
