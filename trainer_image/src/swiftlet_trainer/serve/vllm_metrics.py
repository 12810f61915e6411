"""Figures by served name on vLLM's /metrics: its own count an adapter's requests as the base's."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from prometheus_client import REGISTRY
from vllm.v1.engine import EngineCoreEventType, async_llm
from vllm.v1.engine.output_processor import OutputProcessor

from swiftlet_trainer.serve.request_metrics import Meter, Outcome, Series, series_by_name

PREFIX = "swiftlet_"
"""Before the names of vLLM's own series, since those have other values."""


def count_by_name(names: Sequence[str]) -> None:
    """Have engines made from now on count by name. names: the base's first one, then the adapters'."""
    _ByName.base, *_ = names
    _ByName.series = series_by_name(PREFIX, names, REGISTRY)
    async_llm.OutputProcessor = _ByName


class _ByName(OutputProcessor):
    """Where vLLM's server hears of each step of a request, and alone still knows whose it is."""

    base: ClassVar[str]
    series: ClassVar[Mapping[str, Series]]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._meters: dict[str, Meter] = {}

    def add_request(self, request: Any, *arguments: Any, **options: Any) -> None:
        super().add_request(request, *arguments, **options)
        state = self.request_states[request.request_id]
        series = self.series.get(state.lora_name) or self.series[self.base]
        self._meters.setdefault(request.request_id, Meter(series, state.prompt_len))

    def abort_requests(self, request_ids: Iterable[str], internal: bool) -> list[str]:
        """Of clients that left, which vLLM's own request_success leaves out."""
        aborted: list[str] = super().abort_requests(request_ids, internal)
        for request in aborted:
            self._end(request, Outcome.ABORT)
        return aborted

    def _update_stats_from_output(self, state: Any, output: Any, timestamp: float | None, stats: Any) -> None:
        super()._update_stats_from_output(state, output, timestamp, stats)
        if meter := self._meters.get(state.request_id):
            times = {event.type: event.timestamp for event in output.events or ()}
            if scheduled := times.get(EngineCoreEventType.SCHEDULED):
                meter.begin(scheduled - times.get(EngineCoreEventType.QUEUED, scheduled))
            if output.new_token_ids or output.pooling_output is not None:
                meter.tokens(len(output.new_token_ids), timestamp)

    def _update_stats_from_finished(self, state: Any, finish_reason: Any, stats: Any) -> None:
        super()._update_stats_from_finished(state, finish_reason, stats)
        self._end(state.request_id, Outcome(str(finish_reason)))

    def _end(self, request: str, outcome: Outcome) -> None:
        if meter := self._meters.pop(request, None):
            meter.end(outcome)
