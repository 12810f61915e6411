"""How pods get their job document, and how it is read back."""

import json
from typing import Any

import pytest
from swiftlet.kinds.attempts.told_document import told_document
from swiftlet.kinds.children.job_document import LONGEST_ANNOTATION

KEY = "swiftlet.dev/job-document"
LONG = {f"P{number}": "漢" * 400 for number in range(32)}
"""More bytes than an annotation takes, and fewer characters."""


def started(world: Any, documents: Any, kind: str, **spec: Any) -> list[dict[str, Any]]:
    world.data()
    world.add(documents["FineTuneJob"])
    world.trained()
    world.add({**documents[kind], "metadata": {"name": "it"}}, **spec)
    found: list[dict[str, Any]] = world.look(kind, "it").desired
    return found


@pytest.mark.parametrize("kind", ["FineTuneJob", "EvalRun"])
def test_pods_have_it_as_a_file_out_of_an_annotation(world: Any, documents: Any, kind: str) -> None:
    objects = started(world, documents, kind)
    assert "ConfigMap" not in {one["kind"] for one in objects}
    template = objects[-1]["spec"]["template"]
    (volume,) = [one for one in template["spec"]["volumes"] if one["name"] == "job"]
    (item,) = volume["downwardAPI"]["items"]
    assert item == {"path": "job.json", "fieldRef": {"fieldPath": f"metadata.annotations['{KEY}']"}}
    assert told_document(objects) == json.loads(template["metadata"]["annotations"][KEY])


def test_a_long_one_is_in_a_config_map(world: Any, documents: Any) -> None:
    datasets = [{**one, "placeholders": LONG} for one in documents["FineTuneJob"]["spec"]["datasets"]]
    objects = started(world, documents, "FineTuneJob", datasets=datasets)
    (config_map,) = [one for one in objects if one["kind"] == "ConfigMap"]
    text = config_map["data"]["job.json"]
    assert len(json.dumps(json.loads(text), ensure_ascii=False)) < LONGEST_ANNOTATION < len(text.encode())
    template = objects[-1]["spec"]["template"]
    (volume,) = [one for one in template["spec"]["volumes"] if one["name"] == "job"]
    assert volume["configMap"]["name"] == config_map["metadata"]["name"] == "it-train"
    assert KEY not in template["metadata"].get("annotations", {})
    assert (told_document(objects) or {})["datasets"][0]["placeholders"] == LONG


def test_another_long_document_is_another_plan(world: Any, documents: Any) -> None:
    def digest(text: str) -> str:
        placeholders = {**LONG, "P0": text}
        datasets = [{**one, "placeholders": placeholders} for one in documents["FineTuneJob"]["spec"]["datasets"]]
        planned = started(world, documents, "FineTuneJob", datasets=datasets)[-1]
        return str(planned["metadata"]["annotations"]["swiftlet.dev/plan-digest"])

    assert digest("a") != digest("b")


@pytest.mark.parametrize(
    "objects",
    [
        [],
        [{"kind": "Secret", "data": {"job.json": "{}"}}],
        [{"kind": "ConfigMap"}, {"kind": "ConfigMap", "data": {"job.json": "{"}}],
        [{"kind": "Job", "metadata": {"name": "a"}, "spec": {"template": {"metadata": {"annotations": {KEY: "[]"}}}}}],
    ],
)
def test_what_holds_none_that_can_be_read_tells_none(objects: Any) -> None:
    assert told_document(objects) is None
