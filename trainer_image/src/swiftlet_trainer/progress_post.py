"""Progress events posted to the operator, from a thread of their own: slow or absent, it never holds up the work."""

import atexit
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from swiftlet.wire.messages import PROGRESS_EVENTS_LIMIT, PROGRESS_INTERVAL_FIELD, ProgressEvent

from swiftlet_trainer.paths import in_pod

URL_VARIABLE = "SWIFTLET_PROGRESS_URL"
TOKEN_VARIABLE = "SWIFTLET_PROGRESS_TOKEN"  # noqa: S105
INDEX_VARIABLE = "JOB_COMPLETION_INDEX"
"""Set by the Job controller in each pod of a run. Source: Kubernetes, Indexed Jobs."""

INTERVAL = 2.0
"""Seconds between two posts of figures; what is no figure is posted at once."""
LONGEST_INTERVAL = 300.0
"""The operator may ask for more than INTERVAL where many report, up to this."""
TIMEOUT = 5.0
"""Seconds for one post."""
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 60.0
"""Seconds without a try after a post that failed; doubled with each failure."""
FLUSH_SECONDS = 3.0
"""For what is left when the process ends."""
ANSWER_LIMIT = 4096
"""Bytes of the operator's answer that are read."""
LONGEST_TEXT = 1000
"""Characters of a text; the operator refuses more than 1,024."""
MOST_ENTRIES = 64
"""Entries of an object, such as reasons why rows were dropped; the operator refuses more."""


class Poster:
    """Posts events in their order. Of figures that follow each other only the newest are posted."""

    def __init__(
        self, url: str, token_file: Path, interval: float = INTERVAL, first_pause: float = FIRST_PAUSE
    ) -> None:
        self._url, self._token_file, self._interval, self._first_pause = url, token_file, interval, first_pause
        self._waiting: list[ProgressEvent] = []
        self._changed = threading.Condition()
        self._is_closing = self._has_complained = False
        self._figures_at = self._try_at = self._wished = 0.0
        self._pause = first_pause
        # The operator is in the cluster: a proxy for the world outside does not lead there.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
        self._thread.start()

    def post(self, event: ProgressEvent) -> None:
        """Leave an event to be posted; returns at once."""
        with self._changed:
            self._waiting = folded([*self._waiting, event])
            self._changed.notify()

    def close(self, seconds: float = FLUSH_SECONDS) -> None:
        """Post what is left, for at most `seconds`."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join(seconds)

    def _run(self) -> None:
        while batch := self._next():
            refusal = self._send(batch)
            if refusal is None:
                self._taken()
            else:
                self._refused(batch, *refusal)

    def _next(self) -> list[ProgressEvent]:
        """Wait for the next batch; empty when it is time to end."""
        with self._changed:
            while not self._is_closing and (wait := self._seconds_to_wait()) != 0:
                self._changed.wait(wait)
            batch, self._waiting = self._waiting, []
            return batch

    def _seconds_to_wait(self) -> float | None:
        """0 when the events may be posted now; None while there are none."""
        if not self._waiting:
            return None
        are_figures = all(event.type == "progress" for event in self._waiting)
        due = max(self._try_at, self._figures_at) if are_figures else self._try_at
        return max(0.0, due - time.monotonic())

    def _send(self, batch: list[ProgressEvent]) -> tuple[str, float] | None:
        """Post a batch; None when it was taken, else why not and the seconds that the operator asks to wait."""
        try:
            token = self._token_file.read_text(encoding="ascii").strip()  # anew each time: the kubelet replaces it
            request = urllib.request.Request(  # noqa: S310 - the address is the control plane's
                self._url,
                data=json.dumps([document(event) for event in batch]).encode(),
                headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            )
            with self._opener.open(request, timeout=TIMEOUT) as answer:
                self._wished = wished_interval(answer.read(ANSWER_LIMIT))
        except urllib.error.HTTPError as error:
            with error:
                said = error.read(500).decode(errors="replace")
            return f"{error.code} {said}", _retry_after(error.headers.get("Retry-After"))
        except Exception as error:  # whatever it is, the work goes on
            return f"{type(error).__name__}: {error}", 0.0
        return None

    def _taken(self) -> None:
        with self._changed:
            self._pause, self._has_complained = self._first_pause, False
            self._figures_at = time.monotonic() + max(self._interval, self._wished)

    def _refused(self, batch: list[ProgressEvent], why: str, wait: float) -> None:
        """Say so once, and keep the events for the next try, unless they can never be taken or there is none."""
        if not self._has_complained:
            sys.stderr.write(f"progress cannot be posted to {self._url}: {why}; it is tried again later\n")
        with self._changed:
            self._has_complained = True
            if not why.startswith("400 ") and not self._is_closing:
                self._waiting = folded([*batch, *self._waiting])
            self._try_at = time.monotonic() + max(self._pause, wait)
            self._pause = min(2 * self._pause, LONGEST_PAUSE)


def wished_interval(answer: bytes) -> float:
    """Seconds between posts that the operator asks for; 0 where it says nothing of them, as older ones do."""
    try:
        wished = float(json.loads(answer)[PROGRESS_INTERVAL_FIELD])
    except (ValueError, LookupError, TypeError, OverflowError, RecursionError):
        return 0.0
    return min(wished, LONGEST_INTERVAL) if wished > 0 else 0.0


def folded(events: Sequence[ProgressEvent]) -> list[ProgressEvent]:
    """The newest events that one report may hold, without figures that newer figures follow."""
    kept: list[ProgressEvent] = []
    for event in events:
        if kept and kept[-1].type == event.type == "progress":
            kept.pop()
        kept.append(event)
    return kept[-PROGRESS_EVENTS_LIMIT:]


def document(event: ProgressEvent) -> dict[str, Any]:
    """What is posted of an event: what was said, with texts cut to what the operator takes."""
    said = event.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
    bounded: dict[str, Any] = _bounded(said)
    return bounded


def _bounded(value: Any) -> Any:
    """`value` within what the operator takes, at every depth."""
    if isinstance(value, dict):
        kept = list(value.items())[:MOST_ENTRIES]
        return {name[:LONGEST_TEXT]: _bounded(part) for name, part in kept}
    return value[:LONGEST_TEXT] if isinstance(value, str) else value


def poster_of(environ: Mapping[str, str]) -> Poster | None:
    """The poster that the environment asks for: none without an address, and none but the first pod's of a run."""
    url, token = environ.get(URL_VARIABLE), environ.get(TOKEN_VARIABLE)
    if not url or not token or environ.get(INDEX_VARIABLE, "0") != "0":
        return None
    return Poster(url, in_pod(token))


@cache
def poster() -> Poster | None:
    """This process' poster, flushed when the process ends."""
    found = poster_of(os.environ)
    if found is not None:
        atexit.register(found.close)
    return found


def flush() -> None:
    """Post what is left now, for a process that ends without the interpreter's own clean-up."""
    if poster.cache_info().currsize and (found := poster()):
        found.close()


def _retry_after(text: str | None) -> float:
    """Seconds; 0 where the header is absent or a date."""
    return float(text) if text and text.isdigit() else 0.0
