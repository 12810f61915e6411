"""An API server that knows a few tokens, for the page of a cluster for all who log in."""

import json
import re
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler
from typing import Any

from .answering import answering

Object = dict[str, Any]
TOKENS = {"a-token": "ada", "b-token": "bob", "c-token": "cyd"}
JOBS = {"default": "bird", "team-a": "finch"}


def accounts() -> AbstractContextManager[str]:
    """Its URL."""
    return answering(_Answers)


class _Answers(BaseHTTPRequestHandler):
    """Ada may list everything; bob may list nothing but runs, and no namespaces."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        person = TOKENS.get((self.headers.get("Authorization") or "").removeprefix("Bearer "))
        code, document = self._said(person) if person else (401, _status(401, "Unauthorized", "Unauthorized"))
        body = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def _said(self, person: str) -> tuple[int, Object]:
        if "selfsubjectreviews" in self.path:
            return 201, {"status": {"userInfo": {"username": person}}}
        if re.match(r"/api/v1/namespaces\?", self.path):
            if person == "bob":
                return 403, _status(403, "Forbidden", "no namespaces for bob")
            return 200, {"metadata": {}, "items": [{"metadata": {"name": name}} for name in JOBS]}
        items = []
        if "/finetunejobs?" in self.path:
            wanted = re.search(r"/namespaces/([^/]+)/", self.path)
            times = {"uid": "1", "creationTimestamp": "2026-01-01T00:00:00Z"}
            named = [(where, name) for where, name in JOBS.items() if not wanted or wanted[1] == where]
            items = [{"metadata": {"name": name, "namespace": where, **times}, "spec": {}} for where, name in named]
        return 200, {"metadata": {}, "items": items}

    def log_message(self, *_: Any) -> None:
        """Nothing."""


def _status(code: int, reason: str, message: str) -> Object:
    return {"kind": "Status", "code": code, "reason": reason, "message": message}
