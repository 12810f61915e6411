"""Rows as token ids, by the model's own chat template and the encoder that training uses."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache, partial
from typing import Any

from swiftlet_trainer.data.encode import DroppedError
from swiftlet_trainer.data.examples import Preference, Relevance
from swiftlet_trainer.data.tools import Tool
from swiftlet_trainer.data.turns import Message, Turn
from swiftlet_trainer.evaluate.agents.rows import AgentRow
from swiftlet_trainer.evaluate.likelihood import Scored
from swiftlet_trainer.evaluate.rows import ChoiceRow, GenerationRow, PerplexityRow, UnusableRowError
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.models.embedder import Embedder
from swiftlet_trainer.models.reranker import PairPrompt, verdict_tokens
from swiftlet_trainer.tasks.sft.rows import by_template
from swiftlet_trainer.tasks.sft.weighing import Weighing
from swiftlet_trainer.templates.agents.template import UnwritableError
from swiftlet_trainer.templates.agents.writing import AgentWriter
from swiftlet_trainer.templates.prompt_template import PromptTemplate, UnsuitableTemplateError
from swiftlet_trainer.templates.render import ChatTemplate
from swiftlet_trainer.templates.segments import Rendered, Segments, UnencodableError, Weighed


def prompt_ids(tokenizer: Any, row: GenerationRow | AgentRow) -> list[int]:
    """The conversation up to where the model answers. A model without a chat template gets the user's text as it is."""
    encoder = _Encoder.of(tokenizer)
    return encoder.step(row) if isinstance(row, AgentRow) else encoder.prompt(row.turns, row.tools)


def prompt_text(row: GenerationRow | ChoiceRow) -> str:
    """What the row asks, for people."""
    return row.turns[-1].content


def text_encoder(tokenizer: Any, max_length: int) -> Callable[[PerplexityRow], Scored]:
    """A function from a row to its tokens, at most `max_length`, and which are scored.

    All of a text is scored; of messages, what the assistant wrote, end tokens included, but what is marked not to be
    learnt. The first token never is: nothing comes before it. The function raises UnusableRowError when the template
    refuses the row or no token is left.
    """
    encoder = _Encoder.of(tokenizer)

    def encode(row: PerplexityRow) -> Scored:
        found = encoder.text(row.text) if row.text is not None else encoder.answers(row.turns or [], row.tools)
        if not any(found.scored[1:max_length]):
            raise UnusableRowError(
                f"no token to score within maxLength {max_length}; lengthen the row or raise maxLength"
            )
        return Scored(found.ids[:max_length], found.scored[:max_length])

    return encode


def choice_ids(tokenizer: Any, row: ChoiceRow) -> list[Scored]:
    """One sequence per choice: the question as a user turn, then the choice as the answer; the choice is scored."""
    encoder = _Encoder.of(tokenizer)
    prompt = encoder.prompt(row.turns, row.tools)
    if tokenizer.chat_template:
        choices = [encoder.choice(row.turns, choice, row.tools) for choice in row.choices]
    else:
        # A plain model continues the question after a blank; the blank belongs to the choice's first token.
        choices = [encoder.segments.text(f" {choice}") for choice in row.choices]
    return [Scored(prompt + ids, [False] * len(prompt) + [True] * len(ids)) for ids in choices]


def answer_ids(tokenizer: Any, row: Preference) -> list[Scored]:
    """One sequence per answer, as training has them: the prompt, and the answer scored with what ends it."""
    return [_Encoder.of(tokenizer).answers(turns, row.tools) for turns in row.conversations]


def relevance_encoder(tokenizer: Any, embedder: Embedder, max_length: int) -> Callable[[Relevance], list[list[int]]]:
    """A function from a row to the tokens of its query and of each of its documents: as the tokenizer begins and ends
    a text, behind the embedder's prompts, at most `max_length`. The function raises UnusableRowError."""
    alone = embedded_encoder(tokenizer)

    def encode(row: Relevance) -> list[list[int]]:
        asked = f"{embedder.query_prompt}{row.query}"
        documents = [f"{embedder.document_prompt}{text}" for text in row.documents]
        return [alone(text, max_length) for text in (asked, *documents)]

    return encode


def pair_encoder(tokenizer: Any, prompt: PairPrompt, max_length: int) -> Callable[[str, str], list[int]]:
    """A function from a query and a document to the tokens of both as one text, or as a question to a language model,
    at most `max_length`. The function raises UnusableRowError."""
    encoder = _Encoder.of(tokenizer)
    if not prompt.block.generative:
        return lambda query, document: encoder.alone(prompt.text(query, document), max_length)
    end = encoder.behind_question

    def asked(query: str, document: str) -> list[int]:
        turns = prompt.turns(query, document)
        ids = encoder.prompt(turns if tokenizer.chat_template else turns[-1:])
        return ids if len(ids) <= max_length else [*ids[: max(max_length - len(end), 0)], *end]

    return asked


def verdicts(tokenizer: Any, prompt: PairPrompt) -> tuple[int, int]:
    """Tokens of what a language model answers to such a question, see models.reranker. Raises InvalidInput."""
    return verdict_tokens(prompt.block, _Encoder.of(tokenizer).segments)


def embedded_encoder(tokenizer: Any) -> Callable[[str, int | None], list[int]]:
    """A function from a text and a limit to its tokens, as the tokenizer begins and ends a text, at most so many. The
    function raises UnusableRowError."""
    return _Encoder.of(tokenizer).alone


