"""MLflow: a run on a server, which is found again by the resource's uid."""

import os
import re
from collections.abc import Sequence
from typing import Any

from swiftlet.api.v1alpha1.tracking import MLflow

from swiftlet_trainer.tracking.tracked_run import Ending, Point, TrackedRun

BOUNDS = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "10", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
"""Seconds for one request and tries: whoever follows the run tries again by itself."""
MOST_METRICS, MOST_SETTINGS = 1000, 100
"""Of one request. Source: MLflow's REST API, runs/log-batch."""
LONGEST_SETTING = 6000
"""Characters of a parameter's value. Source: as above."""
NOT_IN_NAMES = re.compile(r"[^\w\-. /]", re.ASCII)
"""What a metric may not be called. Source: MLflow, utils/validation.py."""
UID_TAG = "swiftlet.uid"
STATUS = {Ending.FINISHED: "FINISHED", Ending.FAILED: "FAILED", Ending.STOPPED: "KILLED"}


class MLflowRun:
    """A run that later attempts go on with."""

    def __init__(self, settings: MLflow) -> None:
        self._settings = settings
        self._client: Any = None
        self._run = ""

    def open(self, run: TrackedRun) -> str:
        for name, value in BOUNDS.items():
            os.environ.setdefault(name, value)
        from mlflow import MlflowClient
        from mlflow.entities import Param

        self._client = MlflowClient(tracking_uri=self._settings.tracking_uri)
        experiment = self._experiment()
        found = self._client.search_runs([experiment], f"tags.`{UID_TAG}` = '{run.uid}'", max_results=1)
        tags = {**run.tags, UID_TAG: run.uid}
        made = found[0] if found else self._client.create_run(experiment, run_name=run.name, tags=tags)
        self._run = made.info.run_id
        if found:
            self._client.update_run(self._run, status="RUNNING")
        else:
            params = [Param(name, value[:LONGEST_SETTING]) for name, value in run.settings.items()]
            for start in range(0, len(params), MOST_SETTINGS):
                self._client.log_batch(self._run, params=params[start : start + MOST_SETTINGS])
        return f"{self._settings.tracking_uri.rstrip('/')}/#/experiments/{experiment}/runs/{self._run}"

    def _experiment(self) -> str:
        """Id of the experiment. Several runs may begin at once, of which one makes it."""
        from mlflow.exceptions import MlflowException

        name = self._settings.experiment
        if found := self._client.get_experiment_by_name(name):
            return str(found.experiment_id)
        try:
            return str(self._client.create_experiment(name))
        except MlflowException:
            if found := self._client.get_experiment_by_name(name):
                return str(found.experiment_id)
            raise

    def log(self, points: Sequence[Point]) -> None:
        from mlflow.entities import Metric

        metrics = [
            Metric(NOT_IN_NAMES.sub("_", name), value, int(1000 * point.time), point.step)
            for point in points
            for name, value in point.figures.items()
        ]
        for start in range(0, len(metrics), MOST_METRICS):
            self._client.log_batch(self._run, metrics=metrics[start : start + MOST_METRICS])

    def close(self, ending: Ending) -> None:
        self._client.set_terminated(self._run, STATUS[ending])


def tracker(settings: MLflow) -> MLflowRun:
    """A run as `settings` ask for it."""
    return MLflowRun(settings)
