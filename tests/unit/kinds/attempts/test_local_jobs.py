"""The same attempts under the Job controller of `swiftlet run`: what it says of a pod's end leads to the same."""

from datetime import UTC, datetime
from typing import Any

import pytest
from swiftlet.kinds.conditions.timestamps import to_text
from swiftlet.kinds.observing.observed import pods_of
from swiftlet.local.job_controller import decide
from swiftlet.local.lostpods import lost_status
from swiftlet.local.podstatus import with_times

ZERO = {"user": 0, "infrastructure": 0}


def control(world: Any, name: str) -> None:
    """One turn of the Job controller."""
    job = world.objects["Job", "default", name]
    decision = decide(job, pods_of(world.objects.values(), job), world.now)
    job["status"] = decision.status
    for pod in decision.create:
        running = {"name": pod["spec"]["containers"][0]["name"], "restartCount": 0}
        running["state"] = {"running": {"startedAt": to_text(world.now)}}
        world.put({**pod, "status": {"phase": "Running", "containerStatuses": [running]}})


def end(world: Any, name: str, how: str) -> None:
    (pod,) = pods_of(world.objects.values(), world.objects["Job", "default", name])
    stored = world.objects["Pod", "default", pod["metadata"]["name"]]
    if how == "the engine was killed":
        stored["status"] = lost_status(stored)
        return
    code = {"asked to stop": 143, "an error": 1, "bad input": 2}[how]
    ended = {"terminated": {"exitCode": code, "reason": "Error", "finishedAt": to_text(world.now), "message": how}}
    (container,) = stored["status"]["containerStatuses"]
    stored["status"] = {"phase": "Failed", "containerStatuses": [{**container, "state": ended}]}
    if how == "asked to stop":
        drained = {"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet", "message": how}
        stored["status"]["conditions"] = with_times([drained], [])


@pytest.mark.parametrize(("kind", "first"), [("FineTuneJob", "bird-train-0"), ("EvalRun", "bird-eval")])
@pytest.mark.parametrize(
    ("how", "restarts", "ending"),
    [
        ("the engine was killed", {**ZERO, "infrastructure": 1, "infrastructureRecent": 1}, None),
        ("asked to stop", {**ZERO, "infrastructure": 1, "infrastructureRecent": 1}, None),
        ("an error", ZERO, "BackoffLimitExceeded"),
        ("bad input", ZERO, "InvalidInput"),
    ],
)
def test_ends_of_pods(
    world: Any, documents: Any, kind: str, first: str, how: str, restarts: dict[str, int], ending: str | None
) -> None:
    world.now = datetime.now(UTC)  # by which the local runtime stamps conditions
    if kind == "EvalRun":
        world.trained()
    world.add(documents[kind], backoffLimit=0)
    world.reconcile(kind)
    control(world, first)
    world.reconcile(kind)
    end(world, first, how)
    control(world, first)
    world.reconcile(kind)
    world.pass_time(3600)
    world.reconcile(kind)
    assert world.status(kind)["restarts"] == restarts
    if ending:
        assert world.condition(kind, "Succeeded")[:2] == ("False", ending)
        return
    (second,) = {name for made, _, name in world.objects if made == "Job"} - {first}
    control(world, second)
    world.reconcile(kind)
    assert world.condition(kind, "Running")[:2] == ("True", {"EvalRun": "Evaluating"}.get(kind, "Training"))
