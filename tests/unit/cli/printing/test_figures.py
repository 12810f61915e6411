"""Numbers as people read them."""

from swiftlet.cli.printing.figures import figure, seconds, signed, size


def test_durations() -> None:
    assert [seconds(value) for value in (0.42, 9.96, 12.3, 59.7, 125, 3720)] == [
        "0.4s", "10.0s", "12s", "1m00s", "2m05s", "1h02m",
    ]  # fmt: skip


def test_sizes() -> None:
    assert [size(value) for value in (512, 1536, 3 * 2**30, 2.5 * 2**40)] == ["512 B", "1.5 KiB", "3.0 GiB", "2.5 TiB"]


def test_figures_keep_four_digits() -> None:
    assert figure("12.34567") == "12.35"
    assert signed("0.8") == "+0.8"
    assert signed(-0.000123456) == "-0.0001235"
