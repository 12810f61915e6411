"""get, describe, logs, events and compare on what a failed run left."""

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from swiftlet.local.store import Store


@pytest.fixture
def read(swiftlet: Any, failed_state: Path) -> Any:
    """Run a command on the failed run's state folder."""
    return lambda *arguments, **options: swiftlet(*arguments, "--state", failed_state, **options)


def test_get_shows_the_columns_of_kubectl(read: Any) -> None:
    head, row = read("get", "ftj").stdout.splitlines()
    assert head.split() == ["NAME", "SUCCEEDED", "REASON", "STEP", "TOTAL", "LOSS", "TOKENS/S", "AGE"]
    assert row.split()[:3] == ["bird", "False", "BackoffLimitExceeded"]


def test_get_without_a_kind_shows_ours(read: Any) -> None:
    shown = read("get").stdout
    assert "finetunejob/bird" in shown
    assert "evalrun/before" in shown
    assert "bird-train" not in shown


def test_get_several_kinds(read: Any) -> None:
    assert "pod/bird-train-1-0" in read("get", "ftj,pods").stdout


@pytest.mark.parametrize("arguments", [["ftj", "bird"], ["finetunejob/bird"], ["FineTuneJobs", "bird"]])
def test_get_one_as_json_is_the_object(read: Any, arguments: list[str]) -> None:
    assert json.loads(read("get", *arguments, "-o", "json").stdout)["metadata"]["name"] == "bird"


def test_get_many_as_json_and_yaml_is_a_list(read: Any) -> None:
    as_json = json.loads(read("get", "pods", "-o", "json").stdout)
    assert (as_json["kind"], len(as_json["items"])) == ("List", 4)
    assert YAML(typ="safe").load(read("get", "pods", "-o", "yaml").stdout) == as_json


def test_get_names(read: Any) -> None:
    assert read("get", "evr", "-o", "name").stdout.split() == ["evalrun/after", "evalrun/before", "evalrun/other"]


def test_the_state_folder_may_come_from_the_environment(swiftlet: Any, failed_state: Path) -> None:
    assert "bird" in swiftlet("get", "ftj", env={"SWIFTLET_STATE": str(failed_state)}).stdout


def test_a_name_that_is_not_there_gets_the_nearest(read: Any) -> None:
    done = read("get", "ftj", "brid")
    assert (done.returncode, done.stdout) == (1, "")
    assert "finetunejobs 'brid' not found; did you mean bird?" in done.stderr


def test_nothing_of_a_kind_is_no_failure(read: Any) -> None:
    done = read("get", "mdep")
    assert (done.returncode, done.stderr) == (0, "No resources found in default namespace.\n")


def test_a_folder_where_nothing_was_run(swiftlet: Any, tmp_path: Path) -> None:
    done = swiftlet("get", "--state", tmp_path)
    assert done.returncode == 1
    assert f"nothing was run in the state folder {tmp_path}; start with `swiftlet run PATH`" in done.stderr


def test_describe_begins_with_the_cause(read: Any, failed_state: Path) -> None:
    shown = read("describe", "ftj", "bird").stdout
    failure = shown[shown.index("Failure:") : shown.index("Spec:")]
    assert "OOMKilled: rank 1 ran out of memory" in failure
    assert "in:    pod bird-train-1-1, rank 1, exit code 137" in failure
    assert "trace: MemoryError: 12 GiB" in failure
    assert f"log:   {failed_state}/pods/default/bird-train-1-1/logs/train/0.log" in failure
    assert "next:  raise compute.resources.limits.memory" in failure
    assert "pod/bird-train-1-1" in shown[shown.index("Children:") :]
    assert "rank 1 ran out of memory" in shown[shown.index("Events:") :]


def test_describe_a_pod_by_its_bare_name(read: Any) -> None:
    assert "Controlled by: Job/bird-train-0" in read("describe", "bird-train-0-1").stdout


def test_events_of_a_resource_include_its_childrens(read: Any) -> None:
    assert "OOMKilling" in read("events", "ftj/bird").stdout
    assert read("events", "evr/after").stderr == "No events found.\n"


