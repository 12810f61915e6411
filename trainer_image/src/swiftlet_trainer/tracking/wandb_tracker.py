"""Weights & Biases: a run whose id is the resource's uid."""

from collections.abc import Sequence
from typing import Any

from swiftlet.api.v1alpha1.tracking import Wandb

from swiftlet_trainer.tracking.tracked_run import Ending, Point, TrackedRun

INIT_SECONDS = 20
QUIET = {
    **dict.fromkeys(("x_disable_stats", "x_disable_meta", "disable_git", "disable_code", "silent"), True),
    "x_save_requirements": False,
    "console": "off",
}
"""Of the machine, its packages, its code and what is printed nothing leaves the pod."""
LONGEST_TAG = 64
"""Characters of a tag. Source: W&B, wandb.init."""


class WandbRun:
    """A run that later attempts go on with; offline, a folder for each attempt, which `wandb sync` puts together."""

    def __init__(self, settings: Wandb) -> None:
        self._settings = settings
        self._run: Any = None

    def open(self, run: TrackedRun) -> str:
        import wandb

        asked = self._settings
        address = {"base_url": asked.base_url} if asked.base_url else {}
        settings = wandb.Settings(**QUIET, **address, init_timeout=INIT_SECONDS)
        self._run = wandb.init(
            project=asked.project,
            entity=asked.entity,
            name=run.name,
            id=run.uid,
            resume="allow",
            mode=asked.mode,
            dir=str(run.folder),
            config={**run.settings, **run.tags},
            tags=[value[:LONGEST_TAG] for value in run.tags.values() if value],
            settings=settings,
        )
        return (asked.mode == "online" and self._run.url) or f"offline in {run.folder / 'wandb'}, for `wandb sync`"

    def log(self, points: Sequence[Point]) -> None:
        for point in points:
            self._run.log({**point.figures, "_timestamp": point.time}, step=point.step)

    def close(self, ending: Ending) -> None:
        self._run.finish(exit_code=0 if ending == Ending.FINISHED else 1)


def tracker(settings: Wandb) -> WandbRun:
    """A run as `settings` ask for it."""
    return WandbRun(settings)
