from typing import Any

import pytest
from swiftlet.api.schema.metadata import is_qualified_name, metadata_problems
from swiftlet.api.schema.problems import Source
from swiftlet.api.schema.validation import validate


def _said(metadata: dict[str, Any]) -> list[str]:
    return [str(problem).removeprefix("f.yaml: ") for _, problem in metadata_problems(metadata, Source("f.yaml"))]


def test_what_people_write_passes() -> None:
    labels = {"app.kubernetes.io/name": "bird", "team": "A-1_b.c", "empty": "", "k" * 63: "v" * 63}
    assert _said({"namespace": "team-1", "labels": labels, "annotations": {"note": "any text,\nof two lines"}}) == []
    assert _said({}) == []


@pytest.mark.parametrize("key", ["a b", "", "a/", "/a", "a/b/c", "A.b/c", "-a", "a-", "k" * 64, "d" * 254 + "/a"])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    assert not is_qualified_name(key)
    for field in ("labels", "annotations"):
        (said,) = _said({field: {key: "x"}})
        assert said.startswith(f"metadata.{field}")


@pytest.mark.parametrize("value", ["two words", "-a", "v" * 64, "a/b"])
def test_a_label_that_is_none_is_refused_and_an_annotation_may_hold_it(value: str) -> None:
    (said,) = _said({"labels": {"team": value}})
    assert said.startswith("metadata.labels.team: ") and "use up to 63 letters" in said
    assert _said({"annotations": {"team": value}}) == []


@pytest.mark.parametrize("name", ["Team", "a.b", "two words", "n" * 64, ""])
def test_a_namespace_is_a_dns_label(name: str) -> None:
    (said,) = _said({"namespace": name})
    assert said.startswith("metadata.namespace: ")


def test_annotations_have_room_for_256_kib_together() -> None:
    assert _said({"annotations": {"a": "x" * (2**18 - 1)}}) == []
    (said,) = _said({"annotations": {"a": "ü" * 2**17, "b": ""}})
    assert said == (
        "metadata.annotations: hold 262,146 bytes; all annotations together may hold 262,144; "
        "keep long text in a ConfigMap"
    )


def test_validation_reports_them_with_everything_else(job: dict[str, Any]) -> None:
    job["metadata"]["labels"] = {"team": "two words"}
    job["spec"]["suspend"] = 1
    assert {problem.field for problem in validate(job)} == {"metadata.labels.team", "spec.suspend"}
