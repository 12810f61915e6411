import pytest
from swiftlet.engines.startup import startup_seconds


@pytest.mark.parametrize(
    ("engine", "weight_bytes", "is_downloaded", "seconds"),
    [
        ("vllm", 270_000_000, False, 603),
        ("vllm", 140_000_000_000, False, 2000),
        ("vllm", 140_000_000_000, True, 3400),
        ("auto", None, False, 1800),
        ("transformers", None, False, 900),
        ("transformers", 0, False, 300),
    ],
)
def test_the_engines_start_and_the_reading_of_the_weights(
    engine: str, weight_bytes: int | None, is_downloaded: bool, seconds: int
) -> None:
    assert startup_seconds(engine, weight_bytes, is_downloaded) == seconds


@pytest.mark.parametrize(
    ("gpus", "known", "unknown"), [(0, 2000, 1800), (1, 2000, 1800), (2, 2015, 3015), (8, 2105, 10305)]
)
def test_more_gpus_take_longer_and_may_hold_larger_models(gpus: int, known: int, unknown: int) -> None:
    assert startup_seconds("vllm", 140_000_000_000, False, gpus) == known
    assert startup_seconds("vllm", None, False, gpus) == unknown
