"""The end of a run, told: scores, reports, answers, failures, and where the time went."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from swiftlet.cli.acting.chatting import Endpoint, ask, conversation, curl, endpoint_of
from swiftlet.cli.printing import results
from swiftlet.cli.printing.diagnosis import explain
from swiftlet.cli.printing.timetable import busy_seconds, intervals_of, spans_of
from swiftlet.kinds.conditions.condition import has_condition
from swiftlet.kinds.conditions.summary import settled
from swiftlet.local.places import models_mirror
from swiftlet.local.store import Store

Object = dict[str, Any]
ANSWER_TOKENS = 128


@dataclass(frozen=True)
class Farewell:
    """What became of the resources `items` between two times."""

    store: Store
    state: Path
    items: Sequence[Object]
    began: datetime
    ended: datetime

    def endpoints(self) -> list[tuple[Object, Endpoint]]:
        """The models that are served now."""
        return [
            (item, endpoint_of(self.store, item))
            for item in self.items
            if item["kind"] == "ModelDeployment" and has_condition(item, "Ready")
        ]

    def print_results(self) -> None:
        """Dropped rows, scores with gates, the reports, and the artifacts with the Python that loads them."""
        _print(*map(results.dropped_rows, self.items))
        tables = [text for item in self.items if item["kind"] == "EvalRun" and (text := results.evaluation(item))]
        _print(*tables, results.report_lines(self.items, self.state))
        _print(results.artifact_lines(self.items, self.state, models_mirror(os.environ)))

    async def print_answers(self, question: str) -> None:
        """Every served model's answer to the same question. Raises CommandError when one cannot answer."""
        endpoints = self.endpoints()
        if not endpoints:
            _print(f"nobody answers {question!r}: no ModelDeployment is ready")
        for _, endpoint in endpoints:
            messages = conversation(None, [{"role": "user", "content": question}])
            # The base first, so that the reader sees before and after.
            models = [*endpoint.models[1:], endpoint.models[0]]
            found = [
                (model, await asyncio.to_thread(ask, endpoint, model, messages, ANSWER_TOKENS)) for model in models
            ]
            _print(results.answers(question, found))

    def print_times(self) -> None:
        """Where the time went, of what was done in this run."""
        spans, intervals = [], []
        for item in self.items:
            metadata = item["metadata"]
            children = self.store.descendants(metadata.get("namespace") or "default", metadata["uid"])
            pods = [child for child in children if child["kind"] == "Pod"]
            own = intervals_of(pods, self.began, self.ended)
            spans += spans_of(item, own)
            intervals += own
        if spans:
            _print(results.times(spans, busy_seconds(intervals), (self.ended - self.began).total_seconds()))
        else:
            _print("Nothing was left to do: everything had ended before.")

    def print_failures(self) -> bool:
        """Each failure with its cause and the next step; whether there was one."""
        failed = [item for item in self.items if settled(item) == "failed"]
        _print(*("\n".join(explain(item, self.state)) for item in failed))
        return bool(failed)

    def print_serving(self) -> None:
        """Where the models answer, and how to ask."""
        for item, endpoint in self.endpoints():
            name = item["metadata"]["name"]
            lines = [f"modeldeployment/{name} serves {', '.join(endpoint.models)} at {endpoint.url}", curl(endpoint)]
            if endpoint.task == "generate":
                lines.append(f"swiftlet chat {name} --state {self.state}")
            _print("\n  ".join(lines))
        print("\nCtrl-C stops.", flush=True)


def _print(*texts: str) -> None:
    for text in texts:
        if text:
            print(f"\n{text}", flush=True)
