"""The rendered objects."""

import re
import subprocess
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from swiftlet.app.default_profile import default_profile as read_default_profile
from swiftlet.cli.main import build_parser

from .conftest import CHART, ROOT

Manifest = dict[str, Any]
Render = Callable[..., list[Manifest]]
Helm = Callable[..., subprocess.CompletedProcess[str]]
ROLES = ("ClusterRole", "Role")


def of(manifests: list[Manifest], kind: str, name: str | None = None) -> Manifest:
    found = [one for one in manifests if one["kind"] == kind and name in (None, one["metadata"]["name"])]
    assert len(found) == 1, f"{kind} {name}: {[one['metadata']['name'] for one in found]}"
    return found[0]


def test_lint_passes(helm: Helm) -> None:
    done = helm("lint", "--strict", str(CHART), "--set=registry=registry.example/swiftlet")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("replica=3", "'replica' not allowed"),
        ("replicas=0", "replicas"),
        ("image.digest=latest", "digest"),
        ("operator.logFormat=xml", "logFormat"),
        ("networkPolicy.apiServer.cidrs={10.0.0.1}", "cidrs"),
        ("computeProfile.spec.gpuResurceName=nvidia.com/gpu", "'gpuResurceName' not allowed"),
        ("computeProfile.spec.images.trainer=", "trainer"),
        ("registry=registry.example/swiftlet/", "registry"),
        ("computeProfile.variant=rocm", "computeProfile"),
        ("replicas=1", "set registry to where you pushed the images"),
    ],
)
def test_the_schema_refuses(helm: Helm, value: str, message: str) -> None:
    done = helm("template", str(CHART), f"--set={value}")  # without a registry, which is refused too
    assert done.returncode != 0
    assert message in done.stderr


def test_the_crds_are_those_of_the_repository(render: Render) -> None:
    rendered = {one["metadata"]["name"]: one for one in render() if one["kind"] == "CustomResourceDefinition"}
    ours = [YAML(typ="safe").load(file) for file in (ROOT / "crds").glob("*.yaml")]
    assert {crd["metadata"]["name"]: crd["spec"] for crd in ours} == {
        name: one["spec"] for name, one in rendered.items()
    }
    assert {one["metadata"]["annotations"]["helm.sh/resource-policy"] for one in rendered.values()} == {"keep"}


def test_the_crds_go_with_the_release_when_they_are_not_to_be_kept(render: Render) -> None:
    crds = [one for one in render("crds.keep=false") if one["kind"] == "CustomResourceDefinition"]
    assert len(crds) == 4
    assert not any("annotations" in one["metadata"] for one in crds)
    assert not [one for one in render("crds.enabled=false") if one["kind"] == "CustomResourceDefinition"]


