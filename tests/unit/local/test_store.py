"""The store: apply semantics, generations, deletion, watching, persistence, and a disk that is full."""

import errno
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from swiftlet.local.files import TEMPORARY_PREFIX, StorageError
from swiftlet.local.store import MAX_EVENTS, Change, NotStoredError, Store


def config_map(name: str, /, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def job(name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}


def owned(document: dict[str, Any], owner: dict[str, Any]) -> dict[str, Any]:
    reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": "x", "uid": owner["metadata"]["uid"]}
    document["metadata"]["ownerReferences"] = [reference]
    return document


@pytest.fixture
def changes() -> list[Change]:
    return []


@pytest.fixture
def store(tmp_path: Path, changes: list[Change]) -> Store:
    made = Store(tmp_path)
    made.watch(changes.append)
    return made


def test_apply_fills_in_what_the_api_server_does(store: Store) -> None:
    stored = store.apply(job("a", parallelism=1))
    metadata = stored["metadata"]
    assert metadata["namespace"] == "default" and metadata["generation"] == 1
    assert len(metadata["uid"]) == 36 and metadata["creationTimestamp"].endswith("Z")
    assert int(metadata["resourceVersion"]) > 0


def test_an_apply_that_changes_nothing_is_silent(store: Store, changes: list[Change]) -> None:
    first = store.apply(config_map("a", x="1"))
    assert store.apply(config_map("a", x="1")) == first
    assert [change.type for change in changes] == ["ADDED"]


def test_a_field_that_its_applier_no_longer_gives_goes_away(store: Store) -> None:
    store.apply(config_map("a", x="1", y="2"))
    assert store.apply(config_map("a", y="3"))["data"] == {"y": "3"}


def test_fields_of_another_applier_stay(store: Store) -> None:
    store.apply(config_map("a", x="1"), manager="one")
    store.apply(config_map("a", y="2"), manager="two")
    assert store.apply(config_map("a"), manager="one")["data"] == {"y": "2"}


def test_generation_counts_changes_of_spec_only(store: Store) -> None:
    store.apply(job("a", parallelism=1))
    labelled = job("a", parallelism=1)
    labelled["metadata"]["labels"] = {"x": "y"}
    assert store.apply(labelled)["metadata"]["generation"] == 1
    assert store.update_status("Job", None, "a", {"active": 1})["metadata"]["generation"] == 1
    assert store.apply(job("a", parallelism=2))["metadata"]["generation"] == 2


def test_apply_leaves_the_status_alone(store: Store) -> None:
    store.apply(job("a"))
    store.update_status("Job", "default", "a", {"active": 1})
    assert store.apply({**job("a", parallelism=3), "status": {"active": 9}})["status"] == {"active": 1}


def test_status_of_a_missing_object_is_an_error(store: Store) -> None:
    with pytest.raises(NotStoredError, match="Job default/gone does not exist"):
        store.update_status("Job", None, "gone", {})


def test_what_is_handed_out_is_a_copy(store: Store) -> None:
    store.apply(config_map("a", x="1"))["data"]["x"] = "changed"
    found = store.get("ConfigMap", None, "a")
    assert found is not None and found["data"] == {"x": "1"}


def test_list_selects_by_kind_namespace_and_labels(store: Store) -> None:
    for name, namespace, team in (("a", "one", "x"), ("b", "two", "x"), ("c", "two", "y")):
        document = config_map(name)
        document["metadata"] |= {"namespace": namespace, "labels": {"team": team}}
        store.apply(document)
    store.apply(job("j"))
    names = [item["metadata"]["name"] for item in store.list("ConfigMap", "two", {"team": "x"})]
    assert names == ["b"]
    assert len(store.list(labels={"team": "x"})) == 2 and len(store.list("ConfigMap")) == 3


def test_a_cluster_scoped_kind_has_no_namespace(store: Store) -> None:
    profile = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ComputeProfile", "metadata": {"name": "p"}, "spec": {}}
    assert "namespace" not in store.apply(profile)["metadata"]
    assert store.get("ComputeProfile", "anything", "p") == store.get("ComputeProfile", None, "p") is not None


def test_everything_is_there_after_opening_again(store: Store, tmp_path: Path) -> None:
    stored = store.apply(job("a", parallelism=1))
    again = Store(tmp_path)
    assert again.get("Job", None, "a") == stored
    version = int(again.apply(job("b"))["metadata"]["resourceVersion"])
    assert version > int(stored["metadata"]["resourceVersion"])
    assert "parallelism" not in again.apply(job("a", completions=1))["spec"], "field ownership survives"


def test_a_read_only_store_sees_each_write_and_refuses_its_own(store: Store, tmp_path: Path) -> None:
    reader = Store(tmp_path, read_only=True)
    assert reader.list() == []
    stored = store.apply(config_map("a"))
    assert reader.get("ConfigMap", "default", "a") == stored
    assert reader.list("ConfigMap") == [stored]
    with pytest.raises(PermissionError):
        reader.apply(config_map("b"))


def test_a_half_written_file_counts_for_nothing(store: Store, tmp_path: Path) -> None:
    store.apply(config_map("a"))
    (tmp_path / "objects/ConfigMap" / f"{TEMPORARY_PREFIX}x.json").write_text('{"kind": "Conf')
    assert [item["metadata"]["name"] for item in Store(tmp_path).list()] == ["a"]


def test_secrets_are_encoded_and_readable_by_the_owner_only(store: Store, tmp_path: Path) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"key": "hidden"}}
    assert store.apply(secret)["data"] == {"key": "aGlkZGVu"}
    (path,) = (tmp_path / "objects/Secret").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert "hidden" not in path.read_text()