def test_logs_of_a_resource_are_those_of_its_last_attempt(read: Any) -> None:
    done = read("logs", "ftj/bird")
    assert done.stdout.splitlines() == ["prepared on 0", "attempt 1"]
    assert "first of 2 pods, bird-train-1-0; --all-pods shows the others" in done.stderr


def test_logs_of_the_attempt_before(read: Any) -> None:
    assert read("logs", "ftj/bird", "--previous").stdout.splitlines() == ["prepared on 0", "attempt 0"]


def test_logs_of_all_pods_by_time(read: Any) -> None:
    assert read("logs", "ftj/bird", "--all-pods", "-c", "train", "--timestamps").stdout.splitlines() == [
        "2026-01-31T12:00:12.000000000Z [bird-train-1-0/train] attempt 1",
        "2026-01-31T12:00:13.000000000Z [bird-train-1-1/train] attempt 1",
    ]


def test_logs_of_one_pod_and_its_tail(read: Any) -> None:
    assert read("logs", "bird-train-0-1", "--tail", "1").stdout == "attempt 0\n"


def test_following_ends_when_no_engine_runs(read: Any) -> None:
    assert read("logs", "ftj/bird", "-f", timeout=120).stdout.splitlines() == ["prepared on 0", "attempt 1"]


def test_an_unknown_container_is_told_the_others(read: Any) -> None:
    done = read("logs", "ftj/bird", "-c", "trian")
    assert done.returncode == 1
    assert "there is no container 'trian'; the pod has prepare, train" in done.stderr


def test_compare_tells_a_clear_difference(read: Any) -> None:
    head, row = read("compare", "before", "after").stdout.splitlines()
    assert head.split()[:5] == ["SUITE", "METRIC", "BEFORE", "AFTER", "DELTA"]
    assert row.split()[:5] == ["names", "contains", "0.1667", "0.8333", "+0.6667"]
    assert row.endswith("clear")


def test_compare_with_itself_is_chance(read: Any) -> None:
    found = json.loads(read("compare", "after", "after", "-o", "json").stdout)["metrics"]
    assert [(one["suite"], one["metric"], one["rows"]) for one in found] == [("names", "contains", 6)]
    assert [(one["a"], one["b"]) for one in found] == [(5 / 6, 5 / 6)]
    assert [(one["delta"], one["verdict"], "ciLow" in one) for one in found] == [(0, "within chance", False)]


def test_runs_without_a_common_suite_are_refused(read: Any) -> None:
    done = read("compare", "before", "other")
    assert done.returncode == 1
    assert "have no suite in common" in done.stderr


def test_without_rows_there_is_no_interval(read: Any, failed_state: Path, tmp_path: Path) -> None:
    rows = failed_state / "volumes/swiftlet-artifacts/default/evalruns/after/rows.jsonl"
    rows.rename(tmp_path / "rows.jsonl")
    try:
        row = read("compare", "before", "after").stdout.splitlines()[1]
    finally:
        (tmp_path / "rows.jsonl").rename(rows)
    assert row.split()[:5] == ["names", "contains", "0.1667", "0.8333", "+0.6667"]
    assert row.endswith("rows.jsonl is missing, so no interval")


def test_chat_without_a_model_says_how_to_serve(read: Any) -> None:
    done = read("chat", "--once", "Who are you?")
    assert done.returncode == 1
    assert "there is no ModelDeployment; write one and start it with `swiftlet run PATH --keep`" in done.stderr


def test_a_model_whose_engine_was_killed_is_not_believed_to_be_ready(swiftlet: Any, tmp_path: Path) -> None:
    store = Store(tmp_path)
    head = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ModelDeployment", "metadata": {"name": "bird"}}
    store.apply({**head, "spec": {"model": {"uri": "hf://org/name"}}})
    ready = {"type": "Ready", "status": "True", "reason": "Available", "message": "each served name answers"}
    store.update_status("ModelDeployment", "default", "bird", {"conditions": [ready]})
    listed = swiftlet("get", "mdep", "--state", tmp_path)
    assert listed.stdout.splitlines()[1].split()[:3] == ["bird", "False", "Stopped"]


