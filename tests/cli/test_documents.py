"""validate, plan, preview and crds: commands that start nothing."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

REPOSITORY = Path(__file__).parents[2]
QUICKSTART = REPOSITORY / "examples/quickstart"
BROKEN = """\
apiVersion: swiftlet.dev/v1alpha1
kind: FineTuneJob
metadata: {name: bird}
spec:
  model: {uri: hf://org/name}
  datasets: [{uri: configmap://data/rows.jsonl}]
  training: {learningRat: 1e-4, epochs: many}
"""


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    (tmp_path / "job.yaml").write_text(BROKEN)
    return tmp_path / "job.yaml"


def test_good_documents_are_named(swiftlet: Any) -> None:
    done = swiftlet("validate", QUICKSTART)
    assert done.returncode == 0
    assert "finetunejob/bird is valid" in done.stdout
    assert "configmap/bird-data is valid" in done.stdout


@pytest.mark.parametrize("command", ["validate", "plan", "run"])
def test_every_problem_is_told_at_once(swiftlet: Any, broken: Path, tmp_path: Path, command: str) -> None:
    state = ["--state", tmp_path / "state"] if command != "validate" else []
    done = swiftlet(command, broken, *state)
    assert done.returncode == 2
    assert done.stdout == ""
    assert f"{broken}:7: spec.training.learningRat: unknown field; did you mean learningRate?" in done.stderr
    assert "spec.training.epochs" in done.stderr
    assert not (tmp_path / "state").exists()


def test_problems_as_json(swiftlet: Any, broken: Path) -> None:
    done = swiftlet("validate", broken, "-o", "json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["valid"]) == (2, False)
    assert {problem["field"] for problem in found["problems"]} >= {"spec.training.learningRat", "spec.training.epochs"}
    assert all(problem["line"] == 7 for problem in found["problems"])


def test_a_missing_file_is_a_problem(swiftlet: Any, tmp_path: Path) -> None:
    done = swiftlet("validate", tmp_path / "absent.yaml")
    assert done.returncode == 2
    assert "cannot be read: No such file or directory" in done.stderr


@pytest.mark.usefixtures("smollm2")
def test_the_plan_shows_needs_and_objects(swiftlet: Any, tmp_path: Path) -> None:
    done = swiftlet("plan", QUICKSTART, "--state", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "134,515,008, of which 4,884,480 are trained (3.6%)" in done.stdout
    assert "networkpolicy/bird-train, job/bird-train-0 (1 pod)" in done.stdout
    assert "deployment/bird-serve (1 pod)" in done.stdout
    assert "after       finetunejob/bird, evalrun/bird" in done.stdout


def test_the_plan_says_how_a_step_is_computed_and_why(swiftlet: Any, tmp_path: Path) -> None:
    printed = swiftlet("plan", QUICKSTART, "--state", tmp_path).stdout
    for choice in ("precision", "master weights", "loss", "batches", "attention", "threads"):
        assert re.search(rf"^ +(step +)?{choice} \S+: \w", printed, re.MULTILINE), choice


def test_the_plan_as_a_document_holds_every_object(swiftlet: Any, tmp_path: Path) -> None:
    done = swiftlet("plan", QUICKSTART, "-o", "yaml", "--state", tmp_path)
    found = YAML(typ="safe").load(done.stdout)["resources"]
    kinds = {one["kind"]: [item["kind"] for item in one["objects"]] for one in found}
    assert kinds == {
        "FineTuneJob": ["NetworkPolicy", "Job"],
        "EvalRun": ["NetworkPolicy", "Job"],
        "ModelDeployment": ["ConfigMap", "ControllerRevision", "Service", "NetworkPolicy", "Deployment"],
    }
    assert found[0]["needs"]["layout"]["worldSize"] == 1
    assert found[0]["needs"]["rows"] == 84


def test_a_plan_that_is_refused_fails(swiftlet: Any, tmp_path: Path) -> None:
    document = BROKEN.replace("training: {learningRat: 1e-4, epochs: many}", "parallelism: {nodes: 3}")
    document = document.replace("configmap://data/rows.jsonl", "pvc://claim/rows.jsonl")
    (tmp_path / "job.yaml").write_text(document)
    done = swiftlet("plan", tmp_path / "job.yaml", "--state", tmp_path / "state")
    assert done.returncode == 1
    assert "REFUSED" in done.stdout
    assert "spec.training.globalBatchSize 8 is not divisible by 3" in done.stdout


PREVIEWED = """\
apiVersion: swiftlet.dev/v1alpha1
kind: FineTuneJob
metadata: {name: bird}
spec:
  model: {uri: hf://HuggingFaceTB/SmolLM2-135M-Instruct}
  datasets: [{uri: ./chats.jsonl}]
  backend: jobSet
"""
ROW = {"messages": [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "A \x1b[31mbird"}]}


@pytest.mark.usefixtures("smollm2")
def test_a_preview_shows_the_first_rows_and_leaves_the_page_alone(swiftlet: Any, tmp_path: Path) -> None:
    lines = [json.dumps(ROW), json.dumps({"messages": ROW["messages"][:1]}), "{"]
    (tmp_path / "chats.jsonl").write_text("\n".join(lines))
    (tmp_path / "job.yaml").write_text(PREVIEWED)
    page, state = tmp_path / "page.html", tmp_path / "state"
    done = swiftlet("preview", tmp_path / "job.yaml", "--html", page, "--state", state, env={"COLUMNS": "80"})
    assert done.returncode == 2, done.stderr  # by the last row
    assert "chats.jsonl:2: dropped (no_assistant_turn)" in done.stdout
    assert "|\\x1b|[|3|1|" in done.stdout and "|<|im_end|>\n" in done.stdout and "\x1b" not in done.stdout
    assert "ok      1 of 1 answers follow the very tokens that generation is given" in done.stdout
    assert "chats.jsonl:3: " in done.stdout.partition("problems that keep the run from starting")[2]
    assert "Preview of bird" in page.read_text() and not state.exists()


def test_a_preview_without_a_job_is_refused(swiftlet: Any, tmp_path: Path) -> None:
    (tmp_path / "profile.yaml").write_text(PREVIEWED.partition("spec:")[0].replace("FineTuneJob", "ComputeProfile"))
    done = swiftlet("preview", tmp_path / "profile.yaml", "--state", tmp_path / "state")
    assert (done.returncode, done.stderr) == (2, "error: the documents hold no FineTuneJob; name a file with one\n")


def test_crds_as_a_stream_and_as_files(swiftlet: Any, tmp_path: Path) -> None:
    printed = list(YAML(typ="safe").load_all(swiftlet("crds").stdout))
    assert [one["spec"]["names"]["shortNames"] for one in printed] == [["ftj"], ["evr"], ["mdep"], ["cprof"]]
    done = swiftlet("crds", "--output", tmp_path / "crds")
    written = [Path(line) for line in done.stdout.splitlines()]
    assert [YAML(typ="safe").load(path.read_text()) for path in written] == printed


ABSENT = """\
apiVersion: swiftlet.dev/v1alpha1
kind: FineTuneJob
metadata: {name: bird}
spec:
  model: {uri: hf://org/nane}
  datasets: [{uri: ./chats.jsonl}]
"""


@pytest.mark.parametrize("command", ["validate", "plan", "run"])
def test_a_model_that_only_a_cluster_has_is_refused_by_run_and_told_by_plan(
    swiftlet: Any, tmp_path: Path, command: str
) -> None:
    (tmp_path / "mirror/org/name").mkdir(parents=True)
    (tmp_path / "chats.jsonl").write_text('{"messages": []}\n')
    (tmp_path / "job.yaml").write_text(ABSENT)
    state = ["--state", tmp_path / "state"] if command != "validate" else []
    done = swiftlet(command, tmp_path / "job.yaml", *state, env={"SWIFTLET_HF_MIRROR": str(tmp_path / "mirror")})
    assert done.returncode == (2 if command == "run" else 0), done.stderr
    said = (
        f'"hf://org/nane" is not in the mirror: {tmp_path}/mirror/org/nane does not exist; did you mean hf://org/name?'
    )
    assert (said in done.stderr) is (command != "validate")
    assert not (tmp_path / "state/objects").exists()


@pytest.mark.parametrize("command", ["validate", "plan", "run"])
def test_a_wrong_file_name_starts_nothing(swiftlet: Any, tmp_path: Path, command: str) -> None:
    (tmp_path / "chats.jsonl").write_text('{"messages": []}\n')
    (tmp_path / "job.yaml").write_text(ABSENT.replace("chats", "chatz"))
    state = ["--state", tmp_path / "state"] if command != "validate" else []
    done = swiftlet(command, tmp_path / "job.yaml", *state)
    assert done.returncode == 2
    said = 'job.yaml:6: spec.datasets[0].uri: "./chatz.jsonl" does not exist; did you mean chats.jsonl?'
    assert said in done.stderr
    assert not (tmp_path / "state").exists()
