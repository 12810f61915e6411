"""A plan on a cluster that a test makes up; tests/integration/cluster asks a real one."""

from pathlib import Path
from typing import Any

import pytest
from swiftlet.api.schema.problems import InvalidDocuments
from swiftlet.cli.acting.clusterplan import ClusterPlan, plan_on_cluster
from swiftlet.cli.acting.planreport import document_of, text_of
from swiftlet.cli.main import main
from swiftlet.cluster.errors import RefusedError
from swiftlet.documents import read_documents

Object = dict[str, Any]
JOB = """\
apiVersion: swiftlet.dev/v1alpha1
kind: FineTuneJob
metadata: {name: bird}
spec:
  model: {uri: hf://org/name}
  datasets: [{uri: 'configmap://rows/a.jsonl'}]
"""
CLAIM = {"kind": "PersistentVolumeClaim", "metadata": {"name": "swiftlet-artifacts", "namespace": "team"}}
DATA = {"kind": "ConfigMap", "metadata": {"name": "rows", "namespace": "team"}, "data": {"a.jsonl": "{}"}}
PROFILE = """\
apiVersion: swiftlet.dev/v1alpha1
kind: ComputeProfile
metadata: {name: default}
spec:
  images: {trainer: 'registry/trainer:1', pullSecrets: [{name: registry}]}
  nodeSelector: {pool: gpu}
  serviceAccountName: trainer
"""
CONFIG = {
    "kind": "ConfigMap",
    "metadata": {"name": "swiftlet-default-profile", "namespace": "swiftlet-system"},
    "data": {"profile.yaml": PROFILE},
}


class Made:
    """Objects by kind; kinds that may not be read; and what the API server says to what is applied."""

    def __init__(self, *objects: Object, forbidden: tuple[str, ...] = ()) -> None:
        self.objects, self.forbidden = objects, forbidden

    def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        return next((one for one in self.list(kind, namespace) if one["metadata"]["name"] == name), None)

    def list(self, kind: str, namespace: str | None = None, labels: Object | None = None) -> list[Object]:
        if kind in self.forbidden:
            raise RefusedError(403, "Forbidden", f"context lab: jane may not read {kind}; an administrator grants it")
        found = [one for one in self.objects if one["kind"] == kind]
        found = [one for one in found if one["metadata"].get("namespace") in (namespace, None)]
        return [one for one in found if (labels or {}).items() <= one["metadata"].get("labels", {}).items()]

    def imagine(self, item: Object) -> Object:
        return item

    def check_namespace(self, namespace: str) -> None:
        pass


@pytest.fixture
def plan(tmp_path: Path) -> Any:
    def made(*objects: Object, forbidden: tuple[str, ...] = (), text: str = JOB) -> ClusterPlan:
        (tmp_path / "job.yaml").write_text(text)
        documents = read_documents([tmp_path / "job.yaml"], check=False)
        cluster: Any = Made(*objects, forbidden=forbidden)
        return plan_on_cluster(documents, cluster, "team", "swiftlet-system")

    return made


def test_what_pods_need_and_nodes_lack_is_told_with_the_operators_own_profile(plan: Any) -> None:
    found = plan(CLAIM, DATA, CONFIG, {"kind": "Node", "metadata": {"name": "a"}, "spec": {}})
    ((_, planned, standing),) = found.entries
    assert standing.state == "new"
    assert standing.against == (
        "ServiceAccount trainer does not exist, and the pods need it",
        "Secret registry does not exist, and the pods need it",
        "nodes: none of 1 takes the pods: 1 without the label pool=gpu",
    )
    assert found.is_opposed
    assert found.unknown == ()
    said = text_of(planned, None, standing)
    assert "  on cluster  new\n" in said
    assert "  AGAINST     nodes: none of 1" in said
    assert document_of(planned, None, standing)["cluster"]["against"] == list(standing.against)


def test_what_may_not_be_read_is_taken_as_there_and_told(plan: Any) -> None:
    found = plan(CLAIM, CONFIG, forbidden=("ConfigMap", "Node", "ComputeProfile", "ResourceQuota"))
    ((_, planned, _),) = found.entries
    assert planned.refusal is None
    assert not found.is_opposed
    assert found.unknown == (
        "images, storage and limits of what names no ComputeProfile are not known: jane may not read ConfigMap",
        "ResourceQuotas are not looked at: jane may not read ResourceQuota",
        "Nodes are not looked at: jane may not read Node",
        "ConfigMap rows is taken as there: jane may not read ConfigMap",
        "ComputeProfile default is taken as absent: jane may not read ComputeProfile",
    )


def test_a_resource_whose_pods_are_there_has_nothing_against_it(plan: Any) -> None:
    stored = {"kind": "FineTuneJob", "metadata": {"name": "bird", "namespace": "team", "uid": "u"}, "spec": {}}
    labels = {"swiftlet.dev/owner-uid": "u"}
    job = {"kind": "Job", "metadata": {"name": "bird-train-1", "namespace": "team", "labels": labels}}
    owner = {"kind": "FineTuneJob", "name": "bird", "uid": "u", "controller": True}
    child = {"name": "bird-train", "namespace": "team", "ownerReferences": [owner]}
    stored_too = (CLAIM, DATA, CONFIG, stored, {"kind": "NetworkPolicy", "metadata": child})
    assert plan(*stored_too).entries[0][2].against
    ((_, planned, standing),) = plan(*stored_too, job).entries
    assert (planned.refusal, standing.against) == (None, ())


def test_what_documents_lack_is_told_at_once(plan: Any) -> None:
    with pytest.raises(InvalidDocuments) as caught:
        plan(CLAIM, DATA, text=JOB.replace("rows/", "row/").replace("{name: bird}", "{name: bird, label: {}}"))
    assert len(caught.value.problems) == 1  # references are about what is sound by itself
    with pytest.raises(InvalidDocuments, match="did you mean rows"):
        plan(CLAIM, DATA, text=JOB.replace("rows/", "row/"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "error: name the documents: PATH, or -f PATH\n"),
        (
            ["-f", "a.yaml", "-n", "team"],
            "error: --namespace and --operator-namespace are of a cluster; name it: --context\n",
        ),
        (["a.yaml", "--state", "s", "--context", "lab"], "error: --state is a folder of this machine"),
    ],
)
def test_arguments_that_would_mean_nothing(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", *arguments]) == 2
    assert capsys.readouterr().err.startswith(message)
