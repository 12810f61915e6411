"""Rendering a conversation with the model's own chat template, and finding what of it the assistant wrote."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

from swiftlet_trainer.data.tools import Tool
from swiftlet_trainer.data.turns import Message
from swiftlet_trainer.templates.factors import Piece
from swiftlet_trainer.templates.prompt_template import (
    OPENING,
    PromptTemplate,
    TemplateRefusalError,
    UnsuitableTemplateError,
    is_in,
    is_more_than_text,
)
from swiftlet_trainer.templates.segments import Rendered, Segments, Span, UnencodableError
from swiftlet_trainer.templates.special import pattern_of, special_tokens
from swiftlet_trainer.templates.tool_use import TOOL_PROBE, TOOLS
from swiftlet_trainer.templates.variants import training_variant

PiecesOf = Callable[[int, str], Sequence[Piece]]
"""From the number of a message, an answer, and its text as it is rendered, without what ends it, to those of its pieces
that count more or less than 1. Raises TemplateRefusalError."""
EMPTY_THOUGHT = re.compile(r"\s*(<think>)?\s*</think>\s*")
"""Put before an answer by templates of reasoning models: the model is not to learn to think nothing. Its beginning
may be part of the generation prompt."""
OPEN_THOUGHT = re.compile(r"\s*<think>\s*(</think>\s*)?\Z")
"""At the end of a prompt: the model is asked to think first."""
MARK_IT = "put {% generation %} marks around the assistant's turns in chat_template.jinja"
PROBE: list[Message] = [
    {"role": "user", "content": "What is seven plus four?"},
    {"role": "assistant", "content": "Eleven, I believe."},
    {"role": "user", "content": "And half of twelve?"},
    {"role": "assistant", "content": "Six it is."},
]


class ChatTemplate(PromptTemplate):
    """The chat template of `tokenizer`, with the method that finds assistant turns in what it renders.

    Methods, the first that applies: the template's own `{% generation %}` marks; TRL's training variant of the very
    same template; else each assistant turn is what the conversation up to it has more than its generation prompt.
    Raises UnsuitableTemplateError when there is no template or no method is right for it.
    """

    def __init__(self, tokenizer: Any, segments: Segments | None = None) -> None:
        """segments: those of the tokenizer, where the caller has them already."""
        super().__init__(tokenizer)
        self._end_tokens = pattern_of(special_tokens(tokenizer))
        self._eos: str | None = tokenizer.eos_token
        marked = self._own if _has_marks(self._own) else training_variant(self._own)
        self._template, self._is_marked = marked or self._own, marked is not None
        self.method = "marked" if marked == self._own else "trl" if marked else "incremental"
        self._lead = ""
        self.opens_thought = False
        try:
            self._prompt = self._generation_prompt()
            self._lead = self._unmarked_lead()
            self.ends_turns = self._probe(segments or Segments(tokenizer))
        except TemplateRefusalError as error:
            raise UnsuitableTemplateError(f"a plain chat of two questions cannot be written: {error}") from None

    def render(
        self,
        messages: Sequence[Message],
        weights: Sequence[float] = (),
        pieces_of: PiecesOf | None = None,
        tools: Sequence[Tool] = (),
    ) -> Rendered:
        """The conversation with its assistant turns. weights: for each message what an answer has in the loss; 1 each
        when empty. pieces_of: tells the pieces of answers. tools: that may be called. Raises TemplateRefusalError when
        the template refuses the conversation."""
        text, spans = self._spans(messages, tools)
        self._require_all_written(self._template, text, messages, tools=tools)
        _require_thoughts(text, messages, weights)
        if is_more_than_text(messages, tools):
            if self._tool_fault:
                raise TemplateRefusalError(self._tool_fault)
            spans = [self._behind(text, span) for span in spans]
        of_spans, pieces = [1.0] * len(spans), list[Piece]()
        if pieces_of or any(weight != 1 for weight in weights):
            answers = [index for index, message in enumerate(messages) if message["role"] == "assistant"]
            if len(answers) != len(spans):
                raise TemplateRefusalError(
                    f"the chat template marks {len(spans)} parts in {len(answers)} answers, so that one of them "
                    "cannot have a weight of its own; leave the mark or the row out"
                )
            of_spans = [weights[index] for index in answers] if weights else of_spans
            for index, (start, end) in zip(answers, spans, strict=True):
                found = pieces_of(index, text[start : self._before_end(text, start, end)]) if pieces_of else ()
                pieces += [(start + begin, start + stop, factor) for begin, stop, factor in found]
        kept = list(_joined(list(zip(spans, of_spans, strict=True))))
        calls = _calls([span for span, _ in kept], spans, messages)
        return Rendered(text, [span for span, _ in kept], [one for _, one in kept], pieces=tuple(pieces), calls=calls)

    def _before_end(self, text: str, start: int, end: int) -> int:
        """Where an answer ends without the token that says so."""
        ends = [*self._end_tokens.finditer(text, start, end)]
        if ends and ends[-1].end() == end:
            return ends[-1].start()
        return end - len(self._eos) if self._eos and text.endswith(self._eos, start, end) else end

    def _generation_prompt(self) -> str:
        """What is put after a question so that the assistant answers; empty when the question itself changes."""
        before, with_prompt = self.text(PROBE[:1]), self.text(PROBE[:1], prompt=True)
        return with_prompt[len(before) :] if with_prompt.startswith(before) else ""

    def _unmarked_lead(self) -> str:
        """The blank that the template writes between its generation prompt and its marks: the model has to say it."""
        if not (self._is_marked and self._prompt):
            return ""
        text, spans = self._marked(PROBE)
        prompt = self.text(PROBE[:1], prompt=True)
        lead = text[len(prompt) : spans[0][0]] if spans and text.startswith(prompt) else ""
        return lead if lead.isspace() else ""

    def _probe(self, segments: Segments) -> bool:
        """Whether assistant turns end in a special token; raises UnsuitableTemplateError when they are not found, or
        are not what follows the tokens of the prompt."""
        rendered = self.render(PROBE)
        learnt = [rendered.text[start:end] for start, end in rendered.spans]
        answers = [turn["content"] for turn in PROBE if turn["role"] == "assistant"]
        if len(learnt) != len(answers) or not all(
            answer in part if self._is_marked else part.lstrip().startswith(answer)
            for part, answer in zip(learnt, answers, strict=True)
        ):
            raise UnsuitableTemplateError(
                f"the chat template does not give assistant turns back (found {learnt}); {MARK_IT}"
            )
        if self._prompt:
            self._require_prompts(rendered, segments)
        return bool(self._end_tokens.search(learnt[-1]))

    def _require_prompts(self, rendered: Rendered, segments: Segments) -> None:
        """Raise UnsuitableTemplateError when an answer does not come right after the ids of its prompt at inference."""
        (parts,) = segments.encode([rendered])
        if isinstance(parts, UnencodableError):
            raise UnsuitableTemplateError(str(parts))
        for turn, (start, _) in zip((1, 3), rendered.spans, strict=True):
            prompt, before = self.text(PROBE[:turn], prompt=True), rendered.text[:start]
            between = before.removeprefix(prompt)
            if OPEN_THOUGHT.search(prompt) and OPEN_THOUGHT.sub("", prompt) == OPEN_THOUGHT.sub("", before):
                self.opens_thought = True  # answers without one are what the user's rows hold
                continue
            if not before.startswith(prompt) or (between and not EMPTY_THOUGHT.fullmatch(between)):
                if turn > 1:
                    continue  # what came before is written otherwise once others follow, as thoughts are
                raise UnsuitableTemplateError(
                    f"the chat template asks for an answer with {prompt[-40:]!r}, and writes {before[-40:]!r} before "
                    f"one that is there; {MARK_IT}"
                )
            wanted = segments.inference(prompt)
            # Without a control token between turns, the last answer and the next question may share a token.
            given = parts[0] if turn == 1 else parts[2][1:]
            found = given[: len(wanted)] if turn == 1 else given
            if not between and found != (wanted if turn == 1 else wanted[len(wanted) - len(given) :]):
                raise UnsuitableTemplateError(
                    f"the tokenizer writes the prompt of an answer as {wanted[-8:]} when it stands alone, and as "
                    f"{found[-8:]} in a row, so that the answer would follow other tokens; report the model"
                )

    def _marked(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> tuple[str, list[Span]]:
        return self._call(self._template, messages, marks=True, tools=tools)

    def _spans(self, messages: Sequence[Message], tools: Sequence[Tool]) -> tuple[str, list[Span]]:
        """The conversation, and of each answer what the model has to say."""
        text, spans = self._marked(messages, tools) if self._is_marked else self._incremental(messages, tools)
        return text, [self._trimmed(text, span) for span in spans]

    @cached_property
    def _behind_results(self) -> str:
        """What the template writes between a tool's result and the answer, and takes for part of it by its marks."""
        text, spans, prompts = self._with_tools
        prompt = prompts[-1] if spans else ""
        return text[spans[-1][0] : len(prompt)] if text.startswith(prompt) else ""

    @cached_property
    def _with_tools(self) -> tuple[str, list[Span], list[str]]:
        """A conversation with a call and an answer, and the prompts of both; nothing where the template refuses it: a
        row is refused for the same reason."""
        try:
            text, spans = self._spans(TOOL_PROBE, TOOLS)
            prompts = [self._call(self._own, TOOL_PROBE[:turn], prompt=True, tools=TOOLS)[0] for turn in (1, 3)]
        except TemplateRefusalError:
            return "", [], []
        return text, spans, prompts

    @cached_property
    def _tool_fault(self) -> str | None:
        """Why calls, or answers behind results, are not what follows their prompts; None where they are."""
        text, spans, prompts = self._with_tools
        if spans and len(spans) != len(prompts):
            return f"the chat template marks {len(spans)} parts in a call and an answer; {MARK_IT}"
        for prompt, span in zip(prompts, spans, strict=False):
            before = text[: self._behind(text, span)[0]]
            between = before.removeprefix(prompt)
            is_open = OPEN_THOUGHT.search(prompt) and OPEN_THOUGHT.sub("", prompt) == OPEN_THOUGHT.sub("", before)
            is_rewritten = prompt != prompts[0] and not before.startswith(prompt)  # as thoughts are
            if between and not (is_open or is_rewritten or EMPTY_THOUGHT.fullmatch(between)):
                return (
                    f"the chat template asks for an answer beside tools with {prompt[-40:]!r}, and writes "
                    f"{before[-40:]!r} before one that is there; {MARK_IT}"
                )
        return None

    def _behind(self, text: str, span: Span) -> Span:
        """Without what stands behind a result already."""
        start, end = span
        return (start + len(self._behind_results), end) if text.startswith(self._behind_results, start, end) else span

    def _incremental(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> tuple[str, list[Span]]:
        text, _ = self._call(self._template, messages, tools=tools)
        spans = []
        for index, message in enumerate(messages):
            if message["role"] == "assistant":
                start = self._start(text, messages, index, tools)
                is_last = index == len(messages) - 1
                through = text if is_last else self._call(self._template, messages[: index + 1], tools=tools)[0]
                if start is None or not text.startswith(through):
                    raise TemplateRefusalError(
                        f"the chat template writes turn {index} otherwise once others follow, so that assistant turns "
                        f"cannot be found in it; {MARK_IT}"
                    )
                spans.append((start, len(through)))
        return text, spans

    def _start(self, text: str, messages: Sequence[Message], index: int, tools: Sequence[Tool]) -> int | None:
        """Where the answer begins: behind the prompt that inference would give. None when that is not in the text."""
        if index > 0:
            before, _ = self._call(self._template, messages[:index], prompt=True, tools=tools)
            return len(before) if text.startswith(before) else None
        # Nothing was asked: a prompt of no messages lacks what the template writes before the first, such as a system
        # message of its own. The place of the answer is looked for instead.
        opened = self._call(self._template, [{"role": "assistant", "content": OPENING}], tools=tools)[0]
        head, found, _ = opened.partition(OPENING)
        place = head.rfind(self._prompt.rstrip()) if self._prompt.strip() else -1
        behind = min(len(head), place + len(self._prompt))
        return behind if found and place >= 0 and not head[behind:].strip() and text.startswith(head) else None

    def _trimmed(self, text: str, span: Span) -> Span:
        """Without the generation prompt and an empty thought in front; up to the end token, without space after it."""
        start, end = span
        if thought := EMPTY_THOUGHT.match(text, start, end):
            start = thought.end()
        for inside in range(len(self._prompt), 0, -1):  # some marks take in the end of the role's header
            if text.endswith(self._prompt, 0, start + inside):
                start += inside
                break
        if self._lead and text.endswith(self._lead, 0, start):
            start -= len(self._lead)
        ends = [found.end() for found in self._end_tokens.finditer(text, start, end)]
        if ends and not text[ends[-1] : end].strip():
            return start, ends[-1]
        if self._eos and text.startswith(self._eos, end):
            return start, end + len(self._eos)
        return start, end


def _require_thoughts(text: str, messages: Sequence[Message], weights: Sequence[float]) -> None:
    """Raise TemplateRefusalError for an answer that would be learnt without its thought. Templates leave out those of
    earlier turns: so they do when the model is used, and what is given may be without."""
    for index, message in enumerate(messages):
        thought = message.get("reasoning_content", "").strip()
        if thought and (not weights or weights[index]) and not is_in(thought, text):
            raise TemplateRefusalError(
                f"the chat template leaves out what the assistant thinks in turn {index}, since others follow: it "
                "would learn to answer without; give the turn weight 0, or leave its thought out"
            )


def _calls(kept: Sequence[Span], spans: Sequence[Span], messages: Sequence[Message]) -> tuple[int, ...]:
    """Which of the spans that are kept have a call in them; where it is not known, all of a conversation with calls."""
    said = ["tool_calls" in message for message in messages if message["role"] == "assistant"]
    if not any(said):
        return ()
    if len(said) != len(spans):
        return tuple(range(len(kept)))
    of_calls = [span for span, is_call in zip(spans, said, strict=True) if is_call]
    return tuple(n for n, (start, end) in enumerate(kept) if any(a < end and start < b for a, b in of_calls))


def _joined(spans: Sequence[tuple[Span, float]]) -> Iterator[tuple[Span, float]]:
    """Without empty ones; those that touch or overlap and are of one weight as one."""
    last: tuple[Span, float] | None = None
    for (start, end), weight in spans:
        begin = max(start, last[0][1]) if last else start
        if last and begin == last[0][1] and last[1] == weight:
            last = ((last[0][0], max(end, begin)), weight)
        elif begin < end:
            if last:
                yield last
            last = ((begin, end), weight)
    if last:
        yield last


def _has_marks(template: str) -> bool:
    return re.search(r"\{%-?\s*generation\s*-?%\}", template) is not None
