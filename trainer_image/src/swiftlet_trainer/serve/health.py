"""The health port: /readyz once every served name has answered, /livez while the engine lives."""

import json
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from swiftlet.wire.documents import LIVE_PATH, READY_PATH

OK, UNAVAILABLE, NOT_FOUND = 200, 503, 404


class State:
    """What the port shows; written by the supervisor."""

    def __init__(self) -> None:
        self.phase = "checking the model and its adapters"
        self._names: list[str] = []
        self._seconds = 0.0
        self._problem: Callable[[], str | None] | None = None

    def ready(self, names: Sequence[str], seconds: float, problem: Callable[[], str | None]) -> None:
        """Every name answered, `seconds` after the start. problem: why the engine does not any more, if so."""
        self._names, self._seconds, self.phase = list(names), seconds, "serving"
        self._problem = problem

    def stopping(self) -> None:
        """No new requests, please."""
        self._problem, self.phase = None, "stopping"

    def readyz(self) -> tuple[int, dict[str, Any]]:
        """200 with the names and the seconds from start to the last name's first token; 503 with the phase before."""
        if self._problem is None:
            return UNAVAILABLE, {"phase": self.phase}
        return OK, {"names": self._names, "seconds": round(self._seconds, 1)}

    def livez(self) -> tuple[int, dict[str, Any]]:
        """200 while the engine starts or stops (its end ends the pod), then while its own /health is."""
        asked = self._problem
        problem = asked() if asked else None
        return (UNAVAILABLE, {"phase": problem}) if problem else (OK, {"phase": self.phase})


def serve_health(host: str, port: int, state: State) -> ThreadingHTTPServer:
    """Serve `state` in a thread until the server's shutdown(). Raises OSError when the port cannot be bound."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            routes = {READY_PATH: state.readyz, LIVE_PATH: state.livez}
            route = routes.get(self.path.partition("?")[0])
            status, content = route() if route else (NOT_FOUND, {"paths": list(routes)})
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Probes come every few seconds; a line for each would bury the log."""

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
