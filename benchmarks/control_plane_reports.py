"""A thousand running jobs whose pods report: what that takes of the operator, and what it does to new work.

Everything is real but the pods' programs: reports come over HTTP, those of each pod from an address of its own, with a
token that the API server has made for the pod and is asked about; figures move on every two seconds, and pods report as
often as the operator asks them to. The Job controller's part is played, since it would take minutes for so many.
"""

import asyncio
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from control_plane_audit import quantile, tally, timeline
from control_plane_bed import OPERATOR, Operator, control_plane, install
from control_plane_client import CONNECTIONS, Client, Object, job
from control_plane_fleet import FLEET, Fleet
from swiftlet.kube.paths import TYPES
from swiftlet.observability.progress_pace import report_seconds
from swiftlet.wire.messages import PROGRESS_AUDIENCE, PROGRESS_INTERVAL_FIELD
from testbed.played_pods import running

STEP_SECONDS, STEPS = 2.0, 1800
"""A run of an hour: with a thousand of them the percentage of some run changes 28 times a second."""
PAUSE_SECONDS = 0.25
REST_SECONDS = 60.0
LISTENER = Path(__file__).with_name("control_plane_listener.py")
GOAL = 0.25
"""Of a core, for a thousand running jobs at rest."""


@dataclass(frozen=True)
class Reports:
    """Figures of one run."""

    count: int
    silent: list[float]
    """Seconds from a resource to its last child while nobody reports, in rising order."""
    aside: list[float]
    """The same while all report to a server that is not the operator: what their programs take of the machine."""
    beside: list[float]
    """The same while all report."""
    silent_share: float
    share: float
    """Of a core, at rest, without reports and with them."""
    reports: float
    """A second."""
    writes: float
    """Of statuses, a second."""
    answers: Counter[int]

    def text(self) -> str:
        """The figures in words."""
        rows = [
            f"{who:<16}{share:>9}{quantile(found, 0.5) * 1000:>10.0f}{quantile(found, 0.99) * 1000:>10.0f}"
            for who, share, found in (
                ("silent", f"{self.silent_share:.1%}", self.silent),
                ("to another", "", self.aside),
                ("reporting", f"{self.share:.1%}", self.beside),
            )
        ]
        heading = f"{'':<16}{'a core':>9}{'p50 ms':>10}{'p99 ms':>10}"
        answers = ", ".join(f"{code}: {count}" for code, count in sorted(self.answers.items()))
        return (
            f"{self.count} running jobs: silent, reporting to another server (which takes as much of the machine),\n"
            f"and reporting. Operator's share of a core at rest (goal {GOAL:.0%}), and new work beside them, apply ->\n"
            f"last child of {len(self.beside)} resources; tokens and HTTP are real\n"
            + "\n".join([heading, *rows])
            + f"\nreports: {self.reports:.0f} a second, status writes: {self.writes:.1f} a second; answers {answers}"
        )


@dataclass
class Crowd:
    """The pods' side."""

    url: str
    answers: Counter[int] = field(default_factory=Counter)

    async def report(self, number: int, token: str) -> None:
        """Report for one pod, for ever."""
        address = f"127.1.{number // 250}.{number % 250 + 1}"
        connector = aiohttp.TCPConnector(local_addr=(address, 0), force_close=True)
        began = time.monotonic() - random.uniform(0, STEPS * STEP_SECONDS / 2)
        async with aiohttp.ClientSession(connector=connector) as session:
            await asyncio.sleep(random.uniform(0, STEP_SECONDS))
            while True:
                await asyncio.sleep(await self._post(session, token, int((time.monotonic() - began) / STEP_SECONDS)))

    async def _post(self, session: aiohttp.ClientSession, token: str, step: int) -> float:
        """One report; seconds until the next."""
        figures = {"step": step, "totalSteps": STEPS, "percent": 100 * step // STEPS, "loss": f"{2 - step / STEPS:.4f}"}
        event = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "type": "progress", **figures}
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with session.post(f"{self.url}/progress", json=[event], headers=headers) as answer:
                self.answers[answer.status] += 1
                asked = (await answer.json()).get(PROGRESS_INTERVAL_FIELD, 5.0)
        except aiohttp.ClientError:
            self.answers[0] += 1
            asked = 5.0
        return max(STEP_SECONDS, float(asked))


