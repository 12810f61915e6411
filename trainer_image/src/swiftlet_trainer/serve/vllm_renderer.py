"""Prompts of vLLM's chats in which text that looks like a control token stays text.

vLLM hands what a chat template wrote to the tokenizer as one text, in which a control token of the template and what a
user wrote alike can no longer be told apart. Here they are told apart as in training, by Segments.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from pydantic import BaseModel
from vllm.exceptions import VLLMValidationError
from vllm.renderers.hf import HfRenderer
from vllm.renderers.registry import RENDERER_REGISTRY

from swiftlet_trainer.serve.agent_texts import require_free
from swiftlet_trainer.serve.openai_requests import Refused
from swiftlet_trainer.serve.vllm_tools import WRITTEN
from swiftlet_trainer.templates.segments import Rendered, Segments, UnencodableError
from swiftlet_trainer.templates.special import SpecialTokens, changed_texts, texts_in

SHIELDED = "swiftlet_shielded"
"""Member of a prompt that has stand-ins of SpecialTokens, until it is encoded."""
OF_VLLM = (HfRenderer.__module__, HfRenderer.__name__)


def keep_texts() -> None:
    """Have engines made from now on write chats by ShieldingRenderer, where they had HfRenderer."""
    known = RENDERER_REGISTRY.renderers
    known.update({mode: (__name__, ShieldingRenderer.__name__) for mode, place in known.items() if place == OF_VLLM})


class ShieldingRenderer(HfRenderer):
    """vLLM's own, but for chats that have what looks like a control token: in turns, tools, documents and whatever else
    a chat template is given."""

    def __init__(self, config: Any, tokenizer: Any) -> None:
        super().__init__(config, tokenizer)
        self.special = SpecialTokens(self.get_tokenizer())

    def render_messages(self, messages: Any, params: Any) -> Any:
        """As vLLM has it, for what it renders by itself at its start."""
        messages, params, is_shielded = self._shielded(messages, params)
        found = super().render_messages(messages, params)
        return self._told(*found) if is_shielded else found

    async def render_messages_async(self, messages: Any, params: Any) -> Any:
        """The same, for requests."""
        messages, params, is_shielded = self._shielded(messages, params)
        found = await super().render_messages_async(messages, params)
        return self._told(*found) if is_shielded else found

    def _shielded(self, messages: Any, params: Any) -> tuple[Any, Any, bool]:
        """What the chat template is to write, and whether it has stand-ins."""
        messages, given = as_json(messages), as_json(params.chat_template_kwargs)
        texts = list(texts_in([messages, given]))
        if WRITTEN not in given:  # where it is, vllm_agents has looked, and written stand-ins itself
            self._require_free(texts)
        if self.special.find(texts) is None and not any(map(self.special.reserved, texts)):
            return messages, params, False
        given = self.special.shielded_value(given)
        return self.special.shielded_value(messages), replace(params, chat_template_kwargs=given), True

    def _require_free(self, texts: Iterable[str]) -> None:
        try:
            require_free(texts, self.special)
        except Refused as refusal:
            raise VLLMValidationError(str(refusal), parameter=refusal.param) from None

    def _told(self, conversation: Any, prompt: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """The conversation as it came, which `echo` repeats, and the prompt with its mark."""
        if "prompt" not in prompt:
            raise VLLMValidationError(
                "messages: a text looks like a control token, which a prompt with embeddings cannot tell from one; "
                "leave it out",
                parameter="messages",
            )
        return changed_texts(conversation, self.special.spelled), {**prompt, SHIELDED: True}

    def _tokenize_prompt(self, prompt: dict[str, Any], params: Any) -> Any:
        """Where the prompt's text is asked for, vLLM makes it of the tokens."""
        if not prompt.pop(SHIELDED, False):
            return super()._tokenize_prompt(prompt, params)
        segments = self._segments
        (found,) = segments.encode([Rendered(prompt.pop("prompt"), [], is_shielded=True)])
        if isinstance(found, UnencodableError):
            raise VLLMValidationError(f"messages: {found}; write it otherwise", parameter="messages")
        (ids,) = found
        if params.add_special_tokens:
            ids = [*segments.bos, *ids, *segments.end]
        return self._build_tokens_prompt(ids, prompt)

    @cached_property
    def _segments(self) -> Segments:
        return Segments(self.get_tokenizer())


def as_json(value: Any) -> Any:
    """A value of JSON out of what vLLM's reading of requests makes of one: models, and iterators to be read once."""
    if isinstance(value, BaseModel):
        return as_json(value.model_dump(exclude_none=True))
    if isinstance(value, Mapping):
        return {key: as_json(one) for key, one in value.items()}
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        return value
    return [as_json(one) for one in value]
