"""From a kubeconfig to an API server and who asks there.

The official client's loader reads it: several files in one, credential plugins of every version, certificates as data.
Sources: kubernetes.io, "Organizing Cluster Access Using kubeconfig Files"; client-go credential plugins.
"""

import os
import ssl
from pathlib import Path
from typing import Any

from kubernetes.client import Configuration
from kubernetes.config import ConfigException
from kubernetes.config.kube_config import KubeConfigLoader, KubeConfigMerger

from swiftlet.api.schema.validation import nearest
from swiftlet.cluster.access import Access, authority
from swiftlet.cluster.errors import ClusterError

DEFAULT = Path("~/.kube/config")


def load_access(kubeconfig: Path | None, context: str | None) -> Access:
    """A context of the kubeconfig (default: $KUBECONFIG, else ~/.kube/config), or its current one.

    Raises ClusterError for a file that is missing or broken, and for a context that is not there.
    """
    files = _files(kubeconfig)
    merged = _merged(files)
    name = _context(merged.value, files, context)
    try:
        loader, settings = KubeConfigLoader(merged, active_context=name), Configuration()
        loader.load_and_set(settings)
        _check_credentials(loader, settings)
        tls = _tls(settings) if settings.host.startswith("https") else None
    except (ConfigException, OSError, ValueError) as error:
        raise ClusterError(f"kubeconfig {files}, context {name}: {error}") from error
    return Access(
        f"context {name}",
        settings.host.rstrip("/"),
        loader.current_context["context"].get("namespace") or "default",
        tls,
        lambda: settings.get_api_key_with_prefix("BearerToken"),
        settings.tls_server_name,
        getattr(loader, "proxy", None),
    )


def contexts(kubeconfig: Path | None) -> list[str]:
    """The names of a kubeconfig's contexts. Raises ClusterError."""
    return [str(one["name"]) for one in _merged(_files(kubeconfig)).value["contexts"]]


def _files(kubeconfig: Path | None) -> str:
    return str(kubeconfig or os.environ.get("KUBECONFIG") or DEFAULT.expanduser())


def _merged(files: str) -> Any:
    try:
        merged = KubeConfigMerger(files).config
    except Exception as error:  # what is no YAML and what has another form fails in many ways
        raise ClusterError(f"kubeconfig {files} cannot be read: {' '.join(str(error).split())}") from error
    if merged is None:
        raise ClusterError(f"no kubeconfig: there is no {files}; give --kubeconfig FILE, or set KUBECONFIG")
    return merged


def _context(document: dict[str, Any], files: str, wanted: str | None) -> str:
    names = [str(one["name"]) for one in document["contexts"]]
    chosen = wanted or document.get("current-context")
    there = f"there are: {', '.join(names)}" if names else "there is none"
    if not chosen:
        raise ClusterError(f"kubeconfig {files} has no current context; choose one with --context: {there}")
    if chosen not in names:
        close = nearest(chosen, names)
        hint = f"did you mean {close}?" if close else there
        raise ClusterError(f"kubeconfig {files} has no context {chosen!r}; {hint}")
    return str(chosen)


def _check_credentials(loader: KubeConfigLoader, settings: Configuration) -> None:
    """The loader logs why a credential plugin failed, and goes on as nobody."""
    user = loader._user
    if user is not None and "exec" in user and not getattr(loader, "token", None) and not settings.cert_file:
        command = user["exec"]["command"]
        raise ConfigException(f"the credential plugin {command} gave no credentials; run it by itself to see why")


def _tls(settings: Configuration) -> ssl.SSLContext:
    found = authority(settings.ssl_ca_cert)
    if not settings.verify_ssl:
        found.check_hostname, found.verify_mode = False, ssl.CERT_NONE
    if settings.cert_file:
        found.load_cert_chain(settings.cert_file, settings.key_file)
    return found
