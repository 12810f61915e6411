"""Kubeconfig documents. They are JSON, which every reader of YAML reads too."""

import base64
import json
from pathlib import Path
from typing import Any

from testbed.certificates import Pair, write_secret


def kubeconfig(server: str, ca: bytes, user: dict[str, Any], namespace: str = "default") -> str:
    """A kubeconfig with one context. `ca` is PEM; `user` comes from `by_certificate` or `by_token`."""
    cluster = {"server": server, "certificate-authority-data": _encoded(ca)}
    context = {"cluster": "testbed", "user": "user", "namespace": namespace}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "testbed", "cluster": cluster}],
        "users": [{"name": "user", "user": user}],
        "contexts": [{"name": "testbed", "context": context}],
        "current-context": "testbed",
    }
    return json.dumps(document, indent=1)


def by_certificate(pair: Pair) -> dict[str, Any]:
    """A user who shows a client certificate."""
    return {"client-certificate-data": _encoded(pair.certificate), "client-key-data": _encoded(pair.key)}


def by_token(token: str) -> dict[str, Any]:
    """A user who shows a bearer token."""
    return {"token": token}


def write_kubeconfig(path: Path, document: str) -> Path:
    """Write a kubeconfig that only its owner reads; its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_secret(path, document.encode())
    return path


def _encoded(pem: bytes) -> str:
    return base64.b64encode(pem).decode()
