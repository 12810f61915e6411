"""What supervised fine-tuning makes of a row: which of its tokens are learnt."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray
from swiftlet.api.v1alpha1.finetunejob import Template
from swiftlet.api.v1alpha1.tasks.sft import SftTask
from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.data.encode import IGNORED, DroppedError, Encoded
from swiftlet_trainer.data.examples import Example, Shape
from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.data.tools import Tool, tool_texts
from swiftlet_trainer.data.turns import Message, Turn
from swiftlet_trainer.tasks.sft.weighing import Weighing
from swiftlet_trainer.templates.agents.template import UnwritableError
from swiftlet_trainer.templates.agents.writing import AgentWriter
from swiftlet_trainer.templates.loss_scale.chain import chain_of
from swiftlet_trainer.templates.prompt_template import PromptTemplate, TemplateRefusalError, UnsuitableTemplateError
from swiftlet_trainer.templates.render import ChatTemplate
from swiftlet_trainer.templates.segments import Rendered, Segments
from swiftlet_trainer.templates.special import SpecialTokens


def rows(document: TrainDocument, tokenizer: Any, segments: Segments) -> "SftRows":
    """Of a document with the block task.sft."""
    block = document.task.sft or SftTask()
    return SftRows(tokenizer, segments, document.template, block.assistant_only_loss, document.task.has_channels)


def target_notes(_document: TrainDocument, _channels: NDArray[np.float32]) -> list[str]:
    """Any channels will do."""
    return []


def by_template(
    turns: Sequence[Turn],
    special: SpecialTokens,
    render: Callable[[list[Message], Sequence[Tool]], Rendered],
    tools: Sequence[Tool] = (),
) -> Rendered:
    """Turns as a chat template renders them, what looks like its control tokens being text. tools: that may be called
    in them. Raises DroppedError where it refuses them."""
    messages = [turn.message for turn in turns]
    said = [*(text for turn in turns for text in turn.texts), *tool_texts(tools)]
    is_shielded = any(map(special.reserved, said))  # by an agent template
    if special.find(said) is not None:
        is_shielded = True
        messages, tools = special.shielded_value(messages), special.shielded_value(tools)
    try:
        return replace(render(messages, tools), is_shielded=is_shielded, messages=messages, tools=tools)
    except TemplateRefusalError as error:
        raise DroppedError("template_refused", special.unshielded(str(error))) from None


class SftRows:
    """Texts and conversations, of which the assistant's turns are learnt, or every token.

    The chat template is looked at only when the first conversation comes: plain text does without.
    """

    def __init__(
        self,
        tokenizer: Any,
        segments: Segments,
        template: Template,
        assistant_only: bool = True,
        channelled: bool = False,
    ) -> None:
        """channelled: whether rows are told apart by where they are from."""
        self.shape: Shape = "channelled" if channelled else "example"
        self._tokenizer, self._segments = tokenizer, segments
        self._template, self._assistant_only = template, assistant_only
        self._weighing = Weighing(segments.special, chain_of(template.loss_scale, template.loss_scale_rules))
        self._chat: ChatTemplate | None = None
        self._whole: PromptTemplate | None = None
        self._writer: AgentWriter | None = None

    @property
    def warnings(self) -> list[str]:
        """What the user should know of the chat template."""
        found = []
        if self._chat and not self._chat.ends_turns:
            found.append(
                "the chat template puts no control token after a turn of the assistant: generation will not stop"
            )
        if self._chat and self._chat.opens_thought:
            found.append(
                "the chat template asks for a thought before each answer when the model is used, and writes none before"
                " the answers that are learnt; write thoughts into the answers to keep it thinking"
            )
        return found

    def rendered(self, example: Example) -> list[Rendered]:
        """As text and the ranges that are answers. Raises DroppedError, RowError, UnsuitableTemplateError."""
        if example.text is None:
            return [self.conversation(example.turns, example.tools)]
        if example.weight == 0:
            raise DroppedError("not_learnt", "it is marked not to be learnt")
        weights = None if example.weight is None else [example.weight]
        pieces = tuple(self._weighing.of_text(example.text))
        return [Rendered(example.text, [], weights, is_plain=True, pieces=pieces)]

    def conversation(self, turns: Sequence[Turn], tools: Sequence[Tool] = ()) -> Rendered:
        """The same of turns, in which tools may be called."""
        if self._template.system and turns[0].role != "system":
            turns = [Turn("system", self._template.system), *turns]
        if not self._template.agent_template:
            return self._written(turns, tools)
        has_calls = any(turn.calls for turn in turns)
        rendered = self._written(self._as_texts(self._template.agent_template, turns, tools), ())
        # Which of the answers have one is no longer known; none is cut in half.
        return replace(rendered, calls=tuple(range(len(rendered.spans)))) if has_calls else rendered

    def _written(self, turns: Sequence[Turn], tools: Sequence[Tool]) -> Rendered:
        """Turns as the chat template writes them."""
        if not self._assistant_only:
            return self._everything(turns, tools)
        for index, turn in enumerate(turns):
            if turn.weight and turn.role != "assistant":
                raise RowError(
                    f"turn {index} of the {turn.role} is marked to be learnt, and only the assistant's turns are; "
                    "leave the mark out, or set task.sft.assistantOnlyLoss to false"
                )
        turns = self._weighing.of_last_round(turns)
        answered = [i for i, turn in enumerate(turns) if turn.is_answer]
        if not answered:
            raise DroppedError("no_assistant_turn", "no turn of the assistant to learn from")
        learnt = [i for i in answered if turns[i].weight != 0]
        if not learnt:
            raise DroppedError("not_learnt", "all its answers are marked not to be learnt")
        turns = turns[: learnt[-1] + 1]  # what follows the last answer that is learnt is not learnt
        for index, turn in enumerate(turns):
            if turn.role == "assistant" and turn.weight != 0 and not turn.is_answer:
                raise DroppedError("empty_answer", f"turn {index} of the assistant is empty; nothing would be answered")
        self._chat = self._chat or ChatTemplate(self._tokenizer, self._segments)
        return self._by_template(self._chat, turns, tools)

    def _as_texts(self, name: str, turns: Sequence[Turn], tools: Sequence[Tool]) -> list[Turn]:
        """With tools, calls and results as an agent template writes them."""
        self._writer = self._writer or AgentWriter(name, self._tokenizer, self._segments.special)
        try:
            return self._writer.turns(turns, tools)
        except UnwritableError as error:
            raise DroppedError("template_refused", str(error)) from None

    def _everything(self, turns: Sequence[Turn], tools: Sequence[Tool]) -> Rendered:
        """The conversation with every token learnt. Answers are kept apart where they are found; they need not be."""
        if (mark := next((turn.weight for turn in turns if turn.weight not in (None, 1.0)), None)) is not None:
            what = f"with the weight {mark:g}" if mark else "not to be learnt"
            raise RowError(
                f"a turn is marked {what}, and task.sft.assistantOnlyLoss: false learns every token; leave one of them "
                "out"
            )
        if self._whole is None:
            try:
                self._whole = ChatTemplate(self._tokenizer, self._segments)
            except UnsuitableTemplateError:
                self._whole = PromptTemplate(self._tokenizer)
        return self._by_template(self._whole, turns, tools)

    def _by_template(self, template: PromptTemplate, turns: Sequence[Turn], tools: Sequence[Tool]) -> Rendered:
        weights = [1.0 if turn.weight is None else turn.weight for turn in turns]
        pieces_of = partial(self._weighing.of_answer, turns) if self._weighing.weighs(turns) else None

        def render(messages: list[Message], tools: Sequence[Tool]) -> Rendered:
            if isinstance(template, ChatTemplate):
                try:
                    return template.render(messages, weights, pieces_of, tools)
                except TemplateRefusalError:
                    if self._assistant_only:
                        raise
            return Rendered(template.text(messages, tools=tools), [])

        rendered = by_template(turns, self._segments.special, render, tools)
        return rendered if self._assistant_only else self._with_prompts(rendered)

    def _with_prompts(self, rendered: Rendered) -> Rendered:
        """With the pieces of what is no answer."""
        places = [0, *(place for span in rendered.spans for place in span), len(rendered.text)]
        pieces = [
            (start + begin, start + stop, factor)
            for start, end in zip(places[::2], places[1::2], strict=True)
            for begin, stop, factor in self._weighing.of_text(rendered.text[start:end])
        ]
        return replace(rendered, pieces=(*rendered.pieces, *pieces))

    def labelled(self, parts: Sequence[list[int]], rendered: Rendered) -> Encoded:
        """A row's segments as one, with labels and weights on what is learnt."""
        each = self._weights(parts, rendered)
        ids: list[int] = []
        labels: list[int] = []
        for part, weight in zip(parts, each, strict=True):
            ids += part
            labels += part if weight else [IGNORED] * len(part)
        weights = None
        if not set(each) <= {0.0, 1.0}:
            weights = [weight for part, weight in zip(parts, each, strict=True) for _ in part]
        targets = None if rendered.targets is None else list(rendered.targets)
        ends = list(accumulate(map(len, parts), initial=0))
        calls = tuple((ends[2 * index + 1], ends[2 * index + 2]) for index in rendered.calls)
        return Encoded(ids, labels, targets=targets, weights=weights, calls=calls)

    def _weights(self, parts: Sequence[list[int]], rendered: Rendered) -> list[float]:
        """Of each segment."""
        if rendered.is_plain or not self._assistant_only:
            return (rendered.weights if rendered.is_plain else None) or [1.0] * len(parts)
        answers = rendered.weights or [1.0] * len(rendered.spans)
        return [answers[index // 2] if index % 2 else 0.0 for index in range(len(parts))]

    def grouped(self, sequences: Sequence[Encoded]) -> list[Encoded]:
        """Each for itself."""
        return list(sequences)
