"""Log lines that can be searched: each says which resource it is about, and which look at it."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Literal

from opentelemetry.trace import format_span_id, format_trace_id, get_current_span

from swiftlet.control.context import current

LogFormat = Literal["json", "text"]

QUIET = ("kopf", "asyncio", "aiohttp.access")
"""Loggers of libraries that tell about every object; their warnings are still told."""


def configure_logs(style: LogFormat, level: str) -> None:
    """Write log lines to stderr; `level` is one of Python's (DEBUG, INFO, WARNING, ERROR)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))


def _about(record: logging.LogRecord) -> dict[str, Any]:
    """The resource and the look that the line is about."""
    work = current.get()
    if work is None or not record.name.startswith("swiftlet"):
        return {}
    about = {"kind": work.kind, "namespace": work.namespace, "name": work.name, "reconcile": work.number}
    return about | _of_trace()


def _of_trace() -> dict[str, str]:
    """Ids of the trace and the span that the line belongs to, in the form in which collectors show them."""
    found = get_current_span().get_span_context()
    if not found.is_valid:
        return {}
    return {"trace_id": format_trace_id(found.trace_id), "span_id": format_span_id(found.span_id)}


class JsonFormatter(logging.Formatter):
    """One JSON object for each line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_about(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """For people."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        about = _about(record)
        where = f" {about['kind']} {about['namespace']}/{about['name']} #{about['reconcile']}:" if about else ""
        where += f" trace_id={about['trace_id']}" if "trace_id" in about else ""
        text = f"{moment} {record.levelname:<7}{where} {record.getMessage()}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text
