"""Chains of rules, as documents write them."""

import pytest
from swiftlet.api.v1alpha1.loss_scale import RULES
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.templates.loss_scale.chain import Chain, chain_of
from swiftlet_trainer.templates.loss_scale.known import KNOWN

MINE = {"mine": '{"Action:": [0.5, 0.5]}'}


def test_the_api_knows_the_rules_that_are_here() -> None:
    assert sorted(RULES) == sorted(KNOWN)


@pytest.mark.parametrize(
    ("written", "base", "names"),
    [
        (None, "default", []),
        (["default"], "default", []),
        (["react"], "default", ["react"]),
        (["last_round+react+ignore_empty_think"], "last_round", ["react", "ignore_empty_think"]),
        (["all", "hermes+mine"], "all", ["hermes", "mine"]),
    ],
)
def test_a_chain_is_a_text_or_a_list(written: list[str] | None, base: str, names: list[str]) -> None:
    chain = chain_of(written, MINE)
    assert (chain.base, [rule.name for rule in chain.rules]) == (base, names)


def test_each_rule_works_on_the_pieces_of_the_one_before() -> None:
    text = "Action: <tool_call>x</tool_call>"
    chain = chain_of(["react", "hermes", "mine"], MINE)
    assert [(text[a:b], weight) for a, b, weight in chain.pieces(text, "")] == [
        ("Action:", 2 * 0.5),  # what follows is a piece of its own, in which the key of `mine` does not stand
        (" ", 2),
        ("<tool_call>x</tool_call>", 2 * 2),
    ]


def test_without_rules_an_answer_is_one_piece() -> None:
    assert Chain().pieces("abc", "") == [(0, 3, 1.0)]


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        chain_of(["reakt", "mine", "yours"], {"mine": "{", "yours": '{"a": [-1]}'})
    said = str(caught.value)
    assert "template.lossScale: reakt is no rule here; known are default, last_round, all, react" in said
    assert "template.lossScaleRules.mine: it is no JSON" in said
    assert "template.lossScaleRules.yours: 'a' has [-1.0]" in said
