"""What is said of the cost of weights."""

from weights_cost import report, rows_of


def test_rows_differ_by_their_weights_only() -> None:
    plain, weighed = rows_of(False), rows_of(True)
    assert [{**row, "weights": None} for row in plain] == [{**row, "weights": None} for row in weighed]
    assert all(
        bool(weight) == (label != -100)
        for row in weighed
        for weight, label in zip(row["weights"], row["labels"], strict=True)
    )


def test_a_cost_is_the_median_of_the_rounds_ratios() -> None:
    found = {"without": [1.0, 2.0, 4.0], "again": [1.0, 2.1, 4.0], "with": [1.005, 2.01, 6.0]}
    assert "goal: <= 1% of a step: +0.50%: met" in report(found)
    assert "goal: <= 1% of a step: +10.00%: MISSED" in report({**found, "with": [1.1, 2.2, 4.0]})