class _Encoder:
    """What training encodes rows with, for one tokenizer."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self.segments = Segments(tokenizer)
        self._writers: dict[str, AgentWriter] = {}

    @staticmethod
    @lru_cache(maxsize=2)
    def of(tokenizer: Any) -> "_Encoder":
        """The one of this tokenizer."""
        return _Encoder(tokenizer)

    def text(self, text: str) -> Scored:
        """A text as the tokenizer begins it."""
        ids = [*self.segments.bos, *self._encoded(self.segments.text, text)]
        return Scored(ids, [True] * len(ids))

    def alone(self, text: str, limit: int | None) -> list[int]:
        """A text as the tokenizer begins and ends it."""
        ids, end = self.text(text).ids, self.segments.end
        return [*(ids if limit is None else ids[: limit - len(end)]), *end]

    @cached_property
    def behind_question(self) -> list[int]:
        """What comes between a question and its answer."""
        if not self._tokenizer.chat_template:
            return []
        return self.segments.inference(PromptTemplate(self._tokenizer).behind_question())

    def prompt(self, turns: Sequence[Turn], tools: Sequence[Tool] = ()) -> list[int]:
        """The conversation up to where the model answers."""
        if not self._tokenizer.chat_template:
            if len(turns) > 1 or tools:
                raise UnusableRowError(
                    "the model has no chat template, so a conversation of several turns or with tools cannot be asked; "
                    "use prompt"
                )
            return self.text(turns[0].content).ids
        template = PromptTemplate(self._tokenizer)
        rendered = self._rendered(
            turns, lambda messages, tools: Rendered(template.text(messages, prompt=True, tools=tools), []), tools
        )
        return self._parts(rendered)[0] if rendered.is_shielded else self.segments.inference(rendered.text)

    def step(self, row: AgentRow) -> list[int]:
        """The conversation up to where an agent goes on, which may be within a turn of the assistant."""
        if row.template is None:
            return self.prompt(row.turns)
        try:
            turns = self._writer(row.template.name).turns(row.turns, row.tools)
        except UnwritableError as error:
            raise UnusableRowError(str(error)) from None
        if turns[-1].role != "assistant":
            return self.prompt(turns)
        return [*self.prompt(turns[:-1]), *self.choice(turns[:-1], turns[-1].content)]

    def _writer(self, name: str) -> AgentWriter:
        if name not in self._writers:
            try:
                self._writers[name] = AgentWriter(name, self._tokenizer, self.segments.special)
            except UnsuitableTemplateError as error:
                raise InvalidInput([str(error)]) from None
        return self._writers[name]

    def answers(self, turns: Sequence[Turn], tools: Sequence[Tool] = ()) -> Scored:
        """The conversation, with the assistant's turns scored."""
        template, ids, scored = self._template, list[int](), list[bool]()
        if isinstance(template, UnsuitableTemplateError):
            raise InvalidInput([str(template)])
        weights = [float(turn.weight != 0) for turn in turns]
        weighing = Weighing(self.segments.special)
        pieces_of = partial(weighing.of_answer, turns) if weighing.weighs(turns) else None
        rendered = self._rendered(
            turns, lambda messages, tools: template.render(messages, weights, pieces_of, tools), tools
        )
        found = self._weighed(rendered)
        for index, part in enumerate(found.parts):
            ids += part
            scored += [index % 2 == 1 and (rendered.weights or [])[index // 2] > 0] * len(part)
        if found.factors is not None:
            scored = [one and factor > 0 for one, factor in zip(scored, found.factors.tolist(), strict=True)]
        return Scored(ids, scored)

    def choice(self, turns: Sequence[Turn], choice: str, tools: Sequence[Tool] = ()) -> list[int]:
        """An answer as it follows its prompt, without what ends it."""
        if isinstance(self._template, UnsuitableTemplateError):
            return self._encoded(self.segments.text, choice)
        template = self._template
        rendered = self._rendered(
            [*turns, Turn("assistant", choice)], lambda messages, tools: template.render(messages, tools=tools), tools
        )
        start, end = rendered.spans[-1] if rendered.spans else (0, 0)
        shielded = self.segments.special.shielded(choice) if rendered.is_shielded else choice
        said = rendered.text.rfind(shielded.strip(), start, end)
        if said < 0:
            return self._encoded(self.segments.text, choice)
        cut = said + len(shielded.strip())
        behind = shielded[len(shielded.rstrip()) :]
        cut = min(cut + len(behind) * rendered.text.startswith(behind, cut), end)
        return self._parts(replace(rendered, text=rendered.text[:cut], spans=[(start, cut)], weights=[1.0]))[1]

    @cached_property
    def _template(self) -> ChatTemplate | UnsuitableTemplateError:
        """The chat template with its turns, or why they cannot be found."""
        try:
            return ChatTemplate(self._tokenizer, self.segments)
        except UnsuitableTemplateError as error:
            return error

    def _rendered(
        self,
        turns: Sequence[Turn],
        render: Callable[[list[Message], Sequence[Tool]], Rendered],
        tools: Sequence[Tool],
    ) -> Rendered:
        try:
            return by_template(turns, self.segments.special, render, tools)
        except DroppedError as error:
            raise UnusableRowError(str(error)) from None

    def _parts(self, rendered: Rendered) -> list[list[int]]:
        return self._weighed(rendered).parts

    def _weighed(self, rendered: Rendered) -> Weighed:
        (found,) = self.segments.weighed([rendered])
        if isinstance(found, UnencodableError):
            raise UnusableRowError(f"{found}; write it otherwise")
        return found

    def _encoded(self, encode: Callable[[str], list[int]], text: str) -> list[int]:
        try:
            return encode(text)
        except UnencodableError as error:
            raise UnusableRowError(f"{error}; write it otherwise") from None
