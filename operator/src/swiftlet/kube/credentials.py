"""How to reach the API server, and as whom: from a kubeconfig, or from the pod's service account."""

import ssl
from pathlib import Path

import httpx2
from lightkube import KubeConfig
from lightkube.config.client_adapter import user_auth, verify_cluster
from lightkube.config.kubeconfig import SERVICE_ACCOUNT, SingleConfig
from lightkube.core.exceptions import ConfigError


class NoClusterError(Exception):
    """No cluster is configured, or what is configured cannot be used. The message says what to do."""


def load_access(kubeconfig: Path | None) -> SingleConfig:
    """The current context of a kubeconfig; without one, the service account that is mounted into the pod.

    Raises NoClusterError.
    """
    try:
        if kubeconfig is None:
            found = KubeConfig.from_service_account().get()
        else:
            found = KubeConfig.from_file(kubeconfig).get()
    except (ConfigError, KeyError, TypeError, ValueError) as error:
        raise NoClusterError(_no_cluster(kubeconfig, error)) from error
    if found is None:
        raise NoClusterError(_no_cluster(kubeconfig, "it has no current-context"))
    return found


def _no_cluster(kubeconfig: Path | None, problem: object) -> str:
    if kubeconfig is None:
        return (
            f"no cluster: there is no service account at {SERVICE_ACCOUNT}, so this is not a pod; outside of a cluster"
            " give --kubeconfig FILE (or set KUBECONFIG)"
        )
    return f"--kubeconfig {kubeconfig}: {problem}; give a kubeconfig with a current context"


def tls_of(access: SingleConfig) -> ssl.SSLContext:
    """TLS with the cluster's CA and the user's certificate. Raises NoClusterError."""
    try:
        return verify_cluster(access.cluster, access.user, access.abs_file, trust_env=False)  # type: ignore[arg-type]
    except (OSError, ssl.SSLError) as error:
        raise NoClusterError(f"context {access.context_name}: certificates cannot be read: {error}") from error


async def authorization(access: SingleConfig) -> str | None:
    """The Authorization header as of now: tokens in files are read again, plugins are run. None without one.

    Raises NoClusterError.
    """
    try:
        auth = user_auth(access.user)
        if auth is None:
            return None
        flow = auth.async_auth_flow(httpx2.Request("GET", access.cluster.server))
        try:
            request = await anext(flow)
        finally:
            await flow.aclose()
    except ConfigError as error:
        raise NoClusterError(f"context {access.context_name}: {error}") from error
    found: str | None = request.headers.get("Authorization")
    return found
