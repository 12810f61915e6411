"""An API server that answers what a test says, behind real HTTP."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from swiftlet.cluster.access import Access
from swiftlet.cluster.connection import Connection

Object = dict[str, Any]


@dataclass
class Played:
    """Answers by method and path (without the query); whatever else is asked for is not found."""

    url: str = ""
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Method and path with the query, and the headers."""

    def says(self, what: str, body: Any, code: int = 200) -> None:
        """`GET /api/v1/pods`, a document or text, and the HTTP status."""
        self.answers[what] = code, body.encode() if isinstance(body, str) else json.dumps(body).encode()

    def refuses(self, what: str, code: int, reason: str, message: str) -> None:
        """With a metav1.Status."""
        self.says(what, {"kind": "Status", "reason": reason, "message": message, "code": code}, code)

    def connection(self, authorization: str | None = None, url: str | None = None) -> Connection:
        return Connection(Access("context lab", url or self.url, "team", None, lambda: authorization))


@pytest.fixture
def server() -> Iterator[Played]:
    played = Played()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            played.asked.append((f"{self.command} {self.path}", dict(self.headers)))
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            missing = json.dumps({"kind": "Status", "reason": "NotFound", "message": "not found"}).encode()
            code, body = played.answers.get(f"{self.command} {self.path.partition('?')[0]}", (404, missing))
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = answer  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        played.url = f"http://127.0.0.1:{http.server_port}"
        yield played
        http.shutdown()
