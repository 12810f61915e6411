"""A job that starts from another one's artifact, on the real API server: what becomes of the other then is its own."""

import json
from collections.abc import Callable
from typing import Any

from kubernetes.client.exceptions import ApiException
from testbed.operator_process import OperatorProcess
from testbed.played_pods import good_end

Object = dict[str, Any]
Job = Callable[..., Object]
FROM_SFT = {"fineTuneJobRef": {"name": "sft"}}


def test_a_job_waits_for_another_and_then_holds_fast_what_it_began_with(
    operator: OperatorProcess, place: Any, job: Job
) -> None:
    second = place.create(job("dpo", model=FROM_SFT))
    place.await_condition("FineTuneJob", "dpo", "Accepted", "Unknown", "ReferenceNotFound")
    first = place.create(job("sft"))
    place.await_condition("FineTuneJob", "dpo", "Accepted", "Unknown", "WaitingForFineTuneJob")
    assert place.children(second) == {}
    place.play(first)
    (started,) = place.await_children(second, "NetworkPolicy", "Job")["Job"]
    place.wait(lambda: _lineage(place, "dpo") != [], "the lineage")
    artifact, (parent,) = place.get("FineTuneJob", "sft")["status"]["artifact"], _lineage(place, "dpo")
    assert (parent["fineTuneJob"], parent["digest"], parent["uri"]) == ("sft", artifact["digest"], artifact["uri"])
    adapter = _document(place, "dpo")["start"]["adapter"]
    assert adapter["digest"] == artifact["digest"]
    mounts = started.spec.template.spec.containers[0].volume_mounts
    assert all(mount.read_only for mount in mounts if mount.mount_path == "/swiftlet/artifacts")

    place.play(second, runs=True)
    place.delete("FineTuneJob", "sft")
    place.wait(lambda: _is_gone(place, "sft"), "the first job is deleted")
    place.create(job("sft", training={"seed": 7}))
    place.play(second, exit_code=1, message={"failure": {"reason": "RuntimeError", "message": "boom"}})
    place.wait(lambda: len(place.children(second)["Job"]) == 2, "the next attempt")
    assert _document(place, "dpo")["start"]["adapter"] == adapter
    assert _lineage(place, "dpo") == [parent]
    place.await_condition("FineTuneJob", "dpo", "Accepted", "True", "Planned")
    _end_well(place, second)
    place.await_condition("FineTuneJob", "dpo", "Succeeded", "True", "Trained")


def test_jobs_that_wait_for_each_other_are_told_so(operator: OperatorProcess, place: Any, job: Job) -> None:
    place.create(job("sft", model={"fineTuneJobRef": {"name": "dpo"}}))
    place.create(job("dpo", model=FROM_SFT))
    for name in ("sft", "dpo"):
        place.await_condition("FineTuneJob", name, "Accepted", "False", "InvalidPlan")
    place.delete("FineTuneJob", "sft")
    place.await_condition("FineTuneJob", "dpo", "Accepted", "Unknown", "ReferenceNotFound")


def test_a_failed_job_fails_those_that_start_from_it_until_it_goes_on(
    operator: OperatorProcess, place: Any, job: Job
) -> None:
    place.create(job("dpo", model=FROM_SFT))
    first = place.create(job("sft", backoffLimit=0))
    place.play(first, exit_code=2, message={"failure": {"reason": "InvalidInput", "message": "row 7"}})
    place.await_condition("FineTuneJob", "dpo", "Accepted", "False", "UpstreamFailed")
    place.delete("FineTuneJob", "sft")
    place.await_condition("FineTuneJob", "dpo", "Accepted", "Unknown", "ReferenceNotFound")


def _lineage(place: Any, name: str) -> list[Object]:
    return list((place.get("FineTuneJob", name).get("status") or {}).get("lineage") or [])


def _document(place: Any, name: str) -> Any:
    """What the newest attempt was told."""
    found = place.children(place.get("FineTuneJob", name)["metadata"]["uid"])["Job"]
    newest = max(found, key=lambda one: int(one.metadata.name.rpartition("-")[2]))
    return json.loads(newest.spec.template.metadata.annotations["swiftlet.dev/job-document"])


def _is_gone(place: Any, name: str) -> bool:
    try:
        place.get("FineTuneJob", name)
    except ApiException as error:
        return bool(error.status == 404)
    return False


def _end_well(place: Any, uid: str) -> None:
    """End the pods of the newest attempt: those before it have ended."""
    place.wait(lambda: _unfinished(place, uid) != [], "its pod")
    for pod in _unfinished(place, uid):
        status = good_end(place.api.sanitize_for_serialization(pod))
        place.core.patch_namespaced_pod_status(pod.metadata.name, place.namespace, {"status": status})


def _unfinished(place: Any, uid: str) -> list[Any]:
    return [pod for pod in place.children(uid).get("Pod", []) if pod.status.phase not in ("Failed", "Succeeded")]
