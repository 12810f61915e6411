"""The Go modules under go/: which programs each builds, from which packages, with which linker flags. Pure functions
over the text of go.mod, so that a version is written down once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

NAMES = {
    "go.etcd.io/etcd/server/v3": "etcd",
    "github.com/argoproj/argo-cd/v3/cmd": "argocd",
    "github.com/prometheus-operator/prometheus-operator/cmd/operator": "prometheus-operator",
}
"""Programs that `go install` would call "server", "cmd" and "operator"."""
VERSION_PACKAGE = "k8s.io/component-base/version"
ARGO_CD = "github.com/argoproj/argo-cd/v3"


@dataclass(frozen=True)
class Module:
    """What a go.mod says."""

    go: tuple[int, ...]
    """The oldest Go that builds it, e.g. (1, 26, 0)."""
    tools: Mapping[str, str]
    """Program name → package."""
    requires: Mapping[str, str]
    """Module → version."""


def parse(text: str) -> Module:
    """The module that a go.mod describes. Raises ValueError without a `go` line. Source: go.dev/ref/mod#go-mod-file."""
    lines = [line.split("//")[0].strip() for line in text.splitlines()]
    found = next((line for line in lines if line.startswith("go ")), None)
    if found is None:
        raise ValueError("go.mod has no `go` line: add `go 1.26.0` or the version that the module needs")
    requires = dict(line.split()[:2] for line in _entries(lines, "require"))
    return Module(version(found), {program_name(package): package for package in _entries(lines, "tool")}, requires)


def _entries(lines: list[str], directive: str) -> list[str]:
    """Arguments of each use of a directive, on one line or in a block."""
    entries, inside = [], False
    for line in lines:
        if inside:
            inside = line != ")"
            if inside and line:
                entries.append(line)
        elif line == f"{directive} (":
            inside = True
        elif line.startswith(f"{directive} "):
            entries.append(line.removeprefix(f"{directive} ").strip())
    return entries


def program_name(package: str) -> str:
    """Name of the program that a package builds: as `go install` names it, where that says which it is."""
    if package in NAMES:
        return NAMES[package]
    path = PurePosixPath(package)
    return path.parent.name if re.fullmatch(r"v\d+", path.name) else path.name


def version(text: str) -> tuple[int, ...]:
    """The first version in a text: `go version go1.26.8 linux/amd64` → (1, 26, 8). ValueError when there is none."""
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    if found is None:
        raise ValueError(f"{text!r} names no version")
    return tuple(int(part or 0) for part in found.groups())


def linker_flags(module: Module) -> str:
    """Flags for -ldflags: no symbols, and Argo CD's or Kubernetes' version as clients see it."""
    if argo_cd := module.requires.get(ARGO_CD):
        return f"-s -w -X {ARGO_CD}/common.version={argo_cd.removeprefix('v')}"
    kubernetes = module.requires.get("k8s.io/kubernetes")
    if kubernetes is None:
        return "-s -w"
    major, minor, _ = version(kubernetes)
    values = {"gitVersion": kubernetes, "gitMajor": major, "gitMinor": minor}
    return " ".join(["-s -w", *(f"-X {VERSION_PACKAGE}.{name}={value}" for name, value in values.items())])
