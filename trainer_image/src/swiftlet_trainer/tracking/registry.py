"""Finds a tracker by its name in training.reportTo: it lies in swiftlet_trainer.tracking.<name>_tracker, which imports
the tracker's own client when it opens a run."""

from importlib import import_module

from swiftlet.api.v1alpha1.tracking import ReportTo

from swiftlet_trainer.tracking.tracked_run import Tracker


def tracker_of(report_to: ReportTo, name: str) -> Tracker:
    """The tracker `name`, as the document asks for it."""
    module = import_module(f"swiftlet_trainer.tracking.{name}_tracker")
    made: Tracker = module.tracker(getattr(report_to, name))
    return made
