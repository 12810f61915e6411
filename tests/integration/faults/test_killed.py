"""The operator is killed at every point of a FineTuneJob's life: before and after each of its writes.

The points are enumerated from a life without faults, not sampled.
"""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from queue import SimpleQueue
from typing import Any, Literal

import pytest
from testbed.faults import Drop, Fault
from testbed.scene import Scene

Object = dict[str, Any]
SCENES = 3
"""Lives that are lived at the same time."""

EVENTS_OF_STEPS = ({"PodCannotStart"}, {"Started"}, {"Succeeded"})
"""Events wait in memory to be written, so a death swallows those of the step that it came in, and no others."""


@dataclass(frozen=True)
class Life:
    """What is left of a FineTuneJob that has been trained."""

    status: Object
    children: tuple[tuple[str, str], ...]
    reasons: frozenset[str]
    """Of its events."""
    told_again: tuple[str, ...]
    generations: tuple[int, ...]
    """Of its Jobs: more than 1 would mean that one was changed after it was made."""


def _live(scene: Scene, document: Object) -> Life:
    """Create a FineTuneJob and take it through its life, one step after the other."""
    name = document["metadata"]["name"]
    uid = scene.create(document)["metadata"]["uid"]
    scene.wait_condition("FineTuneJob", name, "Succeeded", "Unknown", "Unschedulable")
    scene.start_pods(uid)
    scene.wait_condition("FineTuneJob", name, "Running", "True")
    scene.wait_quiet()
    scene.end_pods(uid)
    scene.wait_condition("FineTuneJob", name, "Succeeded", "True", "Trained")
    scene.wait_quiet()
    jobs = scene.batch.list_namespaced_job(scene.namespace, label_selector=f"swiftlet.dev/owner-uid={uid}").items
    return Life(
        _timeless(scene.get("FineTuneJob", name)["status"], name),
        tuple((kind, child.replace(name, "NAME")) for kind, child in scene.children(uid)),
        frozenset(scene.reasons(name)),
        tuple(scene.told_again(name)),
        tuple(job.metadata.generation for job in jobs),
    )


def _timeless(value: Any, name: str) -> Any:
    """A status without times and names of its own."""
    if isinstance(value, dict):
        return {key: _timeless(item, name) for key, item in value.items() if not key.endswith(("Time", "Seconds"))}
    if isinstance(value, list):
        return [_timeless(item, name) for item in value]
    return re.sub(rf"{name}(-[a-z0-9]{{5}})?", "NAME", value) if isinstance(value, str) else value


def _differences(life: Life, undisturbed: Life) -> list[str]:
    """In what a life ended otherwise. An Event is told once or, when a death came between, not at all."""
    found = [
        f"{part}: {getattr(life, part)} instead of {getattr(undisturbed, part)}"
        for part in ("status", "children", "generations")
        if getattr(life, part) != getattr(undisturbed, part)
    ]
    lost_together = any(undisturbed.reasons - life.reasons <= step for step in EVENTS_OF_STEPS)
    if not life.reasons <= undisturbed.reasons or not lost_together or life.told_again:
        found.append(f"events: {life.reasons} instead of {undisturbed.reasons}, again: {life.told_again}")
    return found


@pytest.mark.timeout(1800)
def test_the_end_is_the_same_wherever_the_operator_is_killed(
    new_scene: Callable[..., Scene], document: Callable[..., Object]
) -> None:
    scenes: SimpleQueue[Scene] = SimpleQueue()
    for _ in range(SCENES):
        scenes.put(new_scene())
    scene = scenes.get()
    undisturbed = _live(scene, document("calm"))
    writes = scene.proxy.writes
    scenes.put(scene)
    assert {("apply", "jobs"), ("patch", "finetunejobs"), ("create", "events")} <= {
        (w.verb, w.resource) for w in writes
    }

    def killed(point: tuple[int, Literal["before", "after"]]) -> str | None:
        number, when = point
        scene = scenes.get()
        try:
            scene.proxy.clear()
            fault = Fault(Drop(when, then=scene.operator.kill), verb="write", nth=number)
            scene.proxy.add(fault)
            life = _live(scene, document(f"killed-{when}-{number}"))
            differences = _differences(life, undisturbed)
            at = next((str(call) for call in scene.proxy.writes[number - 1 : number]), "a write that did not come")
            return f"killed {when} write {number} ({at}): {'; '.join(differences)}" if differences else None
        finally:
            scenes.put(scene)

    points = list(product(range(1, len(writes) + 1), ("before", "after")))
    with ThreadPoolExecutor(SCENES) as pool:
        failures = [failure for failure in pool.map(killed, points) if failure]
    assert not failures, "\n".join(failures)
