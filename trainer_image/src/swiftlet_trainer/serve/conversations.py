"""Conversations of requests as prompts, with tools in the words that a model has for them."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from swiftlet_trainer.data.tools import Tool
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.serve.agent_texts import as_texts, linked_turns, require_free, texts_of
from swiftlet_trainer.serve.openai_requests import Refused
from swiftlet_trainer.serve.thought_reader import Thinks
from swiftlet_trainer.templates.agents.recognition import recognized
from swiftlet_trainer.templates.agents.template import END_OF_THOUGHT, AgentTemplate
from swiftlet_trainer.templates.agents.writing import AgentWriter
from swiftlet_trainer.templates.prompt_template import OPENING, REFUSALS, PromptTemplate, is_more_than_text
from swiftlet_trainer.templates.render import OPEN_THOUGHT
from swiftlet_trainer.templates.segments import Rendered, Segments, UnencodableError
from swiftlet_trainer.templates.special import SpecialTokens

REMEDY = "set spec.api.agentTemplate of the ModelDeployment, or use a model whose template writes them"
HARMLESS = ("text beside calls", "thoughts")
"""What a chat template may leave out of earlier turns: the model itself said or thought it."""


class Conversations:
    """What one served model is told. agent: name of the agent template that writes tools, calls and results; None: the
    model's own chat template does. Raises UnsuitableTemplateError where the tokenizer cannot write the former."""

    def __init__(self, tokenizer: Any, agent: str | None = None) -> None:
        self._tokenizer = tokenizer
        self._special = SpecialTokens(tokenizer)
        self._writer = AgentWriter(agent, tokenizer, self._special) if agent else None
        self._agent = self._writer.template if self._writer else None

    @cached_property
    def reads(self) -> AgentTemplate | None:
        """By which calls in answers are read: the agent template, else the one that reads what the chat template
        writes."""
        return self._agent or recognized(self._tokenizer)

    @cached_property
    def _template(self) -> PromptTemplate:
        """Remembers what it was tried for."""
        return PromptTemplate(self._tokenizer)

    def prompt(self, turns: Sequence[Turn], tools: Sequence[Tool] = ()) -> tuple[list[int], Thinks]:
        """Token ids of a conversation up to where the model answers, and whether it begins with a thought. Raises
        Refused."""
        if not self._tokenizer.chat_template:
            raise Refused("the model has no chat template; use /v1/completions", "messages")
        require_free(texts_of(turns, tools), self._special)
        turns = linked_turns(turns, tools)
        if self._writer:
            said, continues = as_texts(turns, tools, self._writer.template.name, self._writer.turns)
            text, is_shielded = self._text([turn.message for turn in said], said, (), continues)
        else:
            messages, written = self._own_way(turns, tools)
            text, is_shielded = self._text(messages, turns, written, False)
        if not is_shielded:
            ids: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
            return ids, self._thinks(text)
        (parts,) = self._segments.encode([Rendered(text, [], is_shielded=True)])
        if isinstance(parts, UnencodableError):
            raise Refused(f"messages: {parts}; write it otherwise", "messages")
        return parts[0], self._thinks(text)

    @cached_property
    def _segments(self) -> Segments:
        return Segments(self._tokenizer)

    def _text(
        self, messages: list[dict[str, Any]], turns: Sequence[Turn], tools: Sequence[Tool], continues: bool
    ) -> tuple[str, bool]:
        """The conversation as the chat template writes it, and whether it has stand-ins of SpecialTokens: for what
        looks like a control token and must not become one, and for the control tokens of an agent template."""
        said = texts_of(turns, tools)
        looks = self._special.find(said) is not None
        if looks:
            messages, tools = self._special.shielded_value(messages), self._special.shielded_value(tools)
        return self._rendered(messages, tools, continues), looks or any(map(self._special.reserved, said))

    def _thinks(self, prompt: str) -> Thinks:
        """Known by the marks that the agent template or the chat template has for thoughts."""
        marks = [self._tokenizer.get_chat_template(), *((self._agent and self._agent.thought) or ())]
        if not any(END_OF_THOUGHT in one for one in marks):
            return "no"
        asked = OPEN_THOUGHT.search(prompt)
        return "may" if not asked else "no" if END_OF_THOUGHT in asked[0] else "opened"

    def _own_way(self, turns: Sequence[Turn], tools: Sequence[Tool]) -> tuple[list[dict[str, Any]], Sequence[Tool]]:
        """By the model's own chat template, which must leave nothing out that was called or is to be."""
        messages = [turn.message for turn in turns]
        if not is_more_than_text(messages, tools):
            return messages, ()
        if left_out := [kind for kind in self._template.left_out(messages, tools) if kind not in HARMLESS]:
            field = "tools" if "tools" in left_out else "messages"
            raise Refused(f"{field}: the model's chat template does not write {', '.join(left_out)}; {REMEDY}", field)
        return self._template.put(messages), tools

    def _rendered(self, messages: list[dict[str, Any]], tools: Sequence[Tool], continues: bool) -> str:
        """continues: whether the last turn is an answer that goes on."""
        if continues:
            messages = [*messages[:-1], {**messages[-1], "content": messages[-1]["content"] + OPENING}]
        try:
            text: str = self._tokenizer.apply_chat_template(
                messages, tools=list(tools) or None, add_generation_prompt=not continues, tokenize=False
            )
        except REFUSALS as error:
            raise Refused(
                f"the chat template refuses the conversation: {self._special.unshielded(str(error))}", "messages"
            ) from None
        return text.partition(OPENING)[0] if continues else text
