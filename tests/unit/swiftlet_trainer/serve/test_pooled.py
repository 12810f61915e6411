"""Which texts are computed together."""

import asyncio

import pytest
import torch
from prometheus_client import CollectorRegistry
from swiftlet_trainer.serve.pooled import Pooled, next_texts
from swiftlet_trainer.serve.request_metrics import Meter, series_by_name


def pooled(*lengths: int) -> Pooled:
    """A request for texts of so many tokens. Its reader's loop is over."""

    async def make() -> Pooled:
        meter = Meter(series_by_name("", ["base"], CollectorRegistry())["base"], sum(lengths))
        return Pooled("base", [[1] * length for length in lengths], meter)

    return asyncio.run(make())


def test_each_request_has_its_turn() -> None:
    many, few = pooled(*[10] * 100), pooled(10, 10)
    chosen = next_texts([many, few], most_tokens=60)
    assert [request is few for request, _ in chosen] == [False, True, False, True, False, False]
    assert next_texts([few], most_tokens=60) == []


def test_texts_of_like_length_share_a_pass() -> None:
    request = pooled(1, 9, 2, 8)
    assert [index for _, index in next_texts([request], most_tokens=17)] == [1, 3]
    assert [index for _, index in next_texts([request], most_tokens=17)] == [2, 0]


def test_a_text_that_is_longer_than_a_pass_is_one_of_its_own() -> None:
    assert len(next_texts([pooled(500, 1)], most_tokens=10)) == 1


def test_what_was_not_computed_is_asked_for_again() -> None:
    request = pooled(1)
    ((_, index),) = next_texts([request], most_tokens=10)
    request.put_back(index)
    assert next_texts([request], most_tokens=10) == [(request, 0)]


def test_values_come_in_the_order_of_the_texts() -> None:
    async def read() -> torch.Tensor:
        meter = Meter(series_by_name("", ["base"], CollectorRegistry())["base"], 3)
        request = Pooled("base", [[1], [1, 2]], meter)
        assert not request.say(1, torch.tensor([2.0]))
        assert request.say(0, torch.tensor([1.0]))
        request.end()
        return await request.values()

    assert asyncio.run(read()).tolist() == [[1.0], [2.0]]


def test_what_failed_is_raised_to_the_reader() -> None:
    async def read() -> None:
        meter = Meter(series_by_name("", ["base"], CollectorRegistry())["base"], 1)
        request = Pooled("base", [[1]], meter)
        request.end(MemoryError("no room"))
        with pytest.raises(MemoryError, match="no room"):
            await request.values()

    asyncio.run(read())
