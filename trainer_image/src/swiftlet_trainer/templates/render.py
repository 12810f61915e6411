"""Rendering a conversation with the model's own chat template, and finding what of it the assistant wrote."""

import re
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError
from transformers.utils.chat_template_utils import render_jinja_template

from swiftlet_trainer.templates.special import pattern_of, special_tokens
from swiftlet_trainer.templates.variants import training_variant

Message = dict[str, str]
Span = tuple[int, int]
"""Half-open range of characters."""

EMPTY_THOUGHT = re.compile(r"\s*(<think>)?\s*</think>\s*")
"""Put before an answer by templates of reasoning models: the model is not to learn to think nothing. Its beginning
may be part of the generation prompt."""
PROBE: list[Message] = [
    {"role": "user", "content": "What is seven plus four?"},
    {"role": "assistant", "content": "Eleven, I believe."},
    {"role": "user", "content": "And half of twelve?"},
    {"role": "assistant", "content": "Six it is."},
]


class TemplateRefusalError(ValueError):
    """The template refuses this conversation; the text is its reason."""


class UnsuitableTemplateError(ValueError):
    """The template cannot be used to train; the text says why, with the remedy."""


@dataclass(frozen=True)
class Rendered:
    """A conversation as the model reads it, and the ranges of it that the assistant wrote, end tokens included."""

    text: str
    spans: list[Span]


class ChatTemplate:
    """The chat template of `tokenizer`, with the method that finds assistant turns in what it renders.

    Methods, the first that applies: the template's own `{% generation %}` marks; TRL's training variant of the very
    same template; else each assistant turn is what the conversation up to it has more than its generation prompt.
    Raises UnsuitableTemplateError when there is no template or no method is right for it.
    """

    def __init__(self, tokenizer: Any) -> None:
        if not tokenizer.chat_template:
            raise UnsuitableTemplateError(
                "the tokenizer has no chat template; use the model's instruction-tuned variant"
            )
        self._constants = {**tokenizer.special_tokens_map}
        self._end_tokens = pattern_of(special_tokens(tokenizer))
        self._eos: str | None = tokenizer.eos_token
        own = tokenizer.get_chat_template()
        marked = own if _has_marks(own) else training_variant(own)
        self._template, self._is_marked = marked or own, marked is not None
        self.method = "marked" if marked == own else "trl" if marked else "incremental"
        try:
            self._prompt = self._generation_prompt()
            self.ends_turns = self._probe()
        except TemplateRefusalError as error:
            raise UnsuitableTemplateError(f"a plain chat of two questions cannot be written: {error}") from None

    def render(self, messages: list[Message]) -> Rendered:
        """Raises TemplateRefusalError when the template refuses the conversation."""
        text, spans = self._marked(messages) if self._is_marked else self._incremental(messages)
        return Rendered(text, _joined([self._trimmed(text, span) for span in _joined(spans)]))

    def _generation_prompt(self) -> str:
        """What is put after a question so that the assistant answers; empty when the question itself changes."""
        before, with_prompt = self._call(PROBE[:1])[0], self._call(PROBE[:1], prompt=True)[0]
        return with_prompt[len(before) :] if with_prompt.startswith(before) else ""

    def _probe(self) -> bool:
        """Whether assistant turns end in a special token; raises UnsuitableTemplateError when they are not found."""
        rendered = self.render(PROBE)
        learnt = [rendered.text[start:end] for start, end in rendered.spans]
        answers = [turn["content"] for turn in PROBE if turn["role"] == "assistant"]
        if len(learnt) != len(answers) or not all(
            answer in part if self._is_marked else part.startswith(answer)
            for part, answer in zip(learnt, answers, strict=True)
        ):
            raise UnsuitableTemplateError(
                f"the chat template does not give assistant turns back (found {learnt}); "
                "put {% generation %} marks around them in chat_template.jinja"
            )
        return bool(self._end_tokens.search(learnt[-1]))

    def _call(self, messages: list[Message], prompt: bool = False, marks: bool = False) -> tuple[str, list[Span]]:
        try:
            texts, indices = render_jinja_template(
                conversations=[messages],
                chat_template=self._template,
                add_generation_prompt=prompt,
                return_assistant_tokens_mask=marks,
                **self._constants,
            )
        except (TemplateError, TypeError, KeyError, IndexError) as error:
            raise TemplateRefusalError(f"the chat template refuses it: {error}") from None
        return texts[0], [(start, end) for start, end in indices[0]] if marks else []

    def _marked(self, messages: list[Message]) -> tuple[str, list[Span]]:
        return self._call(messages, marks=True)

    def _incremental(self, messages: list[Message]) -> tuple[str, list[Span]]:
        text, _ = self._call(messages)
        spans = []
        for index, message in enumerate(messages):
            if message["role"] == "assistant":
                before, _ = self._call(messages[:index], prompt=True)
                through = text if index == len(messages) - 1 else self._call(messages[: index + 1])[0]
                if not (text.startswith(through) and through.startswith(before)):
                    raise UnsuitableTemplateError(
                        f"the chat template writes turn {index} otherwise once others follow, so that assistant turns "
                        "cannot be found in it; put {% generation %} marks around them in chat_template.jinja"
                    )
                spans.append((len(before), len(through)))
        return text, spans

    def _trimmed(self, text: str, span: Span) -> Span:
        """Without the generation prompt and an empty thought in front; up to the end token, without space after it."""
        start, end = span
        if thought := EMPTY_THOUGHT.match(text, start, end):
            start = thought.end()
        for inside in range(len(self._prompt), 0, -1):  # some marks take in the end of the role's header
            if text.endswith(self._prompt, 0, start + inside):
                start += inside
                break
        ends = [found.end() for found in self._end_tokens.finditer(text, start, end)]
        if ends and not text[ends[-1] : end].strip():
            return start, ends[-1]
        if self._eos and text.startswith(self._eos, end):
            return start, end + len(self._eos)
        return start, end


def _joined(spans: list[Span]) -> list[Span]:
    """Without empty ones; those that touch or overlap as one."""
    joined: list[Span] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif start < end:
            joined.append((start, end))
    return joined


def _has_marks(template: str) -> bool:
    return re.search(r"\{%-?\s*generation\s*-?%\}", template) is not None
