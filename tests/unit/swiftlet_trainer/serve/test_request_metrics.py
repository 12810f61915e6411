"""One request's figures, in whatever order its engine and its reader say things; and the page that names them."""

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from swiftlet_trainer.serve.request_metrics import Meter, Outcome, series_by_name

PAGE = Path(__file__).parents[4] / "docs/how-to/server-metrics.md"
SAID = st.one_of(
    st.just(("begin",)),
    st.just(("leave",)),
    st.tuples(st.just("tokens"), st.integers(1, 4)),
    st.tuples(st.just("end"), st.sampled_from([*Outcome, None])),
)


def _samples(registry: CollectorRegistry) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in registry.collect()
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


@given(said=st.lists(SAID, max_size=8))
def test_a_request_is_in_one_stage_and_ends_once(said: list[tuple[str, ...]]) -> None:
    registry = CollectorRegistry()
    meter = Meter(series_by_name("p_", ["a", "b"], registry)["a"], prompt_tokens=7)
    over = False
    for what, *arguments in said:
        begun = _samples(registry)["p_num_requests_running", "a"] == 1
        getattr(meter, what)(*arguments)
        over = over or what == "end" or (what == "leave" and not begun)
        found = _samples(registry)
        assert found["p_num_requests_running", "a"] + found["p_num_requests_waiting", "a"] == (0 if over else 1)
        ended = sum(value for (name, *_), value in found.items() if name == "p_request_success_total")
        assert ended <= over
        prompts = found["p_time_to_first_token_seconds_count", "a"]
        assert found["p_prompt_tokens_total", "a"] == 7 * prompts
        assert prompts <= 1
        assert found["p_e2e_request_latency_seconds_count", "a"] == found["p_request_queue_time_seconds_count", "a"]
        assert not any(value for (_, name, *_), value in found.items() if name == "b")


def test_queue_and_token_times_may_be_the_engines() -> None:
    registry = CollectorRegistry()
    meter = Meter(series_by_name("p_", ["a"], registry)["a"], prompt_tokens=7)
    meter.begin(waited=2.5)
    for at in (10.0, 10.5, 11.5):
        meter.tokens(2, at)
    meter.end(Outcome.STOP)
    found = _samples(registry)
    assert found["p_request_queue_time_seconds_sum", "a"] == 2.5
    assert found["p_inter_token_latency_seconds_sum", "a"] == 1.5
    assert found["p_inter_token_latency_seconds_count", "a"] == 2
    assert found["p_generation_tokens_total", "a"] == 6


def test_the_page_names_every_figure() -> None:
    registry = CollectorRegistry()
    series_by_name("", ["a"], registry)
    kinds = {f"{one.name}{'_total' * (one.type == 'counter')}": one.type for one in registry.collect()}
    table = re.findall(r"^\| `(\w+)` \| (gauge|counter|histogram) \|", PAGE.read_text(), re.MULTILINE)
    assert dict(table) == kinds
