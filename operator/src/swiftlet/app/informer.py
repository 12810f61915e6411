"""kopf as informer of our own kinds: it watches, and tells what it saw. It writes nothing: no finalizers, annotations
or events. Children are followed by `kube.watching`: kopf cannot ask for metadata alone, and reads every echo whole."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import kopf
from lightkube.config.kubeconfig import SingleConfig

from swiftlet.kube.credentials import authorization
from swiftlet.kube.paths import OWN_TYPES, ResourceType

Manifest = dict[str, Any]
Saw = Callable[[str, str | None, Manifest], None]
"""(kind, ADDED, MODIFIED, DELETED, or None for an object of a listing; the object)."""

LIST_CHUNK = 100
"""Objects of a page: the pages of all kinds are in memory at the same time, and as documents they are large."""
WATCH_SECONDS = 300
"""A watch is begun again after this long, so that one that has silently died is not believed for longer."""
CONNECT_SECONDS = 10.0
REQUEST_SECONDS = 30.0
IDLE_SECONDS = 0.05
"""How long kopf keeps a task, and with it the last event, of an object."""


class NothingRemembered(kopf.DiffBaseStorage):
    """kopf would copy every object for handlers of changes, and there are none."""

    def build(self, *, body: kopf.Body, extra_fields: Iterable[Any] | None = None) -> kopf.BodyEssence:
        return kopf.BodyEssence()

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        raise NotImplementedError("nothing is stored on objects")


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.peering.standalone = True
    settings.persistence.finalizer = "swiftlet.dev/unused"
    settings.persistence.diffbase_storage = NothingRemembered()
    settings.watching.chunk_size = LIST_CHUNK
    settings.watching.server_timeout = WATCH_SECONDS
    settings.watching.connect_timeout = CONNECT_SECONDS
    settings.networking.request_timeout = REQUEST_SECONDS
    # With a limit, a listing waits as a whole in memory: pages come faster than idle tasks give up their place.
    settings.queueing.worker_limit = None
    settings.queueing.idle_timeout = IDLE_SECONDS
    settings.queueing.exit_timeout = IDLE_SECONDS
    return settings


def _selector(found: ResourceType) -> tuple[str, ...]:
    """How kopf names a resource: a tuple of group, version and plural; a string would be taken for a name."""
    return (*found.api_version.split("/"), found.plural)


def _registry(access: SingleConfig, saw: Saw) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry, errors=kopf.ErrorsMode.TEMPORARY, backoff=2)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return await connection(access)

    for kind, found in OWN_TYPES.items():
        kopf.on.event(*_selector(found), registry=registry, id=kind)(_handler(kind, saw))
    return registry


def _handler(kind: str, saw: Saw) -> Callable[..., Any]:
    async def handle(event: kopf.RawEvent, **_: Any) -> None:
        saw(kind, event["type"], dict(event["object"]))

    return handle


async def connection(access: SingleConfig) -> kopf.ConnectionInfo:
    """Credentials for kopf, as fresh as they are; kopf asks again when they are refused."""
    cluster, user = access.cluster, access.user
    scheme, _, token = (await authorization(access) or "").partition(" ")
    files = {
        "ca_path": cluster.certificate_auth,
        "certificate_path": user.client_cert if user else None,
        "private_key_path": user.client_key if user else None,
    }
    inline = {
        "ca_data": cluster.certificate_auth_data,
        "certificate_data": user.client_cert_data if user else None,
        "private_key_data": user.client_key_data if user else None,
    }
    return kopf.ConnectionInfo(
        server=cluster.server,
        insecure=cluster.insecure or None,
        scheme=scheme or None,
        token=token or None,
        **{name: access.abs_file(path) for name, path in files.items() if path},  # type: ignore[arg-type]
        **{name: data for name, data in inline.items() if data},  # type: ignore[arg-type]
    )


async def watch(access: SingleConfig, namespaces: Sequence[str], saw: Saw, on_started: Callable[[], None]) -> None:
    """Watch every kind of ours until it is cancelled. It returns or raises only when the watches have died.

    namespaces: empty means all. on_started: called when kopf has taken over the process' signals, which it does.
    kopf ends every task that is younger than itself together with itself.
    """
    ready = asyncio.Event()

    async def started() -> None:
        await ready.wait()
        on_started()

    starting = asyncio.create_task(started())
    try:
        await kopf.operator(
            registry=_registry(access, saw),
            settings=_settings(),
            standalone=True,
            clusterwide=not namespaces,
            namespaces=list(namespaces),
            ready_flag=ready,
        )
    finally:
        starting.cancel()
