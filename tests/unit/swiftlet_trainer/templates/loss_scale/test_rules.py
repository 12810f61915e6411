"""Rules in ms-swift's form: what they find, and what is refused of them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swiftlet_trainer.templates.loss_scale.known import KNOWN
from swiftlet_trainer.templates.loss_scale.rules import of_mapping, of_text

ANSWER = "Thought: look.\nAction: get\nAction Input: {}\nObservation: 3\nFinal Answer: 3"


def pieces(name: str, text: str, asked: str = "") -> list[tuple[str, float]]:
    return [(text[start:end], weight) for start, end, weight in of_mapping(name, KNOWN[name]).pieces(text, asked)]


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        (
            "react",
            f"Well. {ANSWER}",
            [
                *[("Well. ", 1), ("Thought:", 1), (" look.\n", 1), ("Action:", 2), (" get\n", 2)],
                *[
                    ("Action Input:", 2),
                    (" {}\n", 2),
                    ("Observation:", 2),
                    (" 3\n", 0),
                    ("Final Answer:", 1),
                    (" 3", 1),
                ],
            ],
        ),
        ("alpha_umi", "Next: caller", [("Next:", 2), (" caller", 2)]),
        (
            "agentflan",
            "Name: x\nACTION_INPUT: y\nObservation:z",
            [("Name:", 1), (" x\n", 3), ("ACTION_INPUT:", 1), (" y\n", 3), ("Observation:", 2), ("z", 0)],
        ),
        ("qwen", "✿FUNCTION✿: f\n✿RESULT✿: r", [("✿FUNCTION✿:", 2), (" f\n", 2), ("✿RESULT✿:", 2), (" r", 0)]),
        (
            "hermes",
            "a<tool_call>\n{}\n</tool_call>\n<tool_call>b</tool_call> <tool_call>cut",
            [
                *[("a", 1), ("<tool_call>\n{}\n</tool_call>", 2), ("\n", 1)],
                *[("<tool_call>b</tool_call>", 2), (" <tool_call>cut", 1)],
            ],
        ),
        ("ignore_empty_think", "<think>\n\n</think>\n\nYes", [("<think>\n\n</think>\n\n", 0), ("Yes", 1)]),
        ("ignore_empty_think", "</think>\nYes</think> no", [("</think>\n", 0), ("Yes</think> no", 1)]),
        ("ignore_empty_think", "<think>hm</think>Yes", [("<think>hm</think>Yes", 1)]),
        ("ignore_empty_think", "</mm:think> Yes", [("</mm:think> ", 0), ("Yes", 1)]),
        ("ignore_think_prefix", "<think>\nhm</think>", [("<think>\n", 0), ("hm</think>", 1)]),
    ],
)
def test_known_rules(name: str, text: str, wanted: list[tuple[str, float]]) -> None:
    assert pieces(name, text) == wanted


def test_what_is_asked_weighs_the_whole_answer() -> None:
    assert pieces("agentflan", ANSWER, "So: What is the value of x?") == [(ANSWER, 3)]


@given(st.sampled_from(sorted(KNOWN)), st.text(alphabet="Action:\n<think></tool_call>ObsrvInpu ✿FUNCT日", max_size=80))
def test_pieces_are_the_text(name: str, text: str) -> None:
    assert "".join(part for part, _ in pieces(name, text)) == text


def test_of_keys_at_one_place_the_first_in_the_file_is_taken() -> None:
    rule = of_text("mine", '{"Call": [2, 3], "Call it": [4, 5]}')
    assert list(rule.pieces("Call it", "")) == [(0, 4, 2), (4, 7, 3)]


def test_a_pattern_may_hold_groups_of_its_own() -> None:
    rule = of_text("mine", r'{"(a)(b)?": [2], "[$](x)": [0]}')
    assert list(rule.pieces("ab-a-$x", "")) == [(0, 2, 2), (2, 3, 1), (3, 4, 2), (4, 5, 1), (5, 7, 0)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1, 2]", "it is no object"),
        ("{", "it is no JSON"),
        ('{"a": [-1, 2]}', r"'a' has \[-1.0, 2.0\]; give it 1 or 2 weights of 0 to 1000"),
        ('{"a": [NaN]}', r"'a' has \[nan\]"),
        ('{"a": []}', r"'a' has \[\]"),
        ('{"a": [1, 2, 3]}', r"'a' has \[1.0, 2.0, 3.0\]"),
        ('{"a": [true, 1]}', "'a' has"),
        ('{"": [1, 2]}', "a key is empty"),
        ('{"(": [1]}', "'[(]' is no pattern: missing [)]"),
        ('{"a": [1, 2], "b": [1]}', "cannot be in one rule"),
        ('{"response": {"a": [1, 2]}, "query": {"q": [1, 2]}}', r"'q' has \[1.0, 2.0\]; give it 1 weights"),
    ],
)
def test_files_that_say_nothing_are_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        of_text("mine", text)


def test_every_problem_of_a_file_is_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"'a' has .*; 'b' has .*'\(' is no pattern"):
        of_text("mine", '{"a": [-1], "b": "x", "(": [1]}')


def test_a_pattern_that_backtracks_for_ever_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swiftlet_trainer.templates.loss_scale.rules.LONGEST", 0.05)
    rule = of_text("mine", '{"(a|aa)+$": [2]}')
    with pytest.raises(TimeoutError):
        list(rule.pieces("a" * 60 + "b", ""))


def test_rules_are_told_on_their_page() -> None:
    page = (Path(__file__).parents[5] / "docs" / "how-to" / "loss-scale.md").read_text()
    for name, held in KNOWN.items():
        assert f"| `{name}` |" in page
        for key in held.get("response", held):
            assert key.replace("|", "\\|").replace("\n", "\\n") in page, key
