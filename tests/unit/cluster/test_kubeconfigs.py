"""Kubeconfigs: contexts, several files, credential plugins, and what is wrong with them."""

import json
from pathlib import Path
from typing import Any

import pytest
from swiftlet.cluster.errors import ClusterError
from swiftlet.cluster.kubeconfigs import load_access


def written(path: Path, current: str | None = "lab", user: dict[str, Any] | None = None, name: str = "lab") -> Path:
    document: dict[str, Any] = {
        "clusters": [{"name": name, "cluster": {"server": f"http://{name}.example:8080/"}}],
        "users": [{"name": name, "user": user or {"token": "key"}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": f"{name}-team"}}],
    }
    path.write_text(json.dumps(document | ({"current-context": current} if current else {})))
    return path


def test_the_current_context(tmp_path: Path) -> None:
    found = load_access(written(tmp_path / "config"), None)
    assert (found.where, found.server, found.namespace) == ("context lab", "http://lab.example:8080", "lab-team")
    assert found.authorization() == "Bearer key"


def test_several_files_are_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [written(tmp_path / name, name=name) for name in ("lab", "prod")]
    monkeypatch.setenv("KUBECONFIG", ":".join(map(str, files)))
    assert load_access(None, "prod").server == "http://prod.example:8080"


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_plugin_gives_the_credentials(tmp_path: Path, version: str) -> None:
    api = f"client.authentication.k8s.io/{version}"
    answer = json.dumps({"apiVersion": api, "kind": "ExecCredential", "status": {"token": "made"}})
    user = {"exec": {"apiVersion": api, "command": "echo", "args": [answer], "interactiveMode": "Never"}}
    assert load_access(written(tmp_path / "config", user=user), None).authorization() == "Bearer made"


def test_a_plugin_that_fails_is_named(tmp_path: Path) -> None:
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "false", "interactiveMode": "Never"}}
    with pytest.raises(ClusterError, match="context lab: the credential plugin false gave no credentials"):
        load_access(written(tmp_path / "config", user=user), None)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"no kubeconfig: there is no .*/config; give --kubeconfig FILE"):
        load_access(tmp_path / "config", None)


@pytest.mark.parametrize("text", ["{", "- a", "contexts: 3", ""])
def test_a_broken_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "config").write_text(text)
    with pytest.raises(ClusterError, match=r"kubeconfig .*/config"):
        load_access(tmp_path / "config", None)


def test_an_unknown_context_gets_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"has no context 'lap'; did you mean lab\?"):
        load_access(written(tmp_path / "config"), "lap")


def test_no_current_context(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="has no current context; choose one with --context: there are: lab"):
        load_access(written(tmp_path / "config", current=None), None)