def test_get_chooses_by_label(read: Any) -> None:
    chosen = read("get", "pods", "-l", "batch.kubernetes.io/job-name in (bird-train-0), !x", "-o", "name").stdout
    assert chosen.split() == ["pod/bird-train-0-0", "pod/bird-train-0-1"]
    refused = read("get", "pods", "-l", "a=b=c")
    assert (refused.returncode, "is not a label selector" in refused.stderr) == (2, True)
    assert read("get", "pods", "bird-train-0-0", "-l", "a").returncode == 2


def test_get_as_jsonpath(read: Any) -> None:
    assert read("get", "ftj", "bird", "-o", "jsonpath={.status.failure.pod}").stdout == "bird-train-1-1"
    template = 'jsonpath={range .items[*]}{.metadata.name}{"\\n"}{end}'
    assert read("get", "evr", "-o", template).stdout == "after\nbefore\nother\n"
    assert read("get", "evr", "-o", "jsonpath={.items").returncode == 2
    assert read("get", "evr", "-o", "jsonpat={.items}").returncode == 2


def test_every_namespace_has_a_column_of_its_own(read: Any) -> None:
    head, row = read("get", "ftj", "-A").stdout.splitlines()
    assert head.split()[:2] == ["NAMESPACE", "NAME"]
    assert row.split()[:2] == ["default", "bird"]
    assert read("events", "-A").stdout.startswith("NAMESPACE")
    assert "NAMESPACE" not in read("get", "cprof,ftj").stdout


def test_logs_since(read: Any) -> None:
    assert read("logs", "ftj/bird", "--since", "1h").stdout == ""
    assert read("logs", "ftj/bird", "--since", "900000h").stdout != ""
    for text in ("5", "-5s", "0s", "5x", "s"):
        refused = read("logs", "ftj/bird", f"--since={text}")
        assert (refused.returncode, "is not a duration" in refused.stderr) == (2, True)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A state folder with an adapter and its report, and with a run that failed with many words."""
    store = Store(tmp_path)
    head = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "FineTuneJob"}
    spec = {"model": {"uri": "hf://org/name"}, "datasets": []}
    folder = tmp_path / "volumes/swiftlet-artifacts/default/finetunejobs/bird/artifact"
    folder.mkdir(parents=True)
    (folder.parent / "report.html").write_text("")
    for name in ("bird", "worm"):
        store.apply({**head, "metadata": {"name": name, "namespace": "default"}, "spec": spec})
    uri = "pvc://swiftlet-artifacts/default/finetunejobs/bird/artifact"
    artifact = {"uri": uri, "digest": "sha256:0", "type": "adapter", "baseModel": "hf://org/name"}
    store.update_status("FineTuneJob", "default", "bird", {"observedGeneration": 1, "artifact": artifact})
    words = "row 1 is wrong\nrow 2 is wrong"
    condition = {"type": "Succeeded", "status": "False", "reason": "Failed", "message": words}
    status = {
        "observedGeneration": 1,
        "conditions": [condition],
        "failure": {"reason": "InvalidInput", "message": words},
    }
    store.record_event(store.update_status("FineTuneJob", "default", "worm", status), "Warning", "Failed", words)
    return tmp_path


def test_the_artifact_and_the_report_are_found_on_this_machine(swiftlet: Any, made: Path) -> None:
    folder = made / "volumes/swiftlet-artifacts/default/finetunejobs/bird"
    described = swiftlet("describe", "ftj/bird", "--state", made).stdout
    assert f"artifact: {folder}/artifact" in described
    assert f"report: {folder}/report.html" in described
    assert f"model = PeftModel.from_pretrained(base, '{folder}/artifact')" in described
    head, row, _ = swiftlet("get", "ftj", "-o", "wide", "--state", made).stdout.splitlines()
    assert head.split()[-2:] == ["FOLDER", "REPORT"]
    assert row.split()[-2:] == [f"{folder}/artifact", f"{folder}/report.html"]


def test_a_cause_of_many_lines_is_told_whole_once(swiftlet: Any, made: Path) -> None:
    described = swiftlet("describe", "ftj/worm", "--state", made).stdout
    assert described.count("row 2 is wrong") == 1
    assert described.count("row 1 is wrong …") == 2
