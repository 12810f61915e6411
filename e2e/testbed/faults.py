"""What can go wrong between a client and the API server, as rules that the fault proxy follows."""

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

WRITES = frozenset({"create", "apply", "patch", "update", "delete", "deletecollection"})
_PATCHES = {"application/apply-patch+yaml": "apply", "application/apply-patch+cbor": "apply"}
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_PATH = re.compile(
    r"^/(?:api|apis/(?P<group>[^/]+))/(?P<version>[^/]+)"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/[^/]))?/(?P<resource>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<subresource>.+))?)?$"
)


@dataclass
class Call:
    """One request to the API server, as Kubernetes' authorization sees it, and what became of it."""

    verb: str
    """get, list, watch, create, apply, patch, update, delete or deletecollection; the HTTP method of other requests."""
    path: str
    resource: str = ""
    """Plural; empty for requests such as /version."""
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    manager: str = ""
    """The query's fieldManager."""
    code: int | None = None
    """HTTP status that the client was given; None while it waits, and for a connection that was dropped."""
    at: float = field(default_factory=time.monotonic)
    """When it arrived, in seconds of the monotonic clock."""
    reached: bool = False
    """Whether the API server answered it."""

    @property
    def is_write(self) -> bool:
        """Whether it asks for a change. Reviews (of tokens and rights) are creations that change nothing."""
        return self.verb in WRITES and not self.resource.endswith("reviews")

    def __str__(self) -> str:
        where = "/".join(part for part in (self.namespace, self.name, self.subresource) if part)
        return f"{self.verb} {self.resource or self.path} {where}".rstrip()


def call_of(method: str, path: str, query: Mapping[str, str], content_type: str = "") -> Call:
    """The call that an HTTP request makes. Source: Kubernetes documentation, "Determine the request verb"."""
    manager = query.get("fieldManager", "")
    match = _PATH.match(path)
    if match is None:
        return Call(method.lower(), path, manager=manager)
    resource, namespace, name, subresource = (
        match[part] or "" for part in ("resource", "namespace", "name", "subresource")
    )
    verb = _PATCHES.get(content_type.partition(";")[0]) or _VERBS.get(method, "get")
    if verb == "get" and query.get("watch") in ("true", "1"):
        verb = "watch"
    elif not name:
        verb = {"get": "list", "delete": "deletecollection"}.get(verb, verb)
    return Call(verb, path, resource, namespace, name, subresource, manager)


@dataclass(frozen=True)
class Refuse:
    """Answer in the API server's place; it never hears of the request."""

    code: int
    reason: str = "InternalError"
    retry_after: int | None = None
    """Seconds, as a Retry-After header."""

    @property
    def message(self) -> str:
        """Told in the metav1.Status."""
        return f"fault: {self.code} {self.reason}"


@dataclass(frozen=True)
class Drop:
    """Close the connection without an answer: before the API server hears of the request, or after it has done it."""

    when: Literal["before", "after"]
    then: Callable[[], None] | None = None
    """Called before the connection is closed, such as to kill the client."""


@dataclass(frozen=True)
class Delay:
    """Hand the request on after a while."""

    seconds: float


@dataclass(frozen=True)
class Hold:
    """Hand the request on when `released` is set, or the client has left."""

    released: threading.Event


@dataclass(frozen=True)
class EndWatch:
    """End a watch after some events: in the middle of the next line, with 410 Gone, or as servers end it."""

    how: Literal["torn", "gone", "closed"]
    events: int = 0


Act = Refuse | Drop | Delay | Hold | EndWatch


@dataclass
class Fault:
    """One rule: what to do with the nth to (nth+times-1)th request that matches. An empty field matches everything."""

    act: Act
    verb: str = ""
    """A verb, or `write` for all that change something."""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str | None = None
    """None matches any, the empty text the object itself."""
    nth: int = 1
    times: int = 1
    seen: int = field(default=0, init=False)
    """Requests that matched so far."""
    done: int = field(default=0, init=False)
    """Requests that it was done to."""

    def matches(self, call: Call) -> bool:
        """Whether the rule is about this request. Watches are ended, and nothing else is."""
        if isinstance(self.act, EndWatch) and call.verb != "watch":
            return False
        return (
            (self.verb in ("", call.verb) or (self.verb == "write" and call.is_write))
            and self.resource in ("", call.resource)
            and self.namespace in ("", call.namespace)
            and self.name in ("", call.name)
            and self.subresource in (None, call.subresource)
        )

    def strikes(self, call: Call) -> bool:
        """Count a request; whether it is one to do it to."""
        if not self.matches(call):
            return False
        self.seen += 1
        hit = self.nth <= self.seen < self.nth + self.times
        self.done += hit
        return hit
