"""Ports of servers that run on one machine."""

from collections.abc import Callable
from pathlib import Path

import pytest
from swiftlet.documents import read_documents
from swiftlet.documents.servedports import served_port_problems

Write = Callable[[str, str], Path]
DEPLOYMENT = """\
apiVersion: swiftlet.dev/v1alpha1
kind: ModelDeployment
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{model: {{uri: "hf://o/n"}}{more}}}
"""


def deployment(name: str, more: str = "", namespace: str = "default") -> str:
    return DEPLOYMENT.format(name=name, more=more and f", {more}", namespace=namespace)


@pytest.mark.parametrize("more", ["", "api: {port: 8000}"])
@pytest.mark.parametrize("namespace", ["default", "other"])
def test_two_servers_on_one_port_are_told_by_both_names_and_are_fine_on_a_cluster(
    write: Write, more: str, namespace: str
) -> None:
    files = [write("a.yaml", deployment("a")), write("b.yaml", deployment("b", more, namespace))]
    (problem,) = served_port_problems(read_documents(files))
    line = str(problem).replace(f"{files[0].parent}/", "")
    assert line.startswith("b.yaml:4: spec.api.port: 8000 of modeldeployment/b is the port of modeldeployment/a too")
    assert "(a.yaml:4)" in line and "give each its own" in line


@pytest.mark.parametrize("more", ["api: {port: 8001}", "replicas: 0"])
def test_ports_of_their_own_and_none_at_all_are_fine(write: Write, more: str) -> None:
    documents = read_documents([write("a.yaml", deployment("a") + "---\n" + deployment("b", more))])
    assert not list(served_port_problems(documents))


@pytest.mark.parametrize("spec", ["null", "[]", "text", "{api: []}", "{api: {port: many}}", "{replicas: many}"])
def test_what_validation_refuses_is_left_to_it(write: Write, spec: str) -> None:
    broken = f"{{apiVersion: swiftlet.dev/v1alpha1, kind: ModelDeployment, metadata: {{name: b}}, spec: {spec}}}"
    documents = read_documents([write("a.yaml", deployment("a")), write("b.yaml", broken)], check=False)
    assert not list(served_port_problems(documents))