async def reports(count: int, singles: int) -> Reports:
    """Measure on a control plane of its own."""
    with control_plane(with_pods=False) as bed:
        install(bed)
        async with Client(bed.kubeconfig) as admin:
            fleet = Fleet(bed, admin, admin)
            await fleet.furnish()
            operator = Operator(bed, FLEET)
            operator.start()
            await fleet.grow(count)
            tokens = await _running(admin)
            await _settled(fleet, 1.0)
            silent_share, _, _ = await _rest(fleet, operator)
            silent = await _new_work(fleet, "silent", singles)
            with _listener(count) as url:
                async with _reporting(Crowd(url), tokens):
                    await asyncio.sleep(report_seconds(count))
                    aside = await _new_work(fleet, "aside", singles)
            crowd = Crowd(operator.progress_url)
            async with _reporting(crowd, tokens):
                await asyncio.sleep(count / 8)  # first figures of so many are written one after the other
                before = crowd.answers.total()
                share, writes, seconds = await _rest(fleet, operator)
                rate = (crowd.answers.total() - before) / seconds
                beside = await _new_work(fleet, "beside", singles)
            operator.stop()
    return Reports(count, silent, aside, beside, silent_share, share, rate, writes, crowd.answers)


@asynccontextmanager
async def _reporting(crowd: Crowd, tokens: list[str]) -> AsyncIterator[None]:
    """Each pod reports for as long as it is entered."""
    tasks = [asyncio.create_task(crowd.report(*each)) for each in enumerate(tokens)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def _listener(count: int) -> Iterator[str]:
    """Another server than the operator; its address."""
    with subprocess.Popen([sys.executable, str(LISTENER), str(count)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


async def _running(admin: Client) -> list[str]:
    """A running pod for each Job; their tokens."""
    answer = msgspec.json.decode(await admin.request("GET", TYPES["Job"].collection(FLEET)))
    left, tokens = iter(answer["items"]), []

    async def work() -> None:
        for made in left:
            tokens.append(await _pod(admin, made))  # noqa: PERF401 - several workers fill one list

    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    return tokens


async def _pod(admin: Client, made: Object) -> str:
    """The pod of one Job runs; its token, as the kubelet would project it."""
    name, uid = made["metadata"]["name"], made["metadata"]["uid"]
    template = made["spec"]["template"]
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": uid, "controller": True}
    metadata: Object = {"name": f"{name}-0-bench", "namespace": FLEET, "ownerReferences": [owner]}
    metadata["labels"] = template["metadata"]["labels"] | {"batch.kubernetes.io/job-name": name}
    metadata["annotations"] = {"batch.kubernetes.io/job-completion-index": "0"}
    pod = await admin.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
    path = TYPES["Pod"].object(FLEET, pod["metadata"]["name"])
    status = msgspec.json.encode({"status": running(pod)})
    await admin.request("PATCH", f"{path}/status", status, "application/strategic-merge-patch+json")
    bound = {"apiVersion": "v1", "kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
    asked: dict[str, Any] = {"audiences": [PROGRESS_AUDIENCE], "expirationSeconds": 3600, "boundObjectRef": bound}
    where = f"/api/v1/namespaces/{FLEET}/serviceaccounts/default/token"
    answer = await admin.request("POST", where, msgspec.json.encode({"spec": asked}))
    return str(msgspec.json.decode(answer)["status"]["token"])


async def _settled(fleet: Fleet, quiet: float) -> None:
    """Wait until the operator has written nothing for some seconds."""
    deadline, since = time.monotonic() + 120, time.monotonic()
    while time.monotonic() - since < quiet * 3 and time.monotonic() < deadline:
        await asyncio.sleep(0.5)
        if sum(tally(fleet.log.writes(), OPERATOR).values()):
            since = time.monotonic()


async def _rest(fleet: Fleet, operator: Operator) -> tuple[float, float, float]:
    """(share of a core, status writes a second, seconds)."""
    fleet.log.writes()
    began, used = time.monotonic(), operator.processor_seconds
    await asyncio.sleep(REST_SECONDS)
    seconds = time.monotonic() - began
    written = tally(fleet.log.writes(), OPERATOR)["finetunejobs/status"]
    return (operator.processor_seconds - used) / seconds, written / seconds, seconds


async def _new_work(fleet: Fleet, prefix: str, count: int) -> list[float]:
    """Seconds from a resource to its last child, of some that come one after the other."""
    await asyncio.sleep(0.5)
    fleet.log.writes()
    for number in range(count):
        await fleet.admin.create(job(FLEET, f"{prefix}-{number}"))
        await asyncio.sleep(PAUSE_SECONDS)
    await asyncio.sleep(3)
    found = timeline(fleet.log.writes(), OPERATOR)
    if len(found.whole) < count:
        raise RuntimeError(f"{len(found.whole)} of {count} resources have their children")
    return found.latencies
