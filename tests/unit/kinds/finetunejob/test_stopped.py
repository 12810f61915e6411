"""What the status says of a run that is stopped: by suspend, between attempts, and with its Job deleted."""

from typing import Any

import pytest
from swiftlet.kinds.frame.progress import merge

FIGURES = {
    "type": "progress",
    "time": "t",
    "step": 25,
    "totalSteps": 100,
    "percent": 25,
    "etaSeconds": 70,
    "loss": "0.8",
}
CHECKPOINT = {"type": "checkpoint", "time": "t", "step": 25}
LAST_WORD = {"type": "progress", "time": "t", "percent": 100, "etaSeconds": 0}
"""What transformers' callback posts whenever training ends, as pods of release 0.1.0 do."""


@pytest.fixture
def run(world: Any, documents: Any) -> Any:
    """A run at step 25 of 100."""
    world.data()
    resource = world.add(documents["FineTuneJob"])
    world.reconcile("FineTuneJob")
    world.job_runs("bird-train-0")
    world.reported[resource["metadata"]["uid"]] = merge([FIGURES])
    world.reconcile("FineTuneJob")
    assert world.status("FineTuneJob")["progress"]["etaSeconds"] == 70
    world.reported[resource["metadata"]["uid"]] = merge([FIGURES, CHECKPOINT, LAST_WORD])
    return world


def _without_pods(world: Any) -> None:
    for key in [key for key in world.objects if key[0] == "Pod"]:
        del world.objects[key]


def _suspended(world: Any) -> str:
    world.objects["FineTuneJob", "default", "bird"]["spec"]["suspend"] = True
    world.reconcile("FineTuneJob")
    _without_pods(world)
    held = [{"type": "Suspended", "status": "True", "lastTransitionTime": "2026-01-01T12:00:00Z"}]
    world.objects["Job", "default", "bird-train-0"]["status"] = {"active": 0, "conditions": held}
    return "Suspended"


def _taken_away(world: Any) -> str:
    evicted = [{"type": "DisruptionTarget", "status": "True"}]
    world.pod_dies("bird-train-0", 143, "", conditions=evicted)
    world.job_fails("bird-train-0", "PodFailurePolicy", "has condition DisruptionTarget")
    return "BackingOff"


def _without_its_job(world: Any) -> str:
    _without_pods(world)
    del world.objects["Job", "default", "bird-train-0"]
    return "JobCreating"


@pytest.mark.parametrize("stop", [_suspended, _taken_away, _without_its_job])
def test_a_stopped_run_is_where_it_was_stopped(run: Any, stop: Any) -> None:
    reason = stop(run)
    run.reconcile("FineTuneJob")
    assert run.condition("FineTuneJob", "Succeeded")[:2] == ("Unknown", reason)
    progress = run.status("FineTuneJob")["progress"]
    assert progress == {"step": 25, "totalSteps": 100, "percent": 25, "loss": "0.8", "checkpointStep": 25}


def test_a_new_leader_that_has_heard_nothing_says_the_same(run: Any) -> None:
    _suspended(run)
    run.reconcile("FineTuneJob")
    before = run.status("FineTuneJob")
    run.reported.clear()
    run.reconcile("FineTuneJob")
    assert run.status("FineTuneJob") == before
