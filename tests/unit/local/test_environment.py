"""Environment and command line of containers."""

import sys
from pathlib import Path
from typing import Any

import pytest
from swiftlet.local.environment import (
    ContainerConfigError,
    command_line,
    container_env,
    expanded,
    image_env,
    on_loopback,
)

POD: dict[str, Any] = {
    "metadata": {"name": "p-0", "namespace": "ns", "uid": "u", "annotations": {"example.com/index": "3"}, "labels": {}},
    "spec": {},
}
OBJECTS: dict[tuple[str, str], dict[str, Any]] = {
    ("Secret", "s"): {"kind": "Secret", "metadata": {"name": "s"}, "data": {"token": "aGlkZGVu"}},
    ("ConfigMap", "c"): {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1", "b": "2"}},
}


def lookup(kind: str, name: str) -> dict[str, Any] | None:
    return OBJECTS.get((kind, name))


def env_of(*variables: dict[str, Any], **container: Any) -> dict[str, str]:
    return container_env({"name": "c", "env": list(variables), **container}, POD, lookup, {})


def test_nothing_of_the_shell_leaks_but_what_is_listed() -> None:
    engine = {"PATH": "/bin", "HOME": "/h", "AWS_SECRET": "x", "VLLM_CPU_KVCACHE_SPACE": "4", "XDG_CACHE_HOME": "/c"}
    env = image_env(engine, Path("/root/of/pod"))
    assert "AWS_SECRET" not in env
    assert env["HOME"] == "/h" and env["VLLM_CPU_KVCACHE_SPACE"] == "4" and env["XDG_CACHE_HOME"] == "/c"
    assert env["PATH"].split(":") == [str(Path(sys.executable).parent), "/bin"]
    assert env["SWIFTLET_ROOT"] == "/root/of/pod" and env["SWIFTLET_BIND_HOST"] == "127.0.0.1"


def test_values_from_fields_keys_and_other_variables() -> None:
    found = env_of(
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "INDEX", "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['example.com/index']"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "token"}}},
        {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "b"}}},
        {"name": "SUM", "value": "$(NAME)/$(B)/$(UNKNOWN)/$$(B)"},
        {"name": "NONE", "valueFrom": {"secretKeyRef": {"name": "gone", "key": "k", "optional": True}}},
        envFrom=[{"configMapRef": {"name": "c"}, "prefix": "P_"}],
    )
    assert found == {
        "P_a": "1",
        "P_b": "2",
        "NAME": "p-0",
        "INDEX": "3",
        "IP": "127.0.0.1",
        "TOKEN": "hidden",
        "B": "2",
        "SUM": "p-0/2/$(UNKNOWN)/$(B)",
    }


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(ContainerConfigError) as error:
        env_of(
            {"name": "A", "valueFrom": {"secretKeyRef": {"name": "gone", "key": "k"}}},
            {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "z"}}},
            {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "spec.colour"}}},
        )
    words = str(error.value)
    assert "env A: Secret gone does not exist; create it" in words
    assert "env B: ConfigMap c has no key z; it has a, b" in words
    assert "env C: fieldPath spec.colour is not known" in words


def test_python_is_the_python_of_the_engine() -> None:
    container = {"command": ["python", "-m", "x"], "args": ["--name=$(N)", "$(M)"]}
    assert command_line(container, {"N": "v"}) == [sys.executable, "-m", "x", "--name=v", "$(M)"]


def test_a_container_without_a_command_is_refused() -> None:
    with pytest.raises(ContainerConfigError, match="no command"):
        command_line({"args": ["x"]}, {})


def test_expansion_as_in_kubernetes() -> None:
    assert expanded("$(A)$(B)$$(A)$A$", {"A": "1"}) == "1$(B)$(A)$A$"


@pytest.mark.parametrize(
    ("text", "variable", "expected"),
    [
        ("bird-train-0-0.bird-train.ns.svc", "PET_MASTER_ADDR", "127.0.0.1"),
        ("bird-train-0.bird-train", "X", "127.0.0.1"),
        ("bird-train.ns.svc.cluster.local:80", "X", "127.0.0.1:80"),
        ("http://bird-train:8000/v1", "X", "http://127.0.0.1:8000/v1"),
        ("bird-train", "MASTER_ADDR", "127.0.0.1"),
        ("bird-train", "JOB_NAME", "bird-train"),
        ("/data/bird-train/x", "X", "/data/bird-train/x"),
        ("bird-train.other.svc", "X", "bird-train.other.svc"),
        ("my-bird-train:80", "X", "my-bird-train:80"),
        ("bird-train.json", "FILE", "bird-train.json"),
    ],
)
def test_names_of_services_become_loopback_and_other_words_stay(text: str, variable: str, expected: str) -> None:
    assert on_loopback(text, {"bird-train": "ns"}, variable) == expected
