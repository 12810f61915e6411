"""What keeps an answer to a grammar while its tokens are chosen."""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch

from swiftlet_trainer.serve.answer_form import Form
from swiftlet_trainer.serve.openai_requests import Refused


class Guide:
    """A logits processor of one answer: tokens that the grammar does not allow next are not chosen. matcher: of
    llguidance, new."""

    def __init__(self, matcher: Any, param: str) -> None:
        self._matcher, self._param, self._begun = matcher, param, False

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        if self._begun:
            self._matcher.consume_token(int(input_ids[0, -1]))
        self._begun = True
        bits = np.unpackbits(np.frombuffer(self._matcher.compute_bitmask(), np.uint8), bitorder="little")
        if self._matcher.is_error():
            raise Refused(f"{self._param}: cannot be kept to any more: {self._matcher.get_error()}", self._param)
        allowed = torch.from_numpy(bits[: scores.shape[-1]].astype(bool)).to(scores.device)
        return scores.masked_fill(~allowed, float("-inf"))


class Guides:
    """Makes guides for a model. rows: of its embedding. ends: tokens that end an answer."""

    def __init__(self, tokenizer: Any, rows: int, ends: Sequence[int]) -> None:
        self._tokenizer, self._rows, self._ends = tokenizer, rows, list(ends)

    @cached_property
    def control(self) -> Mapping[str, int]:
        """Ids of control tokens by their texts."""
        added = self._tokenizer.added_tokens_decoder.items()
        return {token.content: number for number, token in added if token.special}

    def guide(self, form: Form) -> Guide:
        """The guide of one answer. Raises Refused with every schema that cannot be kept to, and why."""
        from llguidance import LLMatcher

        problems = {
            name: problem
            for name, schema in form.schemas.items()
            if (problem := self._problem(LLMatcher.grammar_from_json_schema(json.dumps(schema))))
        }
        if problems:
            told = "; ".join(f"{name}: {problem}" for name, problem in problems.items())
            raise Refused(f"{told}; the answer cannot be kept to it, write the schema without", next(iter(problems)))
        if problem := self._problem(form.grammar):
            raise Refused(f"{form.param}: the answer cannot be kept to it: {problem}", form.param)
        return Guide(LLMatcher(self._known, form.grammar, log_level=0), form.param)

    def _problem(self, grammar: str) -> str:
        from llguidance import LLMatcher

        is_error, told = LLMatcher.validate_grammar_with_warnings(grammar, self._known)
        return " ".join(told[0].split()) if is_error else ""

    @cached_property
    def _known(self) -> Any:
        """The tokenizer as llguidance has it; a second or two for a large one. Raises Refused."""
        from llguidance.hf import from_tokenizer

        try:
            return from_tokenizer(self._tokenizer, n_vocab=self._rows, eos_token=self._ends)
        except ValueError as error:
            raise Refused(f"no answer can be kept to a form: the model's tokenizer is not known: {error}") from None
