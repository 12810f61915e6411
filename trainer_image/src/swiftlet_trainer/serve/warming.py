"""Before a server is ready: every name answers, as itself also beside all others, and with numbers."""

import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
from swiftlet.wire.messages import EXIT_INVALID

from swiftlet_trainer.failures import TrainerError

PROMPT = "Hi"
TOKENS = 3
"""The prompt and two steps behind it: prefill and decode take different ways through the adapters."""
AT_ONCE = 16
"""Requests: more than share a batch of the smallest servers, and none of them waits for long where they queue."""
TIMEOUT_SECONDS = 900.0
"""For one answer: the first may compile."""
OUTPUT_SECONDS = 3.0
"""Until the reason of a failure stands in the output of the engine's process."""
ROUNDING = 0.5
"""Nats by which a log probability may move because others share the batch. An order above what bfloat16 does."""
ASTRAY = 1.0
"""Nats that no rounding explains, whomever the answer is like."""
RESEMBLANCE = 0.25
"""As another answers who is this much nearer to it than to itself."""
NOT_FINITE = re.compile(r"inf`?, `?nan`? or element|Out of range float values are not JSON compliant", re.IGNORECASE)
"""What PyTorch's sampler and JSON say of probabilities that are no numbers."""


class Unanswered(Exception):  # noqa: N818  (the supervisor says what it means)
    """A name gave no answer. gone: no connection either."""

    def __init__(self, message: str, gone: bool = False) -> None:
        self.gone = gone
        super().__init__(message)


class AnswersMixed(TrainerError):  # noqa: N818
    """A name answers as another when both are asked at the same time."""

    exit_code = EXIT_INVALID
    reason = "AnswersMixed"


class LogitsNotFinite(TrainerError):  # noqa: N818
    """A model or adapter computes NaN or infinite logits: whatever it answers means nothing."""

    exit_code = EXIT_INVALID
    reason = "LogitsNotFinite"


@dataclass(frozen=True)
class Answer:
    """A greedy answer. tables: at each token the log probabilities of the likeliest, where the engine tells them."""

    text: str
    tables: tuple[Mapping[str, float], ...] = ()

    def distance(self, other: "Answer") -> float:
        """0 where both are alike; nats up to the token at which they part, or infinite where only texts are known."""
        if not (self.tables and other.tables):
            return 0.0 if self.text == other.text else math.inf
        found = 0.0
        for mine, theirs in zip(self.tables, other.tables, strict=False):
            best, likeliest = max(mine, key=mine.__getitem__), max(theirs, key=theirs.__getitem__)
            # Who is not in the other's table has at most the least of it.
            gaps = [abs(mine.get(one, min(mine.values())) - theirs.get(one, min(theirs.values())))
                    for one in (best, likeliest)]  # fmt: skip
            found = max(found, *gaps)
            if best != likeliest:
                break  # from here on they continue different texts
        return found


def warm(
    client: httpx.Client,
    names: Sequence[str],
    telling: Mapping[str, Any],
    announce: Callable[[str], None],
    output: Sequence[str],
) -> None:
    """Ask every name alone, then all of them twice at the same time.

    telling: fields with which the engine tells log probabilities, if it does. output: the engine's last lines. Raises
    Unanswered, AnswersMixed and LogitsNotFinite.
    """
    alone = {}
    try:
        for name in names:
            announce(f"warming {name}")
            alone[name] = ask(client, name, telling)
            # The likeliest of NaN is some token as well; drawing one fails.
            ask(client, name, {"temperature": 1, "seed": 0, "max_tokens": 1})
    except Unanswered as error:
        if _is_not_finite(str(error), output):
            raise not_finite(name) from None
        raise
    if len(names) == 1:
        return
    announce("asking all names at the same time")
    askers = [*names, *reversed(names)]
    with ThreadPoolExecutor(min(len(askers), AT_ONCE)) as pool:
        together = list(pool.map(lambda name: (name, ask(client, name, telling)), askers))
    problems = mixed_up(alone, together)
    if problems:
        raise AnswersMixed("\n".join(problems))


def _is_not_finite(reply: str, output: Sequence[str]) -> bool:
    """Whether the engine says so, in its reply or, a moment later, in its output."""
    end = time.monotonic() + OUTPUT_SECONDS
    while not (found := bool(NOT_FINITE.search("\n".join([reply, *output])))) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def mixed_up(alone: Mapping[str, Answer], together: Sequence[tuple[str, Answer]]) -> list[str]:
    """Who answered as another when all were asked together, or far from itself, one line each.

    A batch rounds otherwise than a request alone, so that an answer that differs a little proves nothing.
    """
    found = {}
    for name, answer in together:
        own = answer.distance(alone[name])
        others = {other: answer.distance(known) for other, known in alone.items() if other != name}
        nearest = min(others, key=others.__getitem__)
        if own > ROUNDING and others[nearest] < RESEMBLANCE * own:
            found[name] = f"{name} answers as {nearest} when both are asked at the same time; use another engine"
        elif ASTRAY < own < math.inf:  # of one step alone, which is like nobody's answer
            why = "answers otherwise when all names are asked at the same time"
            found.setdefault(name, f"{name} {why}; use another engine")
    return list(found.values())


def ask(client: httpx.Client, name: str, fields: Mapping[str, Any]) -> Answer:
    """The greedy answer of one name. Raises Unanswered, and LogitsNotFinite where the answer shows it."""
    body = {"model": name, "prompt": PROMPT, "max_tokens": TOKENS, "temperature": 0, **fields}
    try:
        reply = client.post("/v1/completions", json=body, timeout=TIMEOUT_SECONDS)
    except httpx.HTTPError as error:
        raise Unanswered(f"no token for {name}: {error!r}", gone=True) from None
    if not reply.is_success:
        raise Unanswered(f"no token for {name}: HTTP {reply.status_code}: {reply.text[:500]}")
    (choice,) = reply.json()["choices"]
    told = (choice.get("logprobs") or {}).get("top_logprobs") or []
    tables = tuple({token: float(value) for token, value in table.items()} for table in told)
    if any(math.isnan(value) for table in tables for value in table.values()):
        raise not_finite(name)
    return Answer(choice["text"], tables)


def not_finite(name: str) -> LogitsNotFinite:
    """What is told of a model whose logits are no numbers."""
    return LogitsNotFinite(
        f"{name}: its logits are NaN or infinite; serve other weights, and look at the run that made these"
    )
