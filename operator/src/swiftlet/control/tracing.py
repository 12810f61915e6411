"""Spans of looks: `reconcile` with `apply`, `patch`, `delete` and `status` below it. They cost next to nothing until a
tracer is set (observability/tracing.py)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from swiftlet.control.keys import Key

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

PREFIX = "swiftlet."

_tracer: "Tracer | None" = None


def trace_by(tracer: "Tracer | None") -> None:
    """Make spans by `tracer` from now on; by none when None."""
    global _tracer
    _tracer = tracer


@contextmanager
def span(name: str, key: Key, **about: str | int | None) -> Iterator["Span | None"]:
    """A span of what is done to one object. about: more of its attributes, those that are None left out.

    What is raised within is told in it, and raised further.
    """
    if _tracer is None:
        yield None
        return
    kind, namespace, object_name = key
    said = {"kind": kind, "name": object_name, **about}
    attributes = {f"{PREFIX}{one}": value for one, value in said.items() if value is not None}
    with _tracer.start_as_current_span(
        f"{name} {kind}", attributes={**attributes, "k8s.namespace.name": namespace}
    ) as found:
        yield found


def tell(found: "Span | None", **about: str | int | None) -> None:
    """Attributes that are known at the end of a span."""
    if found is None:
        return
    for name, value in about.items():
        if value is not None:
            found.set_attribute(f"{PREFIX}{name}", value)
    if about.get("result") in ("error", "refused"):
        from opentelemetry.trace import Status, StatusCode

        found.set_status(Status(StatusCode.ERROR))
