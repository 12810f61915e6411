"""The environment and the command line of a container's process."""

import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from swiftlet.local.secrets import contents

INHERITED = frozenset(
    (
        *("HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "HF_HOME", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH"),
        *("OMP_NUM_THREADS", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    )
)
INHERITED_PREFIXES = ("LC_", "XDG_", "VLLM_")
"""What a container's process takes over from the engine's environment; nothing else, so that no secret of the shell
leaks and a run does not depend on it. PATH is taken over behind the folder of this Python."""

LOOPBACK = "127.0.0.1"
_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_.-][A-Za-z0-9_.-]*)\)")
_HOST_VARIABLE = re.compile(r"(ADDR|HOST|ENDPOINT|URL)", re.IGNORECASE)

Lookup = Callable[[str, str], dict[str, Any] | None]
"""(kind, name) to the object of the pod's namespace."""


class ContainerConfigError(ValueError):
    """The container cannot be started as it is written; reason CreateContainerConfigError."""


def image_env(engine: Mapping[str, str], root: Path) -> dict[str, str]:
    """What the image and the node would give in a cluster. `engine`: the engine's own environment."""
    kept = {name: value for name, value in engine.items() if name in INHERITED or name.startswith(INHERITED_PREFIXES)}
    path = os.pathsep.join([str(Path(sys.executable).parent), engine.get("PATH", os.defpath)])
    return kept | {
        "PATH": path,
        "PYTHONUNBUFFERED": "1",
        "SWIFTLET_ROOT": str(root),
        "SWIFTLET_BIND_HOST": LOOPBACK,
        "GLOO_SOCKET_IFNAME": "lo",
    }


def container_env(
    container: dict[str, Any], pod: dict[str, Any], lookup: Lookup, base: dict[str, str]
) -> dict[str, str]:
    """`base`, then envFrom, then env with `$(NAME)` expanded. Raises ContainerConfigError with every problem."""
    result, problems = dict(base), list[str]()
    for source in container.get("envFrom") or []:
        try:
            result.update(_all_of(source, lookup))
        except ValueError as error:
            problems.append(str(error))
    for variable in container.get("env") or []:
        try:
            value = _value(variable, pod, lookup, result)
        except ValueError as error:
            problems.append(f"env {variable['name']}: {error}")
        else:
            if value is not None:
                result[variable["name"]] = value
    if problems:
        raise ContainerConfigError("; ".join(problems))
    return result


def command_line(container: dict[str, Any], env: Mapping[str, str]) -> list[str]:
    """`command` and `args` with `$(NAME)` expanded; `python` is the Python that runs the engine.

    Raises ContainerConfigError when there is no command, as an image's own cannot be known here.
    """
    words = [expanded(word, env) for word in [*(container.get("command") or []), *(container.get("args") or [])]]
    if not container.get("command"):
        raise ContainerConfigError("it has no command; local containers have no image, so set one")
    return [sys.executable, *words[1:]] if words[0] in ("python", "python3") else words


def expanded(text: str, env: Mapping[str, str]) -> str:
    """`$(NAME)` replaced by its value, left as it is when unknown; `$$` is a dollar sign.

    Source: Kubernetes, third_party/forked/golang/expansion.
    """
    return _REFERENCE.sub(lambda found: "$" if found[1] is None else env.get(found[1], found[0]), text)


def on_loopback(text: str, services: Mapping[str, str], variable: str = "") -> str:
    """`text` with the names of services, and of pods below them, replaced by 127.0.0.1.

    services: {name: namespace}. A name without a dot is replaced only before a port, or as the whole value of a
    variable that is named like a host, since it may be any other word elsewhere.
    """
    for name, namespace in services.items():
        service, zone = re.escape(name), rf"\.{re.escape(namespace)}(?:\.svc(?:\.cluster\.local)?)?"
        dotted = rf"(?:[a-z0-9-]+\.{service}(?:{zone})?|{service}{zone})(?![a-z0-9.-])"
        text = re.sub(rf"(?<![a-z0-9.-])(?:{dotted}|{service}(?=:\d))", LOOPBACK, text)
        if text == name and _HOST_VARIABLE.search(variable):
            text = LOOPBACK
    return text


def _all_of(source: dict[str, Any], lookup: Lookup) -> dict[str, str]:
    kind, reference = (
        ("ConfigMap", source["configMapRef"]) if "configMapRef" in source else ("Secret", source["secretRef"])
    )
    found = lookup(kind, reference["name"])
    if found is None:
        if reference.get("optional"):
            return {}
        raise ValueError(f"envFrom: {kind} {reference['name']} does not exist; create it")
    prefix = source.get("prefix", "")
    return {prefix + key: content.decode() for key, content in contents(found).items()}


def _value(variable: dict[str, Any], pod: dict[str, Any], lookup: Lookup, known: dict[str, str]) -> str | None:
    source = variable.get("valueFrom")
    if source is None:
        return expanded(variable.get("value", ""), known)
    if "fieldRef" in source:
        return field_value(pod, source["fieldRef"]["fieldPath"])
    for kind, name in (("Secret", "secretKeyRef"), ("ConfigMap", "configMapKeyRef")):
        if name in source:
            return _key_value(kind, source[name], lookup)
    raise ValueError(
        f"valueFrom.{next(iter(source), '')} is not known here; use value, fieldRef, secretKeyRef or configMapKeyRef"
    )


def field_value(pod: dict[str, Any], path: str) -> str:
    """A field of the pod, as the downward API names it. Raises ValueError for one that it does not have.

    Source: Kubernetes, pkg/fieldpath.
    """
    metadata, spec = pod["metadata"], pod["spec"]
    keyed = re.fullmatch(r"metadata\.(annotations|labels)\['([^']+)'\]", path)
    if keyed:
        return str((metadata.get(keyed[1]) or {}).get(keyed[2], ""))
    fields = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": "localhost",
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        "status.podIP": LOOPBACK,
        "status.podIPs": LOOPBACK,
        "status.hostIP": LOOPBACK,
        "status.hostIPs": LOOPBACK,
    }
    if path not in fields:
        raise ValueError(f"fieldPath {path} is not known; use one of {', '.join(fields)}")
    return str(fields[path])


def _key_value(kind: str, reference: dict[str, Any], lookup: Lookup) -> str | None:
    found = lookup(kind, reference["name"])
    values = contents(found) if found else {}
    if reference["key"] in values:
        return values[reference["key"]].decode()
    if reference.get("optional"):
        return None
    if found is None:
        raise ValueError(f"{kind} {reference['name']} does not exist; create it")
    listed = ", ".join(sorted(values)) or "none"
    raise ValueError(f"{kind} {reference['name']} has no key {reference['key']}; it has {listed}")
