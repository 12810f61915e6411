from swiftlet.observability import progress_rates
from swiftlet.observability.progress_rates import RateLimit


def test_a_burst_then_a_steady_rate() -> None:
    now = [0.0]
    limit = RateLimit(burst=3, per_second=2, clock=lambda: now[0])
    assert [limit.seconds_to_wait("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert limit.seconds_to_wait("b") == 0
    now[0] = 0.5
    assert [limit.seconds_to_wait("a") for _ in range(2)] == [0, 0.5]
    now[0] = 100
    assert [limit.seconds_to_wait("a") for _ in range(4)] == [0, 0, 0, 0.5]


def test_memory_is_bounded() -> None:
    limit = RateLimit(burst=1)
    for number in range(progress_rates.REMEMBERED + 100):
        limit.seconds_to_wait(str(number))
    assert len(limit._buckets) == progress_rates.REMEMBERED


def test_less_may_be_taken_for_a_while() -> None:
    now = [0.0]
    limit = RateLimit(burst=1, per_second=2, clock=lambda: now[0])
    assert [limit.seconds_to_wait("a", 0.5) for _ in range(2)] == [0, 2]
    now[0] = 0.5
    assert limit.seconds_to_wait("a") == 0
