"""Rows as both programs read them, and what is said of how long they take."""

import json

from claim.rows import files
from tool_rows import spoken, table


def test_rows_hold_the_same_calls_and_results() -> None:
    (row,) = files(1, 0, seed=3)["train"]
    said = spoken(row)
    assert json.loads(said["tools"]) == row["tools"]
    calls = [call["function"] for turn in row["messages"] for call in turn.get("tool_calls", ())]
    assert calls
    assert [json.loads(one["content"]) for one in said["messages"] if one["role"] == "tool_call"] == [
        {"name": call["name"], "arguments": json.loads(call["arguments"])} for call in calls
    ]
    results = [turn["content"] for turn in row["messages"] if turn["role"] == "tool"]
    assert [one["content"] for one in said["messages"] if one["role"] == "tool_response"] == results


def test_the_goal_is_judged_by_the_faster_of_the_peers_ways() -> None:
    def took(seconds: float, processor: float) -> list[dict[str, float]]:
        return [{"rows": 100, "tokens": 1000, "seconds": seconds, "processor": processor}]

    lines = table({"swiftlet": took(1, 2), "slow": took(30, 20), "fast": took(15, 24)}).splitlines()
    assert lines[-2:] == [
        "goal: >= 10 x ms-swift at its fastest, by seconds: 15.0: met",
        "goal: >= 10 x ms-swift at its fastest, by processor time: 10.0: met",
    ]
    assert table({"swiftlet": took(2, 2), "fast": took(15, 24)}).splitlines()[-2].endswith("7.5: MISSED")
