"""TensorBoard: event files in the run's folder. tensorboardX writes them without TensorBoard's own server."""

import time
from collections.abc import Sequence
from typing import Any

from swiftlet.api.v1alpha1.tracking import TensorBoard

from swiftlet_trainer.tracking.tracked_run import Ending, Point, TrackedRun

FOLDER = "tensorboard"


class TensorBoardFiles:
    """One file for each attempt; TensorBoard shows them as one run."""

    def __init__(self) -> None:
        self._writer: Any = None

    def open(self, run: TrackedRun) -> str:
        from tensorboardX import SummaryWriter

        self._writer = SummaryWriter(str(run.folder / FOLDER), filename_suffix=f".{time.time_ns()}")
        self._writer.add_text("run", "  \n".join(f"{key}: {value}" for key, value in run.tags.items()))
        return f"files in {run.folder / FOLDER}"

    def log(self, points: Sequence[Point]) -> None:
        for point in points:
            for name, value in point.figures.items():
                self._writer.add_scalar(name, value, point.step, walltime=point.time)
        self._writer.flush()

    def close(self, ending: Ending) -> None:
        self._writer.close()


def tracker(settings: TensorBoard) -> TensorBoardFiles:
    """TensorBoard has no settings."""
    return TensorBoardFiles()
