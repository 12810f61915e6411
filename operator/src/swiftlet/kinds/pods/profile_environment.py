"""Variables and volumes that a ComputeProfile's environment comes to. Names of our own cannot be among them: what `env`
may set is an allow-list (api/v1alpha1/profile_environment.py)."""

from typing import Any

from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec
from swiftlet.api.v1alpha1.profile_environment import Proxy
from swiftlet.storage.mount import Mount

CA_FOLDER = "/swiftlet/ca"
CA_FILE = f"{CA_FOLDER}/ca.crt"
CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Read by: Python's ssl, httpx and rustls (hub and its transfers); requests; libcurl."""

DIRECT = ("localhost", "127.0.0.1", ".svc", ".cluster.local")
"""Never by a proxy: a pod's own servers, and Services of the cluster."""


def profile_env(profile: ComputeProfileSpec) -> list[dict[str, Any]]:
    """Variables of every container."""
    return [
        *({"name": variable.name, "value": variable.value} for variable in profile.env),
        *_proxy_env(profile.proxy),
        *({"name": name, "value": CA_FILE} for name in CA_VARIABLES if profile.ca_bundle),
    ]


def profile_mounts(profile: ComputeProfileSpec) -> tuple[Mount, ...]:
    """Volumes of every pod."""
    if profile.ca_bundle is None:
        return ()
    ref = profile.ca_bundle.config_map_ref
    items = [{"key": ref.key, "path": CA_FILE.rpartition("/")[2]}]
    return (Mount("ca", {"configMap": {"name": ref.name, "items": items}}, CA_FOLDER),)


def _proxy_env(proxy: Proxy | None) -> list[dict[str, Any]]:
    """Each in capitals and in small letters: curl reads HTTP_PROXY in small letters only."""
    if proxy is None:
        return []
    direct = ",".join(dict.fromkeys([*DIRECT, *proxy.no_proxy]))
    values = {"HTTP_PROXY": proxy.http, "HTTPS_PROXY": proxy.https, "NO_PROXY": direct}
    set_ = {name: value for name, value in values.items() if value}
    return [{"name": name, "value": value} for upper, value in set_.items() for name in (upper, upper.lower())]


def hub_env(profile: ComputeProfileSpec) -> list[dict[str, Any]]:
    """Variables of containers that fetch from the hub. The token comes by reference, so that no object but the Secret
    holds it; where a mirror is there, nothing is asked of the hub."""
    hub = profile.hub
    env: list[dict[str, Any]] = []
    if hub and hub.endpoint:
        env.append({"name": "HF_ENDPOINT", "value": hub.endpoint})
    if hub and hub.token_secret_ref:
        ref = hub.token_secret_ref
        env.append({"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": ref.name, "key": ref.key}}})
    if profile.storage.models_claim:
        env.append({"name": "HF_HUB_OFFLINE", "value": "1"})
    return env
