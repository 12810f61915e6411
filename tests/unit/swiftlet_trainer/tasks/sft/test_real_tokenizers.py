"""Weights of single tokens, stated by hand for real tokenizers: GPT-2's kind, Qwen's, Mistral's two."""

from itertools import groupby
from typing import Any

import pytest
from real_tokenizers import TOKENIZERS, with_chatml
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.preview.pieces import Pieces
from swiftlet_trainer.templates.segments import Segments
from training_environments import is_made

from tests.unit.swiftlet_trainer.tasks.sft.test_weighing import encoded

Tokens = list[tuple[float, str]]
"""Runs of one weight: of each the texts of its tokens, `|` between them."""
CALL = 'Thought: I look.\nAction: get_weather\nAction Input: {"city": "Köln"}\nObservation: 6 °C\nFinal Answer: six.'
GIVEN = (CALL.index(" 6 °C"), CALL.index("Final"))
FLOWERS = "Plan: 12 steps✿FUNCTION✿: f日本"

CALLED: dict[str, Tokens] = {
    "SmolLM2": [
        (1, "Th|ought|:| I| look|.|\n"),
        (2, 'Action|:| get|_|weather|\n|Action| Input|:| {"|city|":| "|K|ö|ln|"}|\n|Obs|ervation|:'),
        (1, "Final| Answer|:| six|.|<|im_end|>"),
    ],
    "Mistral 7B": [
        (1, "Th|ought|:| I| look|.|\n"),
        (2, 'Action|:| get|_|we|ather|\n|Action| Input|:| {"|city|":| "|K|ö|ln|"}|\n|Observ|ation|:'),
        (1, "Final| Answer|:| six|.|<|im_end|>"),
    ],
    "Tekken": [
        (1, "Th|ought|:| I| look|.\n"),
        (2, 'Action|:| get|_|weather|\n|Action| Input|:| {"|city|":| "|Kö|ln|"}\n|Observ|ation|:'),
        (1, "Final| Answer|:| six|.|<|im_end|>"),
    ],
    "Qwen": [
        (1, "Thought|:| I| look|.\n"),
        (2, 'Action|:| get|_weather|\n|Action| Input|:| {"|city|":| "|K|ö|ln|"}\n|Observ|ation|:'),
        (1, "Final| Answer|:| six|.|<|im_end|>"),
    ],
}
"""By rule react, the result of the tool being given."""
FLOWERED: dict[str, Tokens] = {
    "SmolLM2": [
        (0.5, "Plan|:| "),
        (1.5, "1|2"),
        (0.5, " steps"),
        (1, "\\xe2\\x9c|\\xbf|F|UNCT|ION|\\xe2\\x9c|\\xbf|:| f|\\xe6\\x97|\\xa5|本"),
        (0.5, "<|im_end|>"),
    ],
    "Mistral 7B": [
        (0.5, "Plan|:| "),
        (1.5, "1|2"),
        (0.5, " steps"),
        (1, "\\xe2|\\x9c|\\xbf|FUNCTION|\\xe2|\\x9c|\\xbf|:| f|日|本"),
        (0.5, "<|im_end|>"),
    ],
    "Tekken": [
        (0.5, "Plan|:| "),
        (1.5, "1|2"),
        (0.5, " steps"),
        (1, "\\xe2|\\x9c|\\xbf|FUNCTION|\\xe2|\\x9c|\\xbf|:| f|日本"),
        (0.5, "<|im_end|>"),
    ],
    "Qwen": [
        (0.5, "Plan|:| "),
        (1.5, "1|2"),
        (0.5, " steps"),
        (1, "✿|FUNCTION|✿|:| f|日本"),
        (0.5, "<|im_end|>"),
    ],
}
"""By rule qwen, chained with one that makes digits count three times, in a row that counts half."""


@pytest.fixture(scope="module", params=list(TOKENIZERS))
def real(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Any, Segments]:
    if request.param == "Qwen" and not is_made("evalscope"):
        pytest.skip("its file is in EvalScope's environment, which `make peers-agents` makes")
    made = with_chatml(TOKENIZERS[request.param](tmp_path_factory.mktemp("tokenizer")))
    return request.param, made, Segments(made)


def test_a_call_with_its_result(real: tuple[str, Any, Segments]) -> None:
    name, *tokenizer = real
    assert weighed(*tokenizer, Turn("assistant", CALL, given=(GIVEN,)), "react") == CALLED[name]


def test_a_chain_of_rules_in_a_row_with_a_mark(real: tuple[str, Any, Segments]) -> None:
    name, *tokenizer = real
    digits = r'{"\\d": [3.0]}'
    assert weighed(*tokenizer, Turn("assistant", FLOWERS, 0.5), "qwen", "mine", mine=digits) == FLOWERED[name]


def test_a_token_across_a_border(real: tuple[str, Any, Segments]) -> None:
    _, *tokenizer = real
    found = weighed(*tokenizer, Turn("assistant", "Action: a"), "mine", mine='{"Act": [2, 0.5]}')
    assert found == [(2, "Action"), (0.5, ":| a"), (1, "<|im_end|>")]


def weighed(tokenizer: Any, segments: Segments, answer: Turn, *names: str, **own: str) -> Tokens:
    """What is learnt of an answer."""
    row = encoded(tokenizer, [Turn("user", "Who?"), answer], *names, segments=segments, **own)
    pieces = Pieces(tokenizer)
    weights = row.weights or [float(label != -100) for label in row.labels]
    runs = groupby(zip(weights, row.input_ids, strict=True), key=lambda one: one[0])
    return [(weight, "|".join(pieces.text(token) for _, token in run)) for weight, run in runs if weight]
