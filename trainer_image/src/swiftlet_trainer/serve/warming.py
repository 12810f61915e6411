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
from swiftlet_trainer.serve.engine import EngineProcess

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
NOT_FINITE = re.compile(
    r"inf`?, `?nan`? or element|Out of range float values are not JSON compliant|NotFiniteError", re.IGNORECASE
)
"""What PyTorch's sampler, JSON and the functions of evaluation say of what is no number."""
NATS_OF_VALUES = 10.0
"""Beside which bounds vectors and scores are held to: theirs may move by a twentieth of their length, or of 1."""


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


@dataclass(frozen=True)
class Values:
    """A vector of a text, or its scores."""

    values: tuple[float, ...]

    def distance(self, other: "Values") -> float:
        """0 where both are alike; see NATS_OF_VALUES."""
        longest = max(1.0, math.hypot(*self.values), math.hypot(*other.values))
        return NATS_OF_VALUES * math.dist(self.values, other.values) / longest


Found = Answer | Values


def warm(
    client: httpx.Client,
    names: Sequence[str],
    engine: EngineProcess,
    announce: Callable[[str], None],
    output: Sequence[str],
) -> None:
    """Ask every name alone, then all of them twice at the same time.

    output: the engine's last lines. Raises Unanswered, AnswersMixed and LogitsNotFinite.
    """
    alone = {}
    try:
        for name in names:
            announce(f"warming {name}")
            alone[name] = _asked(client, name, engine)
            if not engine.pools:
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
        together = list(pool.map(lambda name: (name, _asked(client, name, engine)), askers))
    problems = mixed_up(alone, together)
    if problems:
        raise AnswersMixed("\n".join(problems))


def _is_not_finite(reply: str, output: Sequence[str]) -> bool:
    """Whether the engine says so, in its reply or, a moment later, in its output."""
    end = time.monotonic() + OUTPUT_SECONDS
    while not (found := bool(NOT_FINITE.search("\n".join([reply, *output])))) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def mixed_up(alone: Mapping[str, Any], together: Sequence[tuple[str, Any]]) -> list[str]:
    """Who answered as another when all were asked together, or far from itself, one line each. All answers are of one
    kind, Answer or Values.

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


def _asked(client: httpx.Client, name: str, engine: EngineProcess) -> Found:
    return ask_values(client, name) if engine.pools else ask(client, name, engine.telling)


def ask(client: httpx.Client, name: str, fields: Mapping[str, Any]) -> Answer:
    """The greedy answer of one name. Raises Unanswered, and LogitsNotFinite where the answer shows it."""
    body = {"model": name, "prompt": PROMPT, "max_tokens": TOKENS, "temperature": 0, **fields}
    (choice,) = _reply(client, "/v1/completions", name, body)["choices"]
    told = (choice.get("logprobs") or {}).get("top_logprobs") or []
    tables = tuple({token: float(value) for token, value in table.items()} for table in told)
    if any(math.isnan(value) for table in tables for value in table.values()):
        raise not_finite(name)
    return Answer(choice["text"], tables)


def ask_values(client: httpx.Client, name: str) -> Values:
    """What one name makes of a text. Raises as ask() does."""
    (found,) = _reply(client, "/pooling", name, {"model": name, "input": PROMPT})["data"]
    values = Values(tuple(map(float, found["data"])))
    if not all(map(math.isfinite, values.values)):
        raise not_finite(name)
    return values


def _reply(client: httpx.Client, path: str, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    try:
        reply = client.post(path, json=body, timeout=TIMEOUT_SECONDS)
    except httpx.HTTPError as error:
        raise Unanswered(f"no token for {name}: {error!r}", gone=True) from None
    if not reply.is_success:
        raise Unanswered(f"no token for {name}: HTTP {reply.status_code}: {reply.text[:500]}")
    content: dict[str, Any] = reply.json()
    return content


def not_finite(name: str) -> LogitsNotFinite:
    """What is told of a model whose logits are no numbers."""
    return LogitsNotFinite(
        f"{name}: its logits are NaN or infinite; serve other weights, and look at the run that made these"
    )