def rules(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    for one in manifests:
        if one["kind"] in ROLES:
            for rule in one["rules"]:
                yield one["metadata"]["name"], rule


def test_no_role_has_a_wildcard_or_secrets(render: Render) -> None:
    every = list(rules(render("rbac.ownerReferencesPermissionEnforcement=true")))
    assert len(every) > 10
    for role, rule in every:
        texts = [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
        assert not [text for text in texts if "*" in text], f"{role}: {rule}"
        assert not {"secrets", "pods/exec", "nodes", "clusterroles"} & set(rule["resources"]), f"{role}: {rule}"


def test_a_lease_is_named_but_where_it_is_made(render: Render) -> None:
    leases = [rule for _, rule in rules(render()) if "leases" in rule["resources"]]
    assert [(rule["verbs"], rule.get("resourceNames")) for rule in leases] == [
        (["create"], None),
        (["get", "patch"], ["swiftlet-operator"]),
    ]
    assert of(render(), "Role", "swiftlet-operator")["metadata"]["namespace"] == "swiftlet-system"


def test_watching_some_namespaces_binds_there_only(render: Render) -> None:
    everywhere = of(render(), "ClusterRoleBinding", "swiftlet-operator-workloads")
    assert everywhere["roleRef"]["name"] == "swiftlet-operator-workloads"
    some = render("watchNamespaces={team-a,team-b}")
    bound = [
        (one["kind"], one["metadata"]["namespace"])
        for one in some
        if one["kind"].endswith("Binding") and one["metadata"]["name"] == "swiftlet-operator-workloads"
    ]
    assert bound == [("RoleBinding", "team-a"), ("RoleBinding", "team-b")]
    arguments = of(some, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"]
    assert [one for one in arguments if "namespace=team" in one] == [
        "--watch-namespace=team-a",
        "--watch-namespace=team-b",
    ]


def test_the_operator_understands_its_arguments(render: Render, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POD_IP", "10.0.0.9")
    values = ("watchNamespaces={team-a}", "operator.extraArgs={--no-leader-election}")
    arguments = of(render(*values), "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"]
    options = build_parser().parse_args(arguments)
    assert (options.listen, options.metrics_listen) == (("0.0.0.0", 8080), ("0.0.0.0", 8081))
    assert options.progress_url == "http://swiftlet-operator.swiftlet-system.svc:8080/progress"
    assert options.leader_election is False


def test_an_image_is_pinned_by_its_digest(render: Render) -> None:
    def image(*values: str) -> str:
        return str(of(render(*values), "Deployment")["spec"]["template"]["spec"]["containers"][0]["image"])

    digest = f"sha256:{'0' * 64}"
    assert image() == "registry.example/swiftlet/operator:0.1.0"
    assert image("image.repository=r.example/o", f"image.digest={digest}") == f"r.example/o:0.1.0@{digest}"


def test_the_default_profile_is_what_the_operator_reads(render: Render, tmp_path: Path) -> None:
    manifests = render("computeProfile.spec.images.server=other/server:1", "computeProfile.spec.scratch.tmpSize=9Gi")
    file = tmp_path / "profile.yaml"
    file.write_text(of(manifests, "ConfigMap", "swiftlet-default-profile")["data"]["profile.yaml"])
    read = read_default_profile(file)
    assert read.images.trainer == "registry.example/swiftlet/trainer:0.1.0"
    assert read.images.server == "other/server:1"
    assert read.scratch.tmp_size == "9Gi"
    pod = of(manifests, "Deployment")["spec"]["template"]["spec"]
    (mount,) = [one for one in pod["containers"][0]["volumeMounts"] if one["name"] == "default-profile"]
    assert f"--default-profile={mount['mountPath']}/profile.yaml" in pod["containers"][0]["args"]
    (volume,) = [one for one in pod["volumes"] if one["name"] == "default-profile"]
    assert volume["configMap"]["name"] == "swiftlet-default-profile"


@pytest.mark.parametrize(("values", "tag"), [((), "0.1.0"), (("computeProfile.variant=cuda",), "0.1.0-cuda")])
def test_pods_with_gpus_have_images_for_them(render: Render, tmp_path: Path, values: tuple[str, ...], tag: str) -> None:
    file = tmp_path / "profile.yaml"
    file.write_text(of(render(*values), "ConfigMap", "swiftlet-default-profile")["data"]["profile.yaml"])
    read = read_default_profile(file)
    assert read.images.trainer == f"registry.example/swiftlet/trainer:{tag}"
    assert read.images.server == f"registry.example/swiftlet/trainer-vllm:{tag}"


def test_another_default_profile_rolls_the_pods(render: Render) -> None:
    def template(*values: str) -> Manifest:
        return dict(of(render(*values), "Deployment")["spec"]["template"]["metadata"])

    assert template() == template()
    assert template() != template("computeProfile.spec.gpuResourceName=amd.com/gpu")


def test_installing_needs_no_object_of_a_new_kind(render: Render) -> None:
    """helm maps every object, hooks too, before the API server serves the kinds that come with the release."""
    assert not [one for one in render() if one["apiVersion"].startswith("swiftlet.dev/")]
    manifests = render("computeProfile.asResource=true", "computeProfile.name=shared")
    (profile,) = [one for one in manifests if one["apiVersion"].startswith("swiftlet.dev/")]
    assert profile["metadata"]["name"] == "shared"
    assert "helm.sh/hook" not in profile["metadata"]["annotations"]
    assert not [one for one in manifests if one["metadata"]["name"] == "swiftlet-default-profile"]


def test_one_replica_has_no_budget(render: Render) -> None:
    assert of(render(), "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    assert not [one for one in render("replicas=1") if one["kind"] == "PodDisruptionBudget"]


def test_selectors_meet_the_pods(render: Render) -> None:
    manifests = render("monitoring.serviceMonitor.enabled=true")
    labels = of(manifests, "Deployment")["spec"]["template"]["metadata"]["labels"].items()
    assert of(manifests, "Service")["spec"]["selector"].items() <= labels
    assert of(manifests, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"].items() <= labels
    assert of(manifests, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"].items() <= labels
    service_labels = of(manifests, "Service")["metadata"]["labels"].items()
    assert of(manifests, "ServiceMonitor")["spec"]["selector"]["matchLabels"].items() <= service_labels


def test_metrics_and_health_have_a_port_of_their_own(render: Render) -> None:
    manifests = render("monitoring.serviceMonitor.enabled=true", "service.metricsPort=9090")
    container = of(manifests, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    assert {port["name"]: port["containerPort"] for port in container["ports"]} == {"http": 8080, "metrics": 8081}
    assert {container[probe]["httpGet"]["port"] for probe in container if probe.endswith("Probe")} == {"metrics"}
    assert [endpoint["port"] for endpoint in of(manifests, "ServiceMonitor")["spec"]["endpoints"]] == ["metrics"]
    assert {port["port"]: port["targetPort"] for port in of(manifests, "Service")["spec"]["ports"]} == {
        8080: "http",
        9090: "metrics",
    }
    progress, metrics = of(manifests, "NetworkPolicy")["spec"]["ingress"]
    assert [port["port"] for rule in (progress, metrics) for port in rule["ports"]] == ["http", "metrics"]
    assert {"matchLabels": {"app.kubernetes.io/managed-by": "swiftlet"}} not in [
        peer.get("podSelector") for peer in metrics["from"]
    ]


@pytest.mark.parametrize("has_jobsets", [False, True])
def test_what_binds_the_operators_account_is_chosen_and_covers_all_that_it_may_write(
    render: Render, has_jobsets: bool
) -> None:
    asked = f"operator.jobSet.enabled={str(has_jobsets).lower()}"
    assert not [one for one in render(asked) if one["kind"].startswith("ValidatingAdmissionPolicy")]
    manifests = render("admissionPolicy.enabled=true", "serviceAccount.name=other", asked)
    policies = [one for one in manifests if one["kind"] == "ValidatingAdmissionPolicy"]
    assert {one["spec"]["policyName"] for one in manifests if one["kind"] == "ValidatingAdmissionPolicyBinding"} == {
        one["metadata"]["name"] for one in policies
    }
    bound = {name for one in policies for rule in one["spec"]["matchConstraints"]["resourceRules"]
             for name in rule["resources"]}  # fmt: skip
    writes = {name for role, rule in rules(manifests) if role.endswith("-workloads")
              for name in rule["resources"] if {"create", "delete"} & set(rule["verbs"])}  # fmt: skip
    assert writes - bound == {"events"}
    assert ("jobsets" in writes) is has_jobsets
    seen = {name for role, rule in rules(manifests) if role == "swiftlet-view" for name in rule["resources"]}
    assert ("jobsets" in seen) is has_jobsets, "who looks for pods of a run goes by way of its JobSet"
    arguments = of(manifests, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"]
    assert ("--extra-backends=jobSet" in arguments) is has_jobsets
    (children,) = [one for one in policies if one["metadata"]["name"] == "swiftlet-operator-children"]
    whose = children["spec"]["validations"][0]["expression"]
    assert ("owner.kind == 'JobSet'" in whose) is has_jobsets
    assert ("[?'app.kubernetes.io/managed-by'].orValue('') == 'swiftlet'" in whose) is has_jobsets, "JobSets of others"
    for policy in policies:
        (condition,) = policy["spec"]["matchConditions"]
        assert condition["expression"].endswith("'system:serviceaccount:swiftlet-system:other'")


def test_renewals_of_the_lease_have_a_priority_of_their_own(render: Render) -> None:
    manifests = render()
    schema = of(manifests, "FlowSchema")["spec"]
    assert schema["priorityLevelConfiguration"] == {"name": "leader-election"}
    (rule,) = schema["rules"]
    leases = [rule for _, rule in rules(manifests) if "leases" in rule["resources"]]
    assert set(rule["resourceRules"][0]["verbs"]) == {verb for role in leases for verb in role["verbs"]}
    account = rule["subjects"][0]["serviceAccount"]
    assert account == {"name": "swiftlet-operator", "namespace": "swiftlet-system"}


@pytest.mark.parametrize(
    ("endpoint", "port"),
    [
        ("http://otel.monitoring:4318", 4318),
        ("https://otel.example.com/v1", 443),
        ("http://10.0.0.1", 80),
    ],
)
def test_spans_go_where_the_policy_lets_them(render: Render, endpoint: str, port: int) -> None:
    manifests = render(f"operator.tracing.endpoint={endpoint}")
    (operator,) = of(manifests, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert {"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": endpoint} in operator["env"]
    egress = of(manifests, "NetworkPolicy")["spec"]["egress"]
    assert {"ports": [{"protocol": "TCP", "port": port}]} in egress
    without = of(render(), "NetworkPolicy")["spec"]["egress"]
    assert len(egress) == len(without) + 1


def test_servers_are_scraped_under_the_name_of_their_deployment(render: Render) -> None:
    assert "PodMonitor" not in {manifest["kind"] for manifest in render()}
    secret = "monitoring.podMonitor.authorization.credentials"
    monitor = of(
        render("monitoring.podMonitor.enabled=true", f"{secret}.name=chat", f"{secret}.key=key"), "PodMonitor"
    )["spec"]
    (endpoint,) = monitor["podMetricsEndpoints"]
    assert endpoint["authorization"] == {"credentials": {"name": "chat", "key": "key"}}
    # What the pods of a server have, by its planner.
    (deployment,) = [
        manifest
        for manifest in YAML(typ="safe").load_all(ROOT / "tests/golden/modeldeployment-with-adapter-and-secret.yaml")
        if manifest and manifest["kind"] == "Deployment"
    ]
    template = deployment["spec"]["template"]
    labels = template["metadata"]["labels"]
    assert monitor["selector"]["matchLabels"].items() <= labels.items()
    assert endpoint["port"] in {port["name"] for port in template["spec"]["containers"][0]["ports"]}
    name, kind = endpoint["relabelings"]
    mangled = {"__meta_kubernetes_pod_label_" + re.sub(r"[^a-zA-Z0-9_]", "_", key): labels[key] for key in labels}
    assert mangled[name["sourceLabels"][0]] == "bird" and name["targetLabel"] == "name"
    assert kind == {"targetLabel": "kind", "replacement": "ModelDeployment"}


def test_every_alert_has_a_runbook(render: Render) -> None:
    groups = of(render("monitoring.prometheusRule.enabled=true"), "PrometheusRule")["spec"]["groups"]
    runbook = (ROOT / "docs" / "runbooks" / "operator.md").read_text()
    headings = {line.removeprefix("## ").lower() for line in runbook.splitlines() if line.startswith("## ")}
    alerts = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    links = [rule["annotations"]["runbook_url"] for rule in alerts]
    assert {link.partition("#")[2] for link in links} == headings
    assert all(link.startswith("docs/runbooks/operator.md#") for link in links)


@pytest.mark.parametrize(
    "file",
    [
        *(CHART / "files").glob("dashboards/*.json"),
        *(CHART / "files" / f"{name}.yaml" for name in ("alerts", "recordings")),
        ROOT / "docs" / "operator.md",
    ],
    ids=lambda file: file.name,
)
def test_figures_that_are_asked_for_exist(file: Path) -> None:
    from swiftlet.kube.cache import Cache
    from swiftlet.observability.metrics import Metrics, ResourceCollector, new_registry
    from swiftlet.observability.run_collector import RunCollector

    registry = new_registry()
    Metrics(registry)
    registry.register(ResourceCollector(Cache(), lambda: True))
    registry.register(RunCollector(Cache(), lambda: True, 1))
    known = {
        name
        for family in registry.collect()
        for suffix in ("", "_total", "_bucket", "_sum", "_count")
        for name in (family.name + suffix,)
    }
    asked = set(re.findall(r"\b((?:swiftlet_|process_|vllm:)[a-z_]+)", file.read_text().replace("vllm[:_]", "vllm:")))
    assert len(asked) > 2
    assert asked <= known | served_series()


def served_series() -> set[str]:
    """What servers show: under vLLM's names and ours by served name, and vLLM's own gauges."""
    from prometheus_client import CollectorRegistry
    from swiftlet_trainer.serve.request_metrics import series_by_name

    vllm = find_spec("vllm")
    assert vllm is not None and vllm.origin is not None
    own = (Path(vllm.origin).parent / "v1" / "metrics" / "loggers.py").read_text()
    found = set(re.findall(r'name="(vllm:[a-z_]+)"', own))
    for prefix in ("swiftlet_", "vllm:"):
        registry = CollectorRegistry()
        series_by_name(prefix, ["bird"], registry)
        found |= {sample.name for family in registry.collect() for sample in family.samples}
    return found


def test_the_documentation_has_every_rule(render: Render) -> None:
    text = (ROOT / "docs" / "operator.md").read_text()
    table = re.search(r"\| resource \| verbs \| why \|\n(.*?)\n\n", text, re.DOTALL)
    assert table
    cells = [[cell.strip() for cell in row.split("|")[1:3]] for row in table[1].splitlines()[1:]]
    documented = sorted((tuple(what.split(", ")), tuple(verbs.split())) for what, verbs in cells)
    operators = [rule for role, rule in rules(render()) if role.startswith("swiftlet-operator")]
    assert documented == sorted((tuple(rule["resources"]), tuple(rule["verbs"])) for rule in operators)
