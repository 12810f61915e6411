"""The API server and the local validation give the same verdict, and name the same field."""

import copy
import json
from pathlib import Path
from typing import Any

from swiftlet.api.schema.defaulting import defaulted
from swiftlet.api.schema.problems import InvalidDocuments
from swiftlet.api.schema.validation import validate
from swiftlet.documents.read import read_documents

Object = dict[str, Any]


def test_both_refuse_it_and_name_the_field(refused_case: tuple[Object, Object], server: Any, change: Any) -> None:
    base, case = refused_case
    document = change(base, case)
    answer, problems = server.create(copy.deepcopy(document)), validate(document)
    assert answer.refused, "the API server accepts it"
    assert "unnamed" in case or answer.names(case["field"]), answer.said
    assert [problem for problem in problems if problem.field.startswith(case["field"])], [*map(str, problems)]


def test_both_accept_it(accepted_case: tuple[Object, Object], server: Any, change: Any) -> None:
    base, case = accepted_case
    document = change(base, case)
    answer = server.create(copy.deepcopy(document))
    assert not answer.refused, answer.said
    assert validate(document) == []


TEXT = """\
apiVersion: swiftlet.dev/v1alpha1
kind: FineTuneJob
metadata: {name: bird}
spec:
  model: {uri: "hf://org/name"}
  datasets: [{uri: "configmap://rows/train.jsonl"}]
  training: TRAINING
---
apiVersion: v1
kind: ConfigMap
metadata: {name: rows}
data: {train.jsonl: "{}"}
"""


def test_kubectl_and_swiftlet_read_yaml_alike(
    text_case: tuple[bool, str], control_plane: Any, server: Any, tmp_path: Path
) -> None:
    """Both take the text or neither does, and what they read is the same."""
    accepted, training = text_case
    file = tmp_path / "job.yaml"
    file.write_text(TEXT.replace("TRAINING", training))
    where = ("--dry-run=server", "--validate=strict", "-n", server.namespace, "-o", "json")
    done = control_plane.kubectl("create", *where, "-f", str(file), check=False)
    try:
        read: Object | None = read_documents([file])[0].object
    except InvalidDocuments:
        read = None
    assert (done.returncode == 0, read is not None) == (accepted, accepted), done.stderr
    if read is not None:
        (stored,) = (item for item in _items(done.stdout) if item["kind"] == "FineTuneJob")
        assert stored["spec"] == defaulted(read)["spec"]


def _items(text: str) -> list[Object]:
    """kubectl prints several objects as a List, or one after the other."""
    decoder, items, at = json.JSONDecoder(), [], 0
    while at < len(text.rstrip()):
        item, at = decoder.raw_decode(text, at)
        items += item["items"] if item["kind"] == "List" else [item]
        at += len(text[at:]) - len(text[at:].lstrip())
    return items
