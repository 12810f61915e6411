"""The status is written apart from the spec, and scripts can wait for it."""

import copy
import threading
import time
from typing import Any

import pytest

Object = dict[str, Any]
NOW = "2026-01-01T00:00:00Z"


def _status(type_: str, status: str, reason: str = "Completed") -> Object:
    condition = {"type": type_, "status": status, "reason": reason, "message": "", "lastTransitionTime": NOW}
    return {"observedGeneration": 1, "conditions": [condition]}


def test_a_document_cannot_bring_its_own_status(base: Any, server: Any, stored: Any) -> None:
    brought = server.create(base["FineTuneJob"] | {"status": _status("Succeeded", "True")})
    assert not brought.refused, brought.said
    assert "status" not in brought.body
    made = stored(base["FineTuneJob"])
    updated = copy.deepcopy(made) | {"status": _status("Succeeded", "True")}
    updated["spec"]["suspend"] = True
    answer = server.replace(updated, fieldValidation="Strict")
    assert not answer.refused, answer.said
    assert answer.body["spec"]["suspend"] is True
    assert answer.body["metadata"]["generation"] == 2
    assert "status" not in answer.body


def test_a_status_cannot_change_the_spec_nor_the_generation(base: Any, server: Any, stored: Any) -> None:
    made = stored(base["FineTuneJob"])
    written = copy.deepcopy(made) | {"status": _status("Succeeded", "Unknown", "Running")}
    written["spec"]["suspend"] = True
    answer = server.replace(written, "status", fieldValidation="Strict")
    assert not answer.refused, answer.said
    assert answer.body["spec"]["suspend"] is False
    assert answer.body["metadata"]["generation"] == 1
    assert answer.body["status"]["conditions"][0]["reason"] == "Running"


@pytest.mark.parametrize(
    ("status", "field"),
    [
        ({"conditions": [{"type": "Succeeded", "status": "Perhaps", "reason": "R"}]}, "status.conditions[0].status"),
        ({"conditions": [{"type": "Succeeded", "status": "True", "reason": "a b"}]}, "status.conditions[0].reason"),
        ({"progress": {"step": "4"}}, "status.progress.step"),
        ({"artifact": {"uri": "pvc://claim/a"}}, "status.artifact.digest"),
        ({"progess": {}}, "status.progess"),
    ],
)  # fmt: skip
def test_a_status_is_checked_as_well(status: Object, field: str, base: Any, server: Any, stored: Any) -> None:
    made = stored(base["FineTuneJob"])
    answer = server.replace(made | {"status": status}, "status", fieldValidation="Strict")
    assert answer.refused
    assert answer.names(field), answer.said


def test_two_conditions_of_one_type_are_refused(base: Any, server: Any, stored: Any) -> None:
    made = stored(base["FineTuneJob"])
    twice = _status("Succeeded", "True")["conditions"] * 2
    answer = server.replace(made | {"status": {"conditions": twice}}, "status", fieldValidation="Strict")
    assert answer.refused
    assert answer.names("status.conditions[1]"), answer.said


@pytest.mark.parametrize(
    ("kind", "condition"), [("FineTuneJob", "Succeeded"), ("EvalRun", "GatePassed"), ("ModelDeployment", "Ready")]
)
def test_kubectl_wait_ends_when_the_condition_is_true(
    kind: str, condition: str, base: Any, server: Any, stored: Any, control_plane: Any
) -> None:
    made = stored(base[kind])
    pending = server.replace(
        made | {"status": _status(condition, "Unknown", "Running")}, "status", fieldValidation="Strict"
    )
    assert not pending.refused, pending.said
    target = (f"{kind.lower()}/bird", "-n", server.namespace)
    early = control_plane.kubectl("wait", f"--for=condition={condition}", "--timeout=1s", *target, check=False)
    assert early.returncode != 0
    assert "timed out" in early.stderr

    def finish() -> None:
        time.sleep(0.5)
        server.replace(pending.body | {"status": _status(condition, "True")}, "status", fieldValidation="Strict")

    writer = threading.Thread(target=finish)
    writer.start()
    done = control_plane.kubectl("wait", f"--for=condition={condition}", "--timeout=90s", *target)
    writer.join()
    assert "condition met" in done.stdout


def test_kubectl_wait_can_wait_for_a_failure(base: Any, server: Any, stored: Any, control_plane: Any) -> None:
    made = stored(base["FineTuneJob"])
    server.replace(made | {"status": _status("Succeeded", "False", "BadInput")}, "status", fieldValidation="Strict")
    target = ("finetunejob/bird", "-n", server.namespace, "--timeout=90s")
    assert "condition met" in control_plane.kubectl("wait", "--for=condition=Succeeded=False", *target).stdout
    by_path = '--for=jsonpath={.status.conditions[?(@.type=="Succeeded")].reason}=BadInput'
    assert "condition met" in control_plane.kubectl("wait", by_path, *target).stdout
