"""SwanLab: a run whose id is the resource's uid."""

from collections.abc import Sequence
from typing import Any

from swiftlet.api.v1alpha1.tracking import SwanLab

from swiftlet_trainer.tracking.tracked_run import Ending, Point, TrackedRun

LOGIN_SECONDS = 10
FOLDER = "swanlab"
QUIET = {
    "interactive": False,
    "terminal": {"proxy_type": "none"},
    "probe": dict.fromkeys(("hardware", "runtime", "requirements", "git", "monitor"), False),
}
"""Of the machine, its packages and what is printed nothing leaves the pod."""
STATE = {Ending.FINISHED: "success", Ending.FAILED: "crashed", Ending.STOPPED: "aborted"}


class SwanLabRun:
    """A run that later attempts go on with; offline, a folder for each attempt, which `swanlab sync` puts together."""

    def __init__(self, settings: SwanLab) -> None:
        self._settings = settings
        self._run: Any = None

    def open(self, run: TrackedRun) -> str:
        import os

        import swanlab

        asked = self._settings
        if asked.mode == "online":
            swanlab.login(api_key=os.environ["SWANLAB_API_KEY"], host=asked.host, timeout=LOGIN_SECONDS)
        self._run = swanlab.init(
            project=asked.project,
            workspace=asked.workspace,
            name=run.name,
            id=run.uid.replace("-", ""),
            resume="allow",
            mode=asked.mode,
            log_dir=str(run.folder / FOLDER),
            config={**run.settings, **run.tags},
            tags=[value for value in run.tags.values() if value],
            settings=swanlab.Settings(**QUIET),
        )
        return (asked.mode == "online" and self._run.url) or f"offline in {run.folder / FOLDER}, for `swanlab sync`"

    def log(self, points: Sequence[Point]) -> None:
        for point in points:
            self._run.log(dict(point.figures), step=point.step)

    def close(self, ending: Ending) -> None:
        self._run.finish(state=STATE[ending])


def tracker(settings: SwanLab) -> SwanLabRun:
    """A run as `settings` ask for it."""
    return SwanLabRun(settings)
