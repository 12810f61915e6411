from pathlib import Path
from typing import Any

from swiftlet.cli.acting.planning import PlannedResource, plan_documents
from swiftlet.cli.acting.previewing import capabilities, first_pod
from swiftlet.documents import read_documents

JOB = """\
apiVersion: swiftlet.dev/v1alpha1
kind: FineTuneJob
metadata: {{name: bird}}
spec:
  model: {{uri: hf://org/name}}
  datasets: [{{uri: pvc://rows/train.jsonl}}]
  parallelism: {{nodes: 2}}
  backend: {backend}
"""


def planned(folder: Path, backend: str, **asked: Any) -> PlannedResource:
    path = folder / f"{backend}.yaml"
    path.write_text(JOB.format(backend=backend))
    (job,) = plan_documents(read_documents([path]), [], **asked)[0]
    return job


def test_what_looks_at_the_rows_is_the_same_whatever_the_run_is_made_as(tmp_path: Path) -> None:
    job, jobset = (planned(tmp_path, backend, capabilities=capabilities()) for backend in ("job", "jobSet"))
    assert [one.objects[-1]["kind"] for one in (job, jobset)] == ["Job", "JobSet"]
    pods = [first_pod(one) for one in (job, jobset)]
    prepare, other = ([step for step in pod["spec"]["initContainers"] if step["name"] == "prepare"] for pod in pods)
    assert prepare == other and prepare
    assert pods[0]["spec"]["volumes"] == pods[1]["spec"]["volumes"]


def test_a_plan_says_still_that_no_jobset_runs_here(tmp_path: Path) -> None:
    assert "spec.backend jobSet needs a cluster" in str(planned(tmp_path, "jobSet").refusal)
