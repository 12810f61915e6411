"""How many changes by others become one write of a status, and which changes never wait."""

import asyncio
import json
from datetime import UTC, datetime
from itertools import accumulate, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swiftlet.api import KINDS
from swiftlet.control.keys import Key
from swiftlet.control.reconciling import Look, Reconciling
from swiftlet.control.status_pace import (
    CALM_SECONDS,
    FIRST_PAUSE,
    MOVING_CONDITIONS,
    MOVING_FIELDS,
    NEXT_PAUSE,
    StatusPace,
    can_wait,
)
from swiftlet.kinds import Capabilities, Event, Outcome
from swiftlet.kinds.conditions.table import CONDITIONS
from swiftlet.kube.cache import Cache
from swiftlet.kube.store import ClusterStore
from swiftlet.local.merge import patched

Status = dict[str, Any]

KEY: Key = ("FineTuneJob", "team", "bird")
AFTER_ALL = 60.0


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def status(**said: Any) -> Status:
    """A status in which conditions say what is given by their types, as (status, reason)."""
    usual = {
        "Accepted": ("True", "Planned"),
        "Running": ("False", "PodsStarting"),
        "Succeeded": ("Unknown", "Starting"),
    }
    told = {**usual, **{type_: said.pop(type_) for type_ in list(said) if type_[0].isupper()}}
    conditions = [{"type": type_, "status": truth, "reason": reason} for type_, (truth, reason) in told.items()]
    return {"observedGeneration": 1, "conditions": conditions, **said}


@pytest.mark.parametrize(
    ("said", "waits"),
    [
        ({"Running": ("True", "Training")}, True),
        ({"Succeeded": ("Unknown", "Queued")}, True),
        ({"readyReplicas": 2, "revisions": [{"revision": 1, "readyReplicas": 2}]}, True),
        ({"updateRevision": 2, "revisions": [{"revision": 1}, {"revision": 2}]}, False),
        ({"startTime": "2026-01-01T00:00:00Z", "activeSince": "2026-01-01T00:00:00Z"}, True),
        ({"Succeeded": ("True", "Trained")}, False),
        ({"Succeeded": ("False", "BackoffLimitExceeded")}, False),
        ({"Accepted": ("False", "NameConflict")}, False),
        ({"Running": ("False", "BackingOff"), "failure": {"reason": "Evicted"}}, False),
        ({"restarts": {"user": 1, "infrastructure": 0}}, False),
        ({"artifact": {"uri": "pvc://a/b"}}, False),
        ({"observedGeneration": 2, "Running": ("False", "Suspended")}, False),
        ({"Novel": ("True", "New")}, False),
    ],
    ids=str,
)
def test_only_what_moves_on_by_itself_waits(said: Status, waits: bool) -> None:
    assert can_wait(status(), status(**said)) is waits


@pytest.mark.parametrize("kind", CONDITIONS)
def test_summaries_and_results_of_every_kind_are_written_at_once(kind: str) -> None:
    model = KINDS[kind]
    assert model.summary_condition not in MOVING_CONDITIONS and "Accepted" not in MOVING_CONDITIONS
    final = {
        "artifact",
        "results",
        "comparison",
        "gates",
        "report",
        "failure",
        "restarts",
        "completionTime",
        "progress",
    }
    assert not final & MOVING_FIELDS


def test_the_fields_and_conditions_that_may_wait_are_there() -> None:
    """A name that no kind has would let nothing wait, silently."""
    statuses = [
        field.annotation for kind in CONDITIONS for name, field in KINDS[kind].model_fields.items() if name == "status"
    ]
    fields = {about.alias for one in statuses for about in one.__args__[0].model_fields.values()}  # type: ignore[union-attr]
    assert fields >= MOVING_FIELDS
    assert {doc.type for docs in CONDITIONS.values() for doc in docs} >= MOVING_CONDITIONS


class Stored:
    """A client that keeps the status of one resource, as the API server would."""

    def __init__(self, clock: Clock, resource: dict[str, Any]) -> None:
        self._clock, self.resource = clock, resource
        self.written: list[float] = []

    async def patch_status(self, kind: str, namespace: str | None, name: str, patch: dict[str, Any]) -> dict[str, Any]:
        self.written.append(self._clock.now)
        self.resource = patched(self.resource, {"status": patch["status"]})
        self.resource["metadata"]["resourceVersion"] = str(int(self.resource["metadata"]["resourceVersion"]) + 1)
        return json.loads(json.dumps(self.resource))  # type: ignore[no-any-return]


def _now() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)


