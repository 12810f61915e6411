"""From base and data to what is served."""

import re
from typing import Any

import pytest
from swiftlet.cli.ui.views.lineage import escaped, graph

DIGEST = "sha256:0123456789abcdef"


def _item(kind: str, name: str, spec: dict[str, Any], **status: Any) -> dict[str, Any]:
    head = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": kind, "metadata": {"name": name, "namespace": "default"}}
    return {**head, "spec": spec, "status": status}


JOB = _item("FineTuneJob", "bird", {"model": {"uri": "hf://a/b"}, "datasets": [{"uri": "configmap://d/rows"}]})
CHILD = _item("FineTuneJob", "child", {"model": {"fineTuneJobRef": {"name": "bird"}}, "datasets": []})
EVAL = _item(
    "EvalRun",
    "exam",
    {"target": {"fineTuneJobRef": {"name": "bird"}}, "suites": [{"perplexity": {"uri": "configmap://d/text"}}]},
)
SERVED = _item(
    "ModelDeployment",
    "bird",
    {"model": {"fineTuneJobRef": {"name": "bird"}}, "requires": [{"evalRunRef": {"name": "exam"}}]},
    servedNames=["bird", "base"],
    modelDigest=DIGEST,
)
OTHER = _item("FineTuneJob", "other", {"model": {"uri": "hf://c/d"}, "datasets": []})


def _edges(text: str) -> set[tuple[str, str]]:
    """By labels, as a reader sees them."""
    shown = {name: re.sub(r"#(\d+);", lambda code: chr(int(code[1])), label) for name, label in _boxes(text)}
    return {(shown[one], shown[other]) for one, other in re.findall(r"(n\d+) --> (n\d+)", text)}


def _boxes(text: str) -> list[tuple[str, str]]:
    return re.findall(r'^  (n\d+)[\[(]+"([^"\n]*)"[\])]+$', text, flags=re.MULTILINE)


def test_all_that_leads_to_a_served_name() -> None:
    assert _edges(graph(SERVED, [JOB, EVAL, SERVED, OTHER, CHILD])) == {
        ("hf://a/b", "finetunejob/bird"),
        ("configmap://d/rows", "finetunejob/bird"),
        ("finetunejob/bird", "evalrun/exam"),
        ("configmap://d/text", "evalrun/exam"),
        ("finetunejob/bird", "modeldeployment/bird"),
        ("evalrun/exam", "modeldeployment/bird"),
        ("modeldeployment/bird", "served as bird, sha256:0123456789ab"),
        ("modeldeployment/bird", "served as base"),
    }


def test_what_came_of_a_job_and_nothing_else() -> None:
    labels = {label for edge in _edges(graph(JOB, [JOB, CHILD, OTHER])) for label in edge}
    assert labels == {"hf://a/b", "configmap://d/rows", "finetunejob/bird", "finetunejob/child"}


def test_what_is_deleted_is_still_named() -> None:
    assert ("finetunejob/bird", "finetunejob/child") in _edges(graph(CHILD, [CHILD]))


def test_what_is_connected_with_nothing_has_no_graph() -> None:
    alone = _item("FineTuneJob", "alone", {"model": {}, "datasets": []})
    assert graph(alone, [alone]) == ""


@pytest.mark.parametrize("text", ['"] --> x', "<script>alert(1)</script>", "a#b;c", "`x`", "naïve 名", "end\nstyle n0"])
def test_no_text_says_anything_to_mermaid_or_html(text: str) -> None:
    written = escaped(text)
    assert re.fullmatch(r"([A-Za-z0-9 ./_-]|#\d+;)*", written)
    assert re.sub(r"#(\d+);", lambda code: chr(int(code[1])), written) == text


def test_of_a_long_name_both_ends_are_shown() -> None:
    assert escaped("a" * 40 + "b" * 40) == "a" * 32 + "#8230;" + "b" * 32