def test_deletion_takes_children_and_events_along(store: Store, changes: list[Change]) -> None:
    owner = store.apply(job("a"))
    child = store.apply(owned(config_map("child"), owner))
    store.apply(owned(config_map("grandchild"), child))
    store.apply(config_map("stranger"))
    store.record_event(owner, "Normal", "Made", "words")
    store.delete("Job", None, "a")
    assert [item["metadata"]["name"] for item in store.list()] == ["stranger"]
    assert {change.key[2] for change in changes if change.type == "DELETED"} >= {"a", "child", "grandchild"}


def test_a_pod_is_only_marked_until_its_processes_are_gone(store: Store) -> None:
    owner = store.apply(job("a"))
    spec = {"containers": [], "terminationGracePeriodSeconds": 7}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}
    store.apply(owned(pod, owner))
    store.delete("Job", None, "a")
    marked = store.get("Pod", None, "p")
    assert marked is not None
    assert marked["metadata"]["deletionTimestamp"] and marked["metadata"]["deletionGracePeriodSeconds"] == 7
    store.delete("Pod", None, "p", grace_seconds=0)
    assert store.get("Pod", None, "p") is None


def test_the_same_event_counts_up(store: Store) -> None:
    about = store.apply(job("a"))
    for message in ("one", "one", "two"):
        store.record_event(about, "Warning", "Why", message)
    counts = {event["message"]: event["count"] for event in store.events("Job", "default", "a")}
    assert counts == {"one": 2, "two": 1}
    assert store.events("Job", "default", "other") == []


def test_only_the_newest_events_of_an_object_are_kept(store: Store) -> None:
    about = store.apply(job("a"))
    for number in range(MAX_EVENTS + 5):
        store.record_event(about, "Normal", "Count", f"number {number}")
    messages = {event["message"] for event in store.events("Job", "default", "a")}
    assert len(messages) == MAX_EVENTS and "number 0" not in messages and f"number {MAX_EVENTS + 4}" in messages


FILL = """
import errno, json, resource, signal, sys
from pathlib import Path
from swiftlet.local.files import StorageError
from swiftlet.local.store import Store
root, limit = Path(sys.argv[1]), int(sys.argv[2])
store = Store(root)
small = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "small"}, "data": {"x": "before"}}
store.apply(small)
if limit:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
heard = []
store.watch(heard.append)
big = {**small, "data": {"x": "y" * 2_000_000}}
try:
    store.apply(big)
except StorageError as error:
    print(json.dumps({"text": str(error), "errno": error.errno, "heard": len(heard),
                      "live": store.get("ConfigMap", None, "small")["data"],
                      "disk": Store(root, read_only=True).get("ConfigMap", None, "small")["data"],
                      "litter": [p.name for p in root.rglob(".tmp-*")]}))
"""


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path) -> None:
    script = tmp_path / "fill.py"
    script.write_text(FILL)
    disk = tmp_path / "disk"
    disk.mkdir()
    # A file system of its own where this machine lets us mount one, else a limit on the size of files.
    mounted = f"mount -t tmpfs -o size=1m none {disk} && exec {sys.executable} {script} {disk} 0"
    done = subprocess.run(["unshare", "-Urm", "sh", "-c", mounted], capture_output=True, text=True, check=False)
    expected = errno.ENOSPC
    if done.returncode != 0:
        limited = [sys.executable, str(script), str(disk), "4096"]
        done = subprocess.run(limited, capture_output=True, text=True, check=False)
        expected = errno.EFBIG
    said = json.loads(done.stdout)
    assert said["errno"] == expected
    assert "ConfigMap/default__small.json" in said["text"] and "nothing stored before was lost" in said["text"]
    assert said["live"] == said["disk"] == {"x": "before"}
    assert said["heard"] == 0 and said["litter"] == []


def test_a_folder_that_cannot_be_written_names_the_remedy() -> None:
    with tempfile.NamedTemporaryFile() as file, pytest.raises(StorageError, match="cannot write"):
        Store(Path(file.name)).apply(config_map("a"))


def test_a_patch_changes_what_it_names_and_leaves_the_rest_to_the_applier(store: Store) -> None:
    store.apply(job("a", suspend=False, parallelism=1), manager="operator")
    stored = store.patch("Job", None, "a", {"metadata": {"annotations": {"x": "1"}}, "spec": {"suspend": True}})
    assert stored["spec"] == {"suspend": True, "parallelism": 1}
    assert stored["metadata"]["annotations"] == {"x": "1"} and stored["metadata"]["generation"] == 2
    assert store.patch("Job", None, "a", {"spec": {"suspend": True}}) == stored
    with pytest.raises(NotStoredError):
        store.patch("Job", None, "b", {})