class Scene:
    """One resource, what is true of it now, and looks at it in virtual time."""

    def __init__(self) -> None:
        self.clock, self.truth, self.told = Clock(), status(), list[str]()
        metadata = {"name": "bird", "namespace": "team", "uid": "bird-uid", "resourceVersion": "1"}
        resource = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "FineTuneJob", "metadata": metadata, "spec": {}}
        self.client, self.cache = (
            Stored(self.clock, {**resource, "status": status(Running=("Unknown", "None"))}),
            Cache(),
        )
        self.cache.put(self.client.resource)
        self.begin()

    def begin(self) -> None:
        """A new process works, which knows nothing of what the last one did."""
        store = ClusterStore(
            self.client,  # type: ignore[arg-type]
            self.cache,
            _now,
            tell=lambda resource, event: self.told.append(event.message),
        )
        reconcilers = {"FineTuneJob": self._reconcile}
        self._reconciling = Reconciling(store, Capabilities(), _now, reconcilers, StatusPace(self.clock))

    def _reconcile(self, resource: dict[str, Any], *_: Any) -> Outcome:
        running = self.truth["conditions"][1]["reason"]
        is_news = resource["status"]["conditions"][1]["reason"] != running
        return Outcome([], [], self.truth, [Event("Normal", "Started", running)] if is_news else [])

    def look(self) -> Look:
        return asyncio.run(self._reconciling.look_at(KEY))

    def live(self, changes: dict[float, Status]) -> list[float]:
        """Look whenever something changes, and when a look asked for it; the moments of writes."""
        began, due = self.clock.now, dict(changes)
        while due:
            moment = min(due)
            self.truth = due.pop(moment)
            self.clock.now = began + moment
            again = self.look().again
            if again is not None and moment + again < min(due, default=AFTER_ALL):
                due[moment + again] = self.truth
        return [round(moment - began, 3) for moment in self.client.written]


def _stage(number: int) -> Status:
    return status(Running=("False", f"Stage{number}"), Succeeded=("Unknown", f"Stage{number}"))


def test_the_first_change_is_written_at_once_and_the_newest_state_last() -> None:
    scene = Scene()
    assert scene.live({0.1 * number: _stage(number) for number in range(9)}) == [0.0, 1.0]
    assert scene.client.resource["status"] == _stage(8)
    assert scene.told == ["Stage0", "Stage8"], "events of a state that has passed are not told"


@pytest.mark.parametrize("between", [0.02, 0.3, 0.7, 0.99])
def test_four_changes_by_others_are_three_writes(between: float) -> None:
    """With two Events these are the five writes that one change by a queue may cost."""
    scene = Scene()
    scene.live({between * number: _stage(number) for number in range(4)})
    assert len(scene.client.written) <= 3
    assert scene.client.resource["status"] == _stage(3)


@given(st.lists(st.floats(0.001, CALM_SECONDS - 1), min_size=1, max_size=30))
def test_whatever_changes_the_newest_state_is_written_in_time_and_never_often(pauses: list[float]) -> None:
    moments = list(accumulate(pauses, initial=0.0))
    scene = Scene()
    written = scene.live({moment: _stage(number) for number, moment in enumerate(moments)})
    assert scene.client.resource["status"] == _stage(len(pauses))
    assert written[-1] - moments[-1] <= NEXT_PAUSE + 0.001
    gaps = [after - before for before, after in pairwise(written)]
    assert all(gap >= FIRST_PAUSE - 0.001 for gap in gaps)
    assert len(written) <= 3 + moments[-1] / NEXT_PAUSE


def test_what_is_meant_for_keeps_never_waits() -> None:
    scene = Scene()
    ended = status(Running=("False", "Finished"), Succeeded=("True", "Trained"))
    assert scene.live({0: _stage(0), 0.1: _stage(1), 0.2: ended}) == [0.0, 0.2]
    assert scene.client.resource["status"] == ended


def test_a_state_that_goes_back_is_not_written() -> None:
    scene = Scene()
    assert scene.live({0: _stage(0), 0.3: _stage(1), 0.6: _stage(0)}) == [0.0]
    assert scene.told == ["Stage0"]


def test_nothing_is_lost_with_the_process() -> None:
    scene = Scene()
    scene.live({0: _stage(0)})
    scene.truth = _stage(1)
    assert scene.look().again is not None and len(scene.client.written) == 1
    scene.begin()
    scene.look()
    assert scene.client.resource["status"] == _stage(1) and scene.told == ["Stage0", "Stage1"]


def test_after_a_calm_a_change_is_the_first_again() -> None:
    scene = Scene()
    later = CALM_SECONDS + NEXT_PAUSE
    assert scene.live({0: _stage(0), 0.5: _stage(1), later: _stage(2), later + 0.5: _stage(3)}) == [
        0.0,
        1.0,
        later,
        later + 1.0,
    ]
