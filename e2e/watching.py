"""Waiting for a resource on a cluster, and telling all there is to know when it does not come."""

import json
import time
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any, Protocol

import pytest


class Cluster(Protocol):
    """What the proofs need of a cluster: the test bed's own, or any other."""

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of an administrator."""

    def add_volume(self, name: str, size: str, folder: Path, claim: tuple[str, str] | None = None) -> None:
        """Make a ReadWriteMany PersistentVolume of class `swiftlet-hostpath`."""

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True) -> Any:
        """Run kubectl as the administrator; a CompletedProcess with text output."""


def get(cluster: Cluster, namespace: str, kind: str, name: str) -> dict[str, Any] | None:
    """One object, or None when there is none."""
    done = cluster.kubectl("get", kind, name, "-n", namespace, "-o", "json", "--ignore-not-found")
    found: dict[str, Any] | None = json.loads(done.stdout) if done.stdout.strip() else None
    return found


def items(cluster: Cluster, namespace: str, kind: str, selector: str = "") -> list[dict[str, Any]]:
    """Objects of one kind."""
    done = cluster.kubectl("get", kind, "-n", namespace, "-l", selector, "-o", "json")
    found: list[dict[str, Any]] = json.loads(done.stdout)["items"]
    return found


def condition(manifest: dict[str, Any] | None, type_: str) -> dict[str, Any]:
    """One condition of an object; an empty one while it has none."""
    found = ((manifest or {}).get("status") or {}).get("conditions") or []
    return next((each for each in found if each["type"] == type_), {})


def until(what: str, look: Callable[[], Any], seconds: float, pause: float | None = None) -> Any:
    """The first true answer of `look`, which is asked each `pause` seconds, or as `pauses` has it. Fails the test after
    `seconds`, telling what was waited for."""
    deadline = time.monotonic() + seconds
    waits = pauses() if pause is None else repeat(pause)
    while not (found := look()):
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(next(waits))
    return found


def pauses() -> Iterator[float]:
    """Seconds between two looks: a tenth of the time that has passed, 1 to 5. A look is a process of its own, and what
    is waited for runs on the same cores."""
    began = time.monotonic()
    while True:
        yield min(max((time.monotonic() - began) / 10, 1.0), 5.0)


def until_true(
    cluster: Cluster, namespace: str, kind: str, name: str, type_: str, seconds: float, never: str | None = None
) -> dict[str, Any]:
    """The resource once its condition `type_` is True.

    Fails at once when condition `never` (by default `type_`, where it is Succeeded) is False: it will not come.
    """
    never = never or (type_ if type_ == "Succeeded" else None)
    deadline, waits = time.monotonic() + seconds, pauses()
    while True:
        found = get(cluster, namespace, kind, name)
        if found and condition(found, type_).get("status") == "True":
            return found
        if never and condition(found, never).get("status") == "False":
            pytest.fail(f"{kind}/{name}: {condition(found, never)}\n{story(cluster, namespace)}")
        if time.monotonic() > deadline:
            pytest.fail(f"{kind}/{name} is not {type_} after {seconds:.0f} s\n{story(cluster, namespace)}")
        time.sleep(next(waits))


def story(cluster: Cluster, namespace: str) -> str:
    """All that a person would look at first."""
    looks = [
        ("get", "ftj,evr,mdep,jobs,deployments,pods,pvc", "-n", namespace, "-o", "wide"),
        ("get", "events", "-n", namespace, "--sort-by=.lastTimestamp"),
        ("get", "ftj,evr,mdep", "-n", namespace, "-o", "jsonpath={range .items[*]}{.kind} {.status.conditions}\n{end}"),
        ("logs", "-n", namespace, "-l", "app.kubernetes.io/managed-by=swiftlet", "--all-containers", "--tail=15"),
    ]
    told = []
    for arguments in looks:
        done = cluster.kubectl(*arguments, check=False)
        told.append(f"$ kubectl {' '.join(arguments)}\n{done.stdout}{done.stderr}")
    return "\n".join(told)
