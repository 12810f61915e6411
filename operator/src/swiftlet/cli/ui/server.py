"""The page's own server: for one person on this machine, or for all who log in to a cluster."""

import os
import secrets
import socket
import webbrowser
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, PlainTextResponse, Response
from nicegui import ui

from swiftlet.cli.errors import CommandError
from swiftlet.cli.places import reports
from swiftlet.cli.reading.finding import existing
from swiftlet.cli.reading.resourcekinds import kind_of
from swiftlet.cli.ui.guard import Guard
from swiftlet.cli.ui.login import SESSION, Login
from swiftlet.cli.ui.pages.chat import chat
from swiftlet.cli.ui.pages.frame import Site
from swiftlet.cli.ui.pages.overview import overview
from swiftlet.cli.ui.pages.run import run_page
from swiftlet.cli.ui.pages.sockets import bind_sockets
from swiftlet.cli.ui.sessions import Session, Sessions

FAREWELL_SECONDS = 2
"""For which open pages are waited for at the end."""
CLUSTER_SECONDS = 5.0
"""Between two readings: each is a dozen requests."""
REPORT_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""A report is a page of texts and pictures, and of no scripts."""


@dataclass(frozen=True)
class Address:
    """Where the page is."""

    host: str
    port: int
    opens: bool
    """A browser, once the server listens."""


def serve(site: Site, address: Address) -> None:
    """Serve one person until Ctrl-C. Raises CommandError where the port is taken or the host is none of this
    machine's."""
    token = secrets.token_urlsafe(24)
    with _listening(address) as listener:
        port = listener.getsockname()[1]
        name = f"[{address.host}]" if ":" in address.host else address.host
        url = f"http://{name}:{port}/?token={token}"
        app = application(lambda request: _asked(site, request))
        app.add_middleware(Guard, token=token, port=port, host=address.host)
        print(f"{url}\nCtrl-C stops.", flush=True)
        if address.opens:
            webbrowser.open(url)
        _run(app, listener)


def serve_all(sessions: Sessions, names: Sequence[str], address: Address) -> None:
    """Serve whoever logs in, until SIGTERM. names: of the hosts that people ask. Raises CommandError as `serve`."""
    with _listening(address) as listener:
        app = application(_of_session)
        bind_sockets(SESSION)
        app.add_middleware(Login, sessions=sessions, names=tuple(names))
        print(f"listening on {address.host}:{listener.getsockname()[1]}", flush=True)
        # Whoever forges a proxy's headers says of his own request how it came, and redirects lead him there alone.
        _run(app, listener, proxies="*")


def application(site_of: Callable[[Request], Site]) -> FastAPI:
    """The pages, which whoever reaches them may see: `Guard` or `Login` stands before them. site_of: what a request
    is about."""
    app = FastAPI(openapi_url=None)

    @ui.page("/")
    async def _overview(request: Request) -> None:
        await overview(site_of(request))

    @ui.page("/chat")
    async def _chat(request: Request) -> None:
        await chat(site_of(request))

    @ui.page("/run/{kind}/{namespace}/{name}")
    async def _of_run(request: Request, kind: str, namespace: str, name: str) -> None:
        await run_page(site_of(request), kind, namespace, name)

    @app.get("/report/{kind}/{namespace}/{name}")
    def _report(request: Request, kind: str, namespace: str, name: str) -> Response:
        return _page_of(site_of(request), kind, namespace, name)

    ui.run_with(app, title="Swiftlet", dark=None, language="en-US", tailwind=False, show_welcome_message=False)
    return app


def _asked(site: Site, request: Any) -> Site:
    """In the namespace that the address names."""
    return replace(site, namespace=request.query_params.get("namespace") or site.namespace)


def _of_session(request: Any) -> Site:
    session: Session = request.scope[SESSION]
    session.namespace = request.query_params.get("namespace") or session.namespace
    return Site(session.world, session.namespace, "this cluster", CLUSTER_SECONDS, session)


def _run(app: FastAPI, listener: socket.socket, proxies: str | None = None) -> None:
    """proxies: addresses whose X-Forwarded-Proto is believed; None: this machine's."""
    settings: dict[str, Any] = {"log_level": "warning", "server_header": False, "forwarded_allow_ips": proxies}
    config = uvicorn.Config(app, timeout_graceful_shutdown=FAREWELL_SECONDS, **settings)
    uvicorn.Server(config).run(sockets=[listener])


def _page_of(site: Site, kind: str, namespace: str, name: str) -> Response:
    """A run's own HTML page."""
    folder = site.world.folder
    try:
        pages = reports(folder, existing(site.world, kind_of(kind), namespace, name)) if folder else []
    except CommandError as error:
        return PlainTextResponse(str(error), 404)
    if not pages:
        return PlainTextResponse(f"{kind}/{name} has left no report on this machine", 404)
    return FileResponse(pages[0], headers={"content-security-policy": REPORT_POLICY})


def _listening(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family)
    except socket.gaierror as error:
        raise CommandError(f"--host {address.host}: {error.strerror}; name an address of this machine") from error
    except OSError as error:
        # Of a bind, `strerror` tells the address once more.
        why = os.strerror(error.errno or 0)
        raise CommandError(
            f"cannot listen on {address.host}:{address.port}: {why}; name another with --port or --host"
        ) from error
