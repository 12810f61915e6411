import pytest
from testbed.modules import Module, linker_flags, parse, program_name, version

GO_MOD = """\
// A comment.
module example.dev/programs

go 1.26.0

godebug default=go1.26

tool (
	go.etcd.io/etcd/server/v3
	k8s.io/kubernetes/cmd/kubectl // a comment
)

require (
	go.etcd.io/etcd/server/v3 v3.6.8 // indirect
	k8s.io/kubernetes v1.36.3
)

require golang.org/x/text v0.30.0 // indirect

replace k8s.io/api => k8s.io/api v0.36.3
"""


def test_a_go_mod_tells_its_programs_and_versions() -> None:
    assert parse(GO_MOD) == Module(
        go=(1, 26, 0),
        tools={"etcd": "go.etcd.io/etcd/server/v3", "kubectl": "k8s.io/kubernetes/cmd/kubectl"},
        requires={
            "go.etcd.io/etcd/server/v3": "v3.6.8", "k8s.io/kubernetes": "v1.36.3", "golang.org/x/text": "v0.30.0",
        },
    )  # fmt: skip


def test_a_tool_on_one_line_counts_too() -> None:
    assert parse("go 1.26\ntool helm.sh/helm/v4/cmd/helm\n").tools == {"helm": "helm.sh/helm/v4/cmd/helm"}


def test_a_go_mod_without_a_go_line_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no `go` line: add `go 1\.26\.0`"):
        parse("module example.dev/programs\n")


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("k8s.io/kubernetes/cmd/kubelet", "kubelet"),
        ("github.com/coredns/coredns", "coredns"),
        ("example.dev/tool/v2", "tool"),
        ("go.etcd.io/etcd/server/v3", "etcd"),
        ("github.com/argoproj/argo-cd/v3/cmd", "argocd"),
    ],
)
def test_programs_are_named_as_go_names_them(package: str, name: str) -> None:
    assert program_name(package) == name


@pytest.mark.parametrize(
    ("text", "parts"),
    [("go version go1.26.8 linux/amd64", (1, 26, 8)), ("go1.27", (1, 27, 0)), ("v3.6.8", (3, 6, 8))],
)
def test_versions_are_found_in_text(text: str, parts: tuple[int, ...]) -> None:
    assert version(text) == parts


def test_a_text_without_a_version_is_refused() -> None:
    with pytest.raises(ValueError, match="'devel' names no version"):
        version("devel")


def test_argo_cd_is_told_its_version_though_it_requires_kubernetes() -> None:
    module = parse("go 1.26\nrequire github.com/argoproj/argo-cd/v3 v3.2.6\nrequire k8s.io/kubernetes v1.34.2\n")
    assert linker_flags(module) == "-s -w -X github.com/argoproj/argo-cd/v3/common.version=3.2.6"


def test_kubernetes_is_told_its_version_and_others_are_not() -> None:
    flags = linker_flags(parse(GO_MOD))
    assert flags.split()[:2] == ["-s", "-w"]
    assert "-X k8s.io/component-base/version.gitVersion=v1.36.3" in flags
    assert "-X k8s.io/component-base/version.gitMinor=36" in flags
    assert linker_flags(parse("go 1.26\n")) == "-s -w"
