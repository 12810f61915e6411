"""What Job controllers say about pods that they cannot make: read from Events, only when somebody wants to know.

Events are not watched: they are many, and nearly all of them are about something else.
"""

import logging
import random
import re
import time
from collections.abc import Callable
from typing import Any

from swiftlet.api.v1alpha1.backends import BACKENDS
from swiftlet.control.keys import Key
from swiftlet.kinds.frame.reading import Complaint
from swiftlet.kube.client import ApiError, KubeClient

Manifest = dict[str, Any]

FRESH_SECONDS = 10.0
"""How long an answer counts, also one that there is nothing, or that the Events could not be read."""
REMEMBERED_SECONDS = 600.0
"""How long an answer is shown while there is no newer one."""
QUESTIONS_PER_SECOND = 2.0
"""Of all Jobs together: a list of Events costs the API server as much as there are in the namespace."""
BURST = 4.0
SPREAD = 0.5
"""Looks that wait for a question come by this share of their time sooner or later, so that they do not come at once."""

SAID = {facts.kind: facts.complaint for facts in BACKENDS.values()}
"""Reason and source of such Events, by the kind of what they are about."""

_FRAME = re.compile(
    r'^(\(combined from similar events\): )?(Error creating: |job "[^"]*" creation failed with error: )?'
    r'((pods|jobs\.batch) "[^"]*" is forbidden: )?'
)
"""What stands before the reason; it has the name that the pod would have had, another one at each try."""

log = logging.getLogger(__name__)


class Complaints:
    """The newest complaint about each Job, by its uid."""

    def __init__(
        self,
        client: KubeClient,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """jitter: in [0, 1)."""
        self._client, self._clock, self._jitter = client, clock, jitter
        self._waiting: set[Key] = set()
        """Resources with Jobs that miss pods."""
        self._known: dict[str, tuple[float, Complaint | None]] = {}
        self._allowance, self._since = BURST, clock()

    def known(self, job: Manifest) -> Complaint | None:
        """What was said when it was asked last, or None."""
        return self._known.get(job["metadata"]["uid"], (0.0, None))[1]

    def may_ask(self, job: Manifest) -> bool:
        """Whether the answer is old and one more question is within the rate. True counts as the question."""
        asked = self._known.get(job["metadata"]["uid"])
        now = self._clock()
        if asked is not None and now - asked[0] < FRESH_SECONDS:
            return False
        self._allowance = min(BURST, self._allowance + (now - self._since) * QUESTIONS_PER_SECOND)
        self._since = now
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True

    def wait(self, resource: Key, pause: float) -> float:
        """Seconds until a resource whose Job misses pods is looked at again, where `pause` is asked for: a look at it
        without a question finds nothing new, so where thousands wait each is looked at as rarely as it may ask."""
        self._waiting.add(resource)
        turn = len(self._waiting) / QUESTIONS_PER_SECOND
        return max(pause, turn * (1 - SPREAD + 2 * SPREAD * self._jitter()))

    def forget(self, resource: Key) -> None:
        """The resource misses no pods, or is gone."""
        self._waiting.discard(resource)

    async def ask(self, job: Manifest) -> None:
        """Read the Events about one Job, or what is to make Jobs. They are help, not state: what cannot be read is not
        known."""
        metadata = job["metadata"]
        reason, source = SAID[job["kind"]]
        fields = {"involvedObject.uid": metadata["uid"], "reason": reason, "source": source}
        selector = ",".join(f"{name}={value}" for name, value in fields.items())
        found: list[Complaint] = []
        try:
            async for page in self._client.list("Event", metadata["namespace"], field_selector=selector):
                found += [_complaint(item.read()) for item in page.items]
        except ApiError as error:
            log.debug("events about %s %s/%s: %s", job["kind"], metadata["namespace"], metadata["name"], error)
        self._forget_old()
        self._known.pop(metadata["uid"], None)
        newest = max((said for said in found if said.moment), key=lambda said: said.moment, default=None)
        self._known[metadata["uid"]] = self._clock(), newest

    def _forget_old(self) -> None:
        """The dictionary is in the order of its times, so the old ones stand first."""
        horizon = self._clock() - REMEMBERED_SECONDS
        while self._known and next(iter(self._known.values()))[0] < horizon:
            del self._known[next(iter(self._known))]


def _complaint(event: Manifest) -> Complaint:
    series = event.get("series") or {}
    moment = series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime") or ""
    return Complaint(str(moment), _FRAME.sub("", str(event.get("message") or "")))
