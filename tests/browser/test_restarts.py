"""A page that is open while the API server is away."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from playwright.sync_api import Browser, expect
from testbed.pages import served

PATIENCE = 30_000
"""Milliseconds: a cluster is read every five seconds."""


class _Lists(BaseHTTPRequestHandler):
    """An API server that has one FineTuneJob, and whose clock is years ahead."""

    def do_GET(self) -> None:
        metadata = {"name": "bird", "namespace": "default", "uid": "1", "creationTimestamp": "2099-01-01T00:00:00Z"}
        items = [{"metadata": metadata, "spec": {}}] if "finetunejobs" in self.path else []
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"metadata": {}, "items": items}).encode())

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def _api_server(port: int) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", port), _Lists) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


def _kubeconfig(folder: Path, port: int) -> Path:
    document = {
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "c",
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(document))
    return path


def test_what_was_read_stays_and_the_page_goes_on_by_itself(
    browser: Browser, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    port = free_port()
    kubeconfig = _kubeconfig(tmp_path, port)
    with served("--kubeconfig", str(kubeconfig)) as url, browser.new_context() as context:
        page = context.new_page()
        link, trouble = page.get_by_role("link", name="bird"), page.get_by_role("alert")
        with _api_server(port):
            page.goto(url)
            expect(link).to_be_visible(timeout=PATIENCE)
            expect(page.get_by_text("context c", exact=True)).to_be_visible()
            expect(page.get_by_role("cell", name="0s")).to_be_visible()
        expect(trouble).to_contain_text("cannot be reached", timeout=PATIENCE)
        expect(link).to_be_visible()
        with _api_server(port):
            expect(trouble).to_be_hidden(timeout=PATIENCE)
            expect(link).to_be_visible()
