"""Rows as token ids, by the model's own chat template."""

from collections.abc import Callable
from functools import cache
from typing import Any

from swiftlet_trainer.evaluate.likelihood import Scored
from swiftlet_trainer.evaluate.rows import ChoiceRow, GenerationRow, PerplexityRow, Row, Turn, UnusableRowError
from swiftlet_trainer.failures import InvalidInput


def prompt_ids(tokenizer: Any, row: GenerationRow) -> list[int]:
    """The conversation up to where the model answers. A model without a chat template gets the user's text as it is."""
    return _conversation_ids(tokenizer, row.messages)


def prompt_text(row: GenerationRow | ChoiceRow) -> str:
    """What the row asks, for people."""
    return row.question if isinstance(row, ChoiceRow) else row.messages[-1]["content"]


def texts_of(row: Row) -> list[str]:
    """Every text of the row that a model reads."""
    if isinstance(row, ChoiceRow):
        return [row.question, *row.choices]
    if isinstance(row, PerplexityRow) and row.text is not None:
        return [row.text]
    return [turn["content"] for turn in row.messages or []]


def text_encoder(tokenizer: Any, max_length: int) -> Callable[[PerplexityRow], Scored]:
    """A function from a row to its tokens, at most `max_length`, and which are scored.

    All of a text is scored; of messages, what the assistant wrote, end tokens included. The first token never is:
    nothing comes before it. The function raises UnusableRowError when the template refuses the row or no token is left.
    """
    template = cache(lambda: _template(tokenizer))

    def encode(row: PerplexityRow) -> Scored:
        if row.text is not None:
            ids = [int(token) for token in tokenizer(row.text)["input_ids"]]
            scored = [True] * len(ids)
        else:
            ids, scored = _assistant_tokens(tokenizer, template(), row.messages or [])
        if not any(scored[1:max_length]):
            raise UnusableRowError(
                f"no token to score within maxLength {max_length}; lengthen the row or raise maxLength"
            )
        return Scored(ids[:max_length], scored[:max_length])

    return encode


def choice_ids(tokenizer: Any, row: ChoiceRow) -> list[Scored]:
    """One sequence per choice: the question as a user turn, then the choice as the answer; the choice is scored."""
    if tokenizer.chat_template:
        prompt = _conversation_ids(tokenizer, [{"role": "user", "content": row.question}])
        choices = [tokenizer(choice, add_special_tokens=False)["input_ids"] for choice in row.choices]
    else:
        # A plain model continues the question after a blank; the blank belongs to the choice's first token.
        prompt = tokenizer(row.question)["input_ids"]
        choices = [tokenizer(f" {choice}", add_special_tokens=False)["input_ids"] for choice in row.choices]
    return [Scored(prompt + ids, [False] * len(prompt) + [True] * len(ids)) for ids in choices]


def _conversation_ids(tokenizer: Any, messages: list[Turn]) -> list[int]:
    if tokenizer.chat_template:
        ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
        return [int(token) for token in ids]
    if len(messages) > 1:
        raise UnusableRowError(
            "the model has no chat template, so a conversation of several turns cannot be asked; use prompt"
        )
    return [int(token) for token in tokenizer(messages[0]["content"])["input_ids"]]


def _template(tokenizer: Any) -> Any:
    # Imported here: finding assistant turns brings in TRL, seconds that texts do not need.
    from swiftlet_trainer.templates.render import ChatTemplate, UnsuitableTemplateError

    try:
        return ChatTemplate(tokenizer)
    except UnsuitableTemplateError as error:
        raise InvalidInput([str(error)]) from None


def _assistant_tokens(tokenizer: Any, template: Any, messages: list[Turn]) -> tuple[list[int], list[bool]]:
    """Token ids of the rendered conversation, and whether each begins inside an assistant turn."""
    from swiftlet_trainer.templates.render import TemplateRefusalError

    try:
        rendered = template.render(messages)
    except TemplateRefusalError as error:
        raise UnusableRowError(str(error)) from None
    encoding = tokenizer(rendered.text, add_special_tokens=False, return_offsets_mapping=True)
    starts = [start for start, _ in encoding["offset_mapping"]]
    scored = [any(first <= start < last for first, last in rendered.spans) for start in starts]
    return [int(token) for token in encoding["input_ids"]], scored
