"""A conversation as the chat template of a model writes it, with nothing of it left out."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from jinja2 import TemplateError
from transformers.utils.chat_template_utils import render_jinja_template

from swiftlet_trainer.data.tools import Tool
from swiftlet_trainer.data.turns import Message
from swiftlet_trainer.templates.segments import Span
from swiftlet_trainer.templates.tool_use import ToolUse, tool_use

TODAY = datetime(2024, 7, 26)
"""The day that `strftime_now` gives, in training and evaluation: tokens must not depend on when a run was started.
Source: the day that the templates of Llama 3.1 and 3.2 themselves write where there is no clock."""
OPENING = "\U0010ffe0"
"""Stands for an answer whose place is looked for."""
OWN_WORDS = 100
"""Characters of a text that no template has by chance; one that says the same to the system by itself may."""


REFUSALS = (TemplateError, TypeError, KeyError, IndexError, ValueError, AttributeError, RecursionError)
"""What templates raise for conversations that they do not take, on purpose or not."""


class TemplateRefusalError(ValueError):
    """The template refuses this conversation; the text is its reason."""


class UnsuitableTemplateError(ValueError):
    """The template cannot be used to train; the text says why, with the remedy."""


class PromptTemplate:
    """The chat template of a tokenizer, as inference renders it. Raises UnsuitableTemplateError when there is none."""

    def __init__(self, tokenizer: Any) -> None:
        if not tokenizer.chat_template:
            raise UnsuitableTemplateError(
                "the tokenizer has no chat template; use the model's instruction-tuned variant"
            )
        self._constants = {**tokenizer.special_tokens_map, "strftime_now": TODAY.strftime}
        self._own = tokenizer.get_chat_template()
        self._uses: dict[str, ToolUse] = {}

    def text(self, messages: Sequence[Message], prompt: bool = False, tools: Sequence[Tool] = ()) -> str:
        """The conversation; with prompt up to where the assistant answers. Raises TemplateRefusalError."""
        text, _ = self._call(self._own, messages, prompt, tools=tools)
        self._require_all_written(self._own, text, messages, prompt, tools)
        return text

    def behind_question(self) -> str:
        """What is written between what the user asks and where the assistant answers; nothing where that is refused."""
        try:
            return self._call(self._own, [{"role": "user", "content": OPENING}], prompt=True)[0].partition(OPENING)[2]
        except TemplateRefusalError:
            return ""

    def put(self, messages: Sequence[Message]) -> list[Message]:
        """Messages in the template's own convention."""
        return [self._use(self._own).put(one) for one in messages]

    def left_out(self, messages: Sequence[Message], tools: Sequence[Tool]) -> list[str]:
        """Kinds of tool_use.KINDS that a conversation has and the template does not write."""
        return self._use(self._own).left_out_of(messages, tools)

    def _require_all_written(
        self,
        template: str,
        text: str,
        messages: Sequence[Message],
        prompt: bool = False,
        tools: Sequence[Tool] = (),
    ) -> None:
        """Raise TemplateRefusalError when the template leaves out what was said, as some do with roles that they do not
        know, or that want contents of another shape; and when it does not write tools, calls of them, or thoughts."""
        has_more = is_more_than_text(messages, tools)
        if has_more and (what := self._use(template).not_written(messages, tools)):
            raise TemplateRefusalError(f"the chat template does not write {what}")
        for index, message in enumerate(messages):
            if not _is_surely_written(text, messages, index, has_more):
                other = [*messages[:index], {**message, "content": OPENING}, *messages[index + 1 :]]
                try:
                    is_left_out = self._call(template, other, prompt, tools=tools)[0] == text
                except TemplateRefusalError:
                    continue
                if is_left_out:
                    raise TemplateRefusalError(
                        f"the chat template leaves turn {index} ({message['role']}) out; leave it out of the row, or "
                        "use a model whose template writes it"
                    )

    def _use(self, template: str) -> ToolUse:
        """What a template writes beside texts."""

        def write(messages: Sequence[Message], tools: Sequence[Tool]) -> str | None:
            try:
                return self._rendered(template, messages, False, False, tools)[0]
            except TemplateRefusalError:
                return None

        if template not in self._uses:
            self._uses[template] = tool_use(write)
        return self._uses[template]

    def _call(
        self,
        template: str,
        messages: Sequence[Message],
        prompt: bool = False,
        marks: bool = False,
        tools: Sequence[Tool] = (),
    ) -> tuple[str, list[Span]]:
        if is_more_than_text(messages, ()):
            messages = [self._use(template).put(one) for one in messages]
        return self._rendered(template, messages, prompt, marks, tools)

    def _rendered(
        self, template: str, messages: Sequence[Message], prompt: bool, marks: bool, tools: Sequence[Tool]
    ) -> tuple[str, list[Span]]:
        try:
            texts, indices = render_jinja_template(
                conversations=[list(messages)],
                tools=list(tools) or None,
                chat_template=template,
                add_generation_prompt=prompt,
                return_assistant_tokens_mask=marks,
                **self._constants,
            )
        except REFUSALS as error:
            raise TemplateRefusalError(f"the chat template refuses it: {error}") from None
        return texts[0], [(start, end) for start, end in indices[0]] if marks else []


def is_more_than_text(messages: Sequence[Message], tools: Sequence[Tool]) -> bool:
    """Whether a conversation has tools, calls, results or thoughts."""
    return bool(tools) or any(len(message) > 2 or message["role"] == "tool" for message in messages)


def _is_surely_written(text: str, messages: Sequence[Message], index: int, has_more: bool) -> bool:
    """Whether nothing but the turn itself can have put what it says into the text. has_more: whether there are tools,
    calls or thoughts, which may say it as well."""
    said = messages[index]["content"].strip()
    if not said or not is_in(said, text):
        return not said
    if messages[index]["role"] != "system":
        return True
    others = (other["content"] for place, other in enumerate(messages) if place != index)
    return len(said) >= OWN_WORDS and not has_more and not any(said in other for other in others)


def is_in(said: str, text: str) -> bool:
    """Whether something was written, as it is or as JSON."""
    return said in text or json.dumps(said, ensure_ascii=False)[1:-1] in text
