"""What `get -o` writes, `validate`, `plan` and `run` read: every kind, with status and all that the server set."""

import json
from pathlib import Path
from typing import Any

import pytest
from swiftlet.api import KINDS
from swiftlet.api.schema.defaulting import defaulted
from swiftlet.documents.document import API_VERSIONS
from swiftlet.local.store import Store

MODEL = {"uri": "pvc://own/model"}
SPECS: dict[str, dict[str, Any]] = {
    "ComputeProfile": {"resources": {"limits": {"memory": "8Gi"}}},
    "FineTuneJob": {"model": MODEL, "datasets": [{"uri": "configmap://rows/rows.jsonl"}]},
    "EvalRun": {"target": {"model": MODEL}, "suites": [{"perplexity": {"uri": "configmap://rows/rows.jsonl"}}]},
    "ModelDeployment": {"model": MODEL, "api": {"apiKey": {"secretRef": {"name": "key", "key": "key"}}}},
}
ROWS = {"data": {"rows.jsonl": '{"messages": [{"role": "user", "content": "a\\nb"}]}\n'}}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """One object of every kind that a document may have, as an engine leaves it."""
    (tmp_path / "state/volumes/own/model").mkdir(parents=True)
    (tmp_path / "state/volumes/own/model/config.json").write_text("{}")
    store = Store(tmp_path / "state")
    for kind, version in API_VERSIONS.items():
        head: dict[str, Any] = {"apiVersion": version, "kind": kind, "metadata": {"name": "a"}}
        content = {"ConfigMap": ROWS, "Secret": {"stringData": {"key": "s3cret"}}}
        head["metadata"]["name"] = {"ConfigMap": "rows", "Secret": "key"}.get(kind, "a")
        item = {**head, **(content.get(kind) or {"spec": SPECS[kind]})}
        stored = store.apply(defaulted(item) if kind in KINDS else item)
        if kind in KINDS:
            status = {"observedGeneration": 1, "aFieldOfAnotherRelease": [1], "conditions": [{"type": "Odd"}]}
            store.update_status(kind, stored["metadata"].get("namespace"), "a", status)
    return tmp_path / "state"


@pytest.mark.parametrize("output", ["yaml", "json"])
def test_what_get_writes_is_read_again(swiftlet: Any, state: Path, tmp_path: Path, output: str) -> None:
    written = swiftlet("get", "cprof,ftj,evr,mdep,cm,secrets", "-o", output, "--state", state)
    (tmp_path / f"all.{output}").write_text(written.stdout)
    checked = swiftlet("validate", tmp_path / f"all.{output}")
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.count("is valid") == len(API_VERSIONS)
    planned = swiftlet("plan", "-", "-o", "json", "--state", tmp_path / "other", input=written.stdout)
    assert {one["kind"] for one in json.loads(planned.stdout)["resources"]} == set(KINDS) - {"ComputeProfile"}
    one = swiftlet("get", "mdep", "a", "-o", output, "--state", state).stdout
    assert "modeldeployment/a is valid (stdin)" in swiftlet("validate", "-", input=written.stdout).stdout
    assert "names a Secret that does not exist" in swiftlet("validate", "-", input=one).stderr


def test_what_was_written_is_run_and_is_the_same(swiftlet: Any, state: Path, tmp_path: Path) -> None:
    kinds = "cprof,cm,secrets"
    written = swiftlet("get", kinds, "-o", "yaml", "--state", state).stdout
    done = swiftlet("run", "-", "--state", tmp_path / "other", input=written)
    assert done.returncode == 0, done.stdout + done.stderr
    again = swiftlet("get", kinds, "-o", "json", "--state", tmp_path / "other").stdout
    before = json.loads(swiftlet("get", kinds, "-o", "json", "--state", state).stdout)
    assert [_told(item) for item in json.loads(again)["items"]] == [_told(item) for item in before["items"]]


def _told(item: dict[str, Any]) -> dict[str, Any]:
    """An object without what the server sets."""
    return {**item, "metadata": {"name": item["metadata"]["name"]}, "status": None}
