"""The page's own server, for one person on this machine."""

import os
import secrets
import socket
import webbrowser
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI
from fastapi.responses import FileResponse, PlainTextResponse, Response
from nicegui import ui

from swiftlet.cli.errors import CommandError
from swiftlet.cli.places import reports
from swiftlet.cli.reading.finding import existing
from swiftlet.cli.reading.resourcekinds import kind_of
from swiftlet.cli.ui.guard import Guard
from swiftlet.cli.ui.pages.chat import chat
from swiftlet.cli.ui.pages.frame import Site
from swiftlet.cli.ui.pages.overview import overview
from swiftlet.cli.ui.pages.run import run_page

FAREWELL_SECONDS = 2
"""For which open pages are waited for at the end."""
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
    """Serve until Ctrl-C. Raises CommandError where the port is taken or the host is none of this machine's."""
    token = secrets.token_urlsafe(24)
    with _listening(address) as listener:
        port = listener.getsockname()[1]
        name = f"[{address.host}]" if ":" in address.host else address.host
        url = f"http://{name}:{port}/?token={token}"
        app = application(site)
        app.add_middleware(Guard, token=token, port=port, host=address.host)
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=FAREWELL_SECONDS)
        print(f"{url}\nCtrl-C stops.", flush=True)
        if address.opens:
            webbrowser.open(url)
        uvicorn.Server(config).run(sockets=[listener])


def application(site: Site) -> FastAPI:
    """The pages of a site, which whoever reaches them may see: see `Guard`."""
    app = FastAPI(openapi_url=None)
    ui.page("/")(lambda: overview(site))

    @ui.page("/chat")
    async def _chat() -> None:
        await chat(site)

    @ui.page("/run/{kind}/{namespace}/{name}")
    async def _run(kind: str, namespace: str, name: str) -> None:
        await run_page(site, kind, namespace, name)

    @app.get("/report/{kind}/{namespace}/{name}")
    def _report(kind: str, namespace: str, name: str) -> Response:
        return _page_of(site, kind, namespace, name)

    ui.run_with(app, title="Swiftlet", dark=None, language="en-US", tailwind=False, show_welcome_message=False)
    return app


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
