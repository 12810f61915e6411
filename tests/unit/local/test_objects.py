"""The loop's own look, on the files of one machine."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from swiftlet.control.reconciling import Look, Reconciling, UnsettledError
from swiftlet.control.store import StoreError
from swiftlet.kinds import Capabilities, Event, Outcome
from swiftlet.kinds.frame.outcome import Patch, ref_of
from swiftlet.local.node import Node
from swiftlet.local.objects import LocalStore
from swiftlet.local.progress import ProgressReader
from swiftlet.local.scheduling import this_machine
from swiftlet.local.store import Change, Store

KEY = ("FineTuneJob", "team", "bird")
METADATA = {"name": "bird", "namespace": "team"}
JOB = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "FineTuneJob", "metadata": METADATA, "spec": {}}
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": METADATA, "data": {"a": "1"}}

Decide = Callable[[dict[str, Any], Any], Outcome]


class Machine:
    """A stored FineTuneJob, and looks at it by what is decided."""

    def __init__(self, folder: Path, decide: Decide) -> None:
        self.store = Store(folder)
        node = Node(folder, self.store, this_machine(folder, {}), {})
        self.objects = LocalStore(node, ProgressReader(node), ["FineTuneJob"])
        reconcilers = {"FineTuneJob": lambda item, reader, now, capabilities: decide(item, reader)}
        self.reconciling = Reconciling(self.objects, Capabilities(), lambda: datetime.now(UTC), reconcilers)
        self.store.apply(JOB)
        self.changes: list[tuple[str, str]] = []
        self.store.watch(self._saw)

    def _saw(self, change: Change) -> None:
        self.changes.append((change.type, change.object["kind"]))

    def look(self) -> Look:
        return asyncio.run(self.reconciling.look_at(KEY))


def _config(item: dict[str, Any], reader: Any) -> Outcome:
    found = reader.get("ConfigMap", "team", "bird")
    return Outcome([CONFIG], [], {"seen": found is not None}, [Event("Normal", "Looked", "words")])


def test_the_status_tells_of_children_that_are_there_and_a_second_look_writes_nothing(tmp_path: Path) -> None:
    machine = Machine(tmp_path, _config)
    look = machine.look()
    assert look.result == "written" and look.first_write is not None
    assert [change for change in machine.changes if change[1] != "Event"] == [
        ("ADDED", "ConfigMap"),
        ("MODIFIED", "FineTuneJob"),
    ]
    assert (machine.store.get(*KEY) or {})["status"] == {"seen": True}
    machine.changes.clear()
    assert machine.look().result == "unchanged"
    assert [change for change in machine.changes if change[1] != "Event"] == []


def test_a_child_that_somebody_edited_is_written_again(tmp_path: Path) -> None:
    machine = Machine(tmp_path, _config)
    machine.look()
    machine.store.patch("ConfigMap", "team", "bird", {"data": {"a": "2"}})
    assert machine.look().result == "written"
    assert (machine.store.get("ConfigMap", "team", "bird") or {})["data"] == {"a": "1"}


def test_what_is_asked_of_children_is_patched_and_deleted_and_decided_anew(tmp_path: Path) -> None:
    def decide(item: dict[str, Any], reader: Any) -> Outcome:
        found = reader.get("ConfigMap", "team", "bird")
        if found is None:
            return Outcome([], [], {"left": 0})
        if found["data"].get("b") is None:
            return Outcome([], [], {"left": 2}, patches=[Patch(ref_of(found), {"data": {"b": "2"}})])
        return Outcome([], [ref_of(found)], {"left": 1})

    machine = Machine(tmp_path, decide)
    machine.store.apply(CONFIG)
    assert machine.look().result == "written"
    assert machine.store.get("ConfigMap", "team", "bird") is None
    assert (machine.store.get(*KEY) or {})["status"] == {"left": 0}


def test_a_patch_of_what_is_gone_is_no_error(tmp_path: Path) -> None:
    decisions: list[int] = []

    def decide(item: dict[str, Any], reader: Any) -> Outcome:
        decisions.append(1)
        return Outcome([], [], {}, patches=[Patch(ref_of(CONFIG), {"data": {}})] if len(decisions) == 1 else [])

    machine = Machine(tmp_path, decide)
    machine.look()
    assert len(decisions) == 2


def test_decisions_that_never_rest_are_told(tmp_path: Path) -> None:
    numbers = iter(range(100))

    def decide(item: dict[str, Any], reader: Any) -> Outcome:
        return Outcome([{**CONFIG, "data": {"a": str(next(numbers))}}], [], {})

    with pytest.raises(UnsettledError, match="FineTuneJob team/bird"):
        Machine(tmp_path, decide).look()


def test_who_asked_for_an_object_is_woken_by_it_whether_it_was_there_or_not(tmp_path: Path) -> None:
    machine = Machine(tmp_path, _config)
    machine.look()
    assert machine.reconciling.dependents.of(("ConfigMap", "team", "bird")) == (KEY,)
    machine.store.delete(*KEY)
    assert machine.look().result == "gone"
    assert machine.reconciling.dependents.of(("ConfigMap", "team", "bird")) == ()


def test_a_refused_child_keeps_what_comes_after_it_and_is_told_by_the_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No store of files refuses; the loop's rule holds for any that does."""

    async def refuse(child: Any, live: Any) -> bool:
        raise StoreError(422, "Invalid", "data: too long")

    machine = Machine(tmp_path, _config)
    monkeypatch.setattr(machine.objects, "apply", refuse)
    look = machine.look()
    assert look.result == "refused" and [error.reason for error in look.refused] == ["Invalid"]
    assert look.again is not None and 0 <= look.again < 1
    assert (machine.store.get(*KEY) or {})["status"]["seen"] is False


def test_a_disk_that_refuses_is_nobodys_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    machine = Machine(tmp_path, _config)
    monkeypatch.setattr("swiftlet.local.objectfiles.write_atomically", full)
    with pytest.raises(OSError, match="No space left"):
        machine.look()
    monkeypatch.undo()
    assert machine.look().result == "written"
