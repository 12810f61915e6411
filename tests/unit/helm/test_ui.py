"""The page's part of the chart: off by default, and without rights."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from swiftlet.cli.main import build_parser

from .conftest import CHART

Manifest = dict[str, Any]
Render = Callable[..., list[Manifest]]
NAME = "swiftlet-ui"
INGRESS = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}
VALUES = (
    "ui.enabled=true",
    "ui.hosts={swiftlet.example.org,swiftlet.example.net}",
    "ui.sessionHours=2",
    "ui.ingress.enabled=true",
    "ui.ingress.tlsSecret=certificate",
    r"ui.allowFrom[0].namespaceSelector.matchLabels.kubernetes\.io/metadata\.name=ingress-nginx",
)


@pytest.fixture(scope="module")
def page(render: Render) -> dict[str, Manifest]:
    """The page's objects by kind."""
    return {one["kind"]: one for one in render(*VALUES) if one["metadata"]["name"] == NAME}


@pytest.fixture(scope="module")
def pod(page: dict[str, Manifest]) -> Manifest:
    found: Manifest = page["Deployment"]["spec"]["template"]["spec"]
    return found


def test_it_is_off_by_default(render: Render) -> None:
    assert NAME not in json.dumps(render())


def test_it_has_no_rights_and_no_token(render: Render, page: dict[str, Manifest], pod: Manifest) -> None:
    bound = [subject["name"] for one in render(*VALUES) for subject in one.get("subjects") or ()]
    assert bound and NAME not in bound
    assert pod["serviceAccountName"] == page["ServiceAccount"]["metadata"]["name"]
    assert pod["automountServiceAccountToken"] is page["ServiceAccount"]["automountServiceAccountToken"] is False
    assert [list(volume) for volume in pod["volumes"]] == [["name", "emptyDir"], ["name", "configMap"]]
    (container,) = pod["containers"]
    assert not {"env", "envFrom"} & set(container)
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert pod["securityContext"]["runAsNonRoot"]


def test_it_understands_its_arguments(pod: Manifest) -> None:
    (container,) = pod["containers"]
    options = build_parser().parse_args(container["args"])
    assert options.host == ["swiftlet.example.org", "swiftlet.example.net"]
    assert options.listen == ("0.0.0.0", container["ports"][0]["containerPort"])
    assert options.session_hours == 2
    (mount,) = [mount for mount in container["volumeMounts"] if mount["name"] == "authority"]
    assert str(options.certificate_authority.parent) == mount["mountPath"]


def test_only_who_is_named_reaches_it(render: Render, page: dict[str, Manifest]) -> None:
    labels = page["Deployment"]["spec"]["template"]["metadata"]["labels"]
    policy = page["NetworkPolicy"]["spec"]
    assert policy["podSelector"]["matchLabels"] == page["Service"]["spec"]["selector"] == labels
    assert policy["ingress"] == [{"ports": [{"protocol": "TCP", "port": "http"}], "from": [INGRESS]}]
    assert _policies(render("ui.enabled=true"))[NAME]["ingress"] == []


def test_it_does_not_reach_the_operator(render: Render, page: dict[str, Manifest]) -> None:
    """Whose policy lets in pods of Swiftlet's own."""
    labels = page["Deployment"]["spec"]["template"]["metadata"]["labels"]
    rules = _policies(render(*VALUES))["swiftlet-operator"]["ingress"]
    wanted = [peer["podSelector"]["matchLabels"] for rule in rules for peer in rule["from"] if "podSelector" in peer]
    assert wanted
    assert not [one for one in wanted if one.items() <= labels.items()]


def _policies(manifests: list[Manifest]) -> dict[str, Manifest]:
    return {one["metadata"]["name"]: one["spec"] for one in manifests if one["kind"] == "NetworkPolicy"}


def test_the_ingress_ends_tls_for_its_hosts(page: dict[str, Manifest]) -> None:
    spec = page["Ingress"]["spec"]
    hosts = ["swiftlet.example.org", "swiftlet.example.net"]
    assert spec["tls"] == [{"hosts": hosts, "secretName": "certificate"}]
    assert [rule["host"] for rule in spec["rules"]] == hosts


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (("ui.ingress.enabled=true",), "ui.ingress needs ui.hosts"),
        (("ui.hosts={https://a.example}",), "hosts"),
        (("ui.sessionHours=0",), "sessionHours"),
        (("ui.allowFrom={team-a}",), "allowFrom"),
        (("ui.replicas=2",), "'replicas' not allowed"),
    ],
)
def test_the_schema_refuses(
    helm: Callable[..., subprocess.CompletedProcess[str]], values: tuple[str, ...], message: str
) -> None:
    settings = [f"--set={value}" for value in ("registry=registry.example/swiftlet", "ui.enabled=true", *values)]
    done = helm("template", str(CHART), *settings)
    assert done.returncode != 0
    assert message in done.stderr
