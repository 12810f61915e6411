"""`kubectl get` and `swiftlet get` print the same table for the same objects."""

import copy
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from swiftlet.api import KINDS
from swiftlet.local.lock import StateLock
from swiftlet.local.store import Store

Object = dict[str, Any]
NOW = "2026-01-01T00:00:00Z"
ON_THIS_MACHINE = {"FOLDER", "REPORT"}
"""Last columns of `swiftlet get -o wide`."""


def _condition(type_: str, status: str, reason: str, message: str = "") -> Object:
    return {"type": type_, "status": status, "reason": reason, "message": message, "lastTransitionTime": NOW}


STATUSES: dict[str, list[Object]] = {
    "FineTuneJob": [
        {},
        {
            "conditions": [_condition("Accepted", "True", "Planned"), _condition("Succeeded", "Unknown", "Running")],
            "progress": {
                "step": 0, "totalSteps": 44, "percent": 0, "loss": "2.1", "tokensPerSecond": "403.5", "etaSeconds": 75,
            },
        },
        {
            "conditions": [_condition("Succeeded", "True", "Completed")],
            "progress": {"step": 44, "totalSteps": 44, "percent": 100},
            "artifact": {"uri": "pvc://claim/a", "digest": "sha256:5f3e", "type": "adapter", "steps": 44},
        },
    ],
    "EvalRun": [
        {},
        {
            "conditions": [
                _condition("Succeeded", "True", "Completed"),
                _condition("GatePassed", "False", "BelowMinimum", "contains 0.5 < 0.8, \"half\" of it"),
            ],
            "progress": {"percent": 100},
            "report": {"uri": "pvc://claim/report", "digest": "sha256:5f3e"},
        },
    ],
    "ModelDeployment": [
        {},
        {"conditions": [_condition("Ready", "False", "WaitingForGate")], "replicas": 0, "readyReplicas": 0},
        {
            "conditions": [_condition("Ready", "True", "Serving")],
            "replicas": 2,
            "readyReplicas": 2,
            "engine": "vllm",
            "servedNames": ["bird", "smollm2"],
            "url": "http://bird.team.svc:8000/v1",
        },
    ],
    "ComputeProfile": [{}],
}  # fmt: skip


@pytest.mark.parametrize("wide", [False, True], ids=["narrow", "wide"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_tables_are_the_same(
    kind: str, wide: bool, base: Any, server: Any, stored: Any, control_plane: Any, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    for number, status in enumerate(STATUSES[kind]):
        document = copy.deepcopy(base[kind])
        document["metadata"] = {"name": f"bird-{number}"}
        ours = stored(document)
        document["metadata"]["namespace"] = server.namespace
        store.apply(ours | {"metadata": document["metadata"]})
        if status:
            written = server.replace(ours | {"status": status}, "status", fieldValidation="Strict")
            assert not written.refused, written.said
            store.update_status(kind, server.namespace, f"bird-{number}", written.body["status"])
    short = KINDS[kind].short_name
    output = ["-o", "wide"] if wide else []
    theirs = control_plane.kubectl("get", short, "-n", server.namespace, *output).stdout
    command = [sys.executable, "-m", "swiftlet.cli.main", "get", short, "-n", server.namespace, *output]
    with StateLock(tmp_path):  # else nothing of it would run, and be told so
        done = subprocess.run([*command, "--state", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert _rows(done.stdout) == _rows(theirs)


def _rows(text: str) -> list[list[str]]:
    """Cells of a table, by the columns of its heads; ages are of different objects, and folders are this machine's.

    kubectl leaves a cell without a value blank, swiftlet writes <none>.
    """
    head, *lines = text.splitlines()
    starts = [match.start() for match in re.finditer(r"\S+( \S+)*", head)]
    ends = [*starts[1:], None]
    table = [[line[start:end].strip() or "<none>" for start, end in zip(starts, ends, strict=True)] for line in lines]
    heads = head.split()
    age = heads.index("AGE")
    assert set(heads[age + 1 :]) <= ON_THIS_MACHINE
    assert all(re.fullmatch(r"\d+s", row[age]) for row in table)
    return [heads[: age + 1], *(row[:age] for row in table)]
