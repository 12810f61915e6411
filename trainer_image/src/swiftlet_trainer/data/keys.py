"""Every key that data sets are known to have: what it means, and what becomes of it.

A key is read, or carried out as a mark, or harmless; or it changes what should be learnt in a way that cannot be
carried out, and its row is refused. Whatever is in no table is not read, and told once for each file.
docs/how-to/data.md is this table for people.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Level = Literal["row", "turn", "part", "block"]
"""Where a key stands; a block is a part that is a thought, a call or a result."""
LEVELS: tuple[Level, ...] = ("row", "turn", "part", "block")


class RowError(ValueError):
    """A row that is not of its format; the text says what, with the remedy."""


@dataclass(frozen=True)
class Refused:
    """Keys that mean something which is not carried out. what: ends `KEY is not supported: `."""

    what: str
    remedy: str
    keys: Mapping[Level, tuple[str, ...]]


PREFERENCE = Refused(
    "this is preference data, which tasks dpo, orpo, cpo, simpo, kto and rm learn from",
    "set one of them, leave it out to learn the row as it is, or name the answer to learn with columns.completion",
    {
        "row": (
            *("chosen", "rejected", "chosen_response", "rejected_response", "chosen_messages", "rejected_messages"),
            *("chosen_score", "rejected_score", "score_chosen", "score_rejected"),
        ),
        "turn": ("chosen", "rejected"),
    },
)
MARGIN = Refused(
    "this is by how much an answer is preferred, which task rm learns from",
    "set it, or leave the column out",
    {"row": ("margin",)},
)
JUDGED = Refused(
    "this is preference data of a shape that no task reads yet",
    "write it as chosen and rejected, or leave it out",
    {"row": ("preference", "winner", "rejected_input", "rejected_images")},
)
VERDICTS = Refused(
    "this says whether an answer is good, which task kto learns from, or what a text is, which seqCls does",
    "set it, or leave this out to learn the row as it is",
    {"row": ("label", "kto_tag"), "turn": ("label", "kto_tag")},
)
COMPARED = Refused(
    "this is data of texts that are compared, which tasks embedding and reranker learn from",
    "set one of them, or leave this out to learn the row as it is",
    {"row": ("positive", "negative", "positives", "negatives", "positive_messages", "negative_messages")},
)
LABELS = Refused(
    "these are labels of texts, which task seqCls learns from, or rewards, which no task reads yet",
    "leave it out to learn the row as it is",
    {"row": ("labels", "completions", "reward", "rewards"), "turn": ("rating",)},
)
TOOLS = Refused(
    "tools are called in turns, and this row has none that may call them",
    "leave it out, or give the conversation as turns",
    {"row": ("tools", "functions")},
)
CALLS = Refused(
    "calls of tools stand in turns of the assistant, as tool_calls, function_call or turns of that role",
    "write them there, or leave the row out",
    {
        "row": ("tool_calls", "function_call"),
        "part": ("tool_calls", "tool_call", "function_call", "tool_use", "tool_result", "functionCall"),
    },
)
TOOL_RULES = Refused(
    "this is a rule of how tools are used, or a tool of the server, which no chat template writes",
    "leave it out; the row's tools are its key tools",
    {"row": ("tool_choice", "mcp"), "turn": ("tool_plan", "tools", "functions", "code_interpreter")},
)
MEDIA = Refused(
    "pictures, sound and video cannot be learnt yet",
    "leave the row out",
    dict.fromkeys(
        LEVELS,
        (
            *("image", "images", "image_url", "image_path", "image_paths", "input_image", "picture", "pictures"),
            *("video", "videos", "video_url", "audio", "audios", "audio_url", "input_audio", "objects", "bbox"),
            *("pixel_values", "media", "inline_data", "inlineData", "file"),
        ),
    ),
)
THOUGHTS = Refused(
    "thoughts stand in turns of the assistant, as reasoning_content, reasoning or thinking",
    "write them there, or into the content as the model writes them, such as <think>…</think>",
    {
        "row": ("reasoning_content", "reasoning", "thinking", "thought", "thoughts", "rationale"),
        "turn": ("thought", "thoughts", "rationale"),
        "part": ("reasoning_content", "reasoning", "thinking", "thought", "thoughts", "rationale"),
    },
)
RENDERING = Refused(
    "what a chat template is given beside the messages is not carried out",
    "leave it out, or write its effect into the messages",
    {
        "row": ("chat_template_kwargs", "chat_template", "template_kwargs", "documents", "enable_thinking"),
        "turn": ("documents", "channel", "recipient"),
    },
)
ANSWERS = Refused(
    "this is part of what was said, beside the content",
    "write it into the content",
    {"turn": ("refusal", "content_parts", "parts"), "part": ("refusal",)},
)
TOKENS = Refused(
    "tokens of another program's preparation cannot be used",
    "give the texts instead",
    {"row": ("input_ids", "token_ids", "attention_mask")},
)
REFUSED = (
    *(PREFERENCE, MARGIN, JUDGED, VERDICTS, COMPARED, LABELS, TOOLS, CALLS, TOOL_RULES, MEDIA, THOUGHTS, RENDERING),
    *(ANSWERS, TOKENS),
)
"""Told in this order, before anything else is asked of a row."""

MARKS = (
    *("weight", "loss", "train", "loss_weight", "loss_scale", "loss_mask"),
    *("train_on_turn", "training", "trainable"),
)
"""How much a turn counts in the loss, in the words of OpenAI, axolotl, ms-swift and LLaMA-Factory: a weight, false or
true. On a row: for all of its answers or, as a list, for each turn."""

HARMLESS: Mapping[Level, tuple[str, ...]] = {
    "row": (
        *("id", "_id", "idx", "index", "row_id", "uid", "uuid", "guid", "key", "hash", "prompt_id", "conversation_id"),
        *("message_id", "session_id", "thread_id", "user_id", "example_id", "data_id", "problem_id", "question_id"),
        *("name", "title", "source", "sources", "origin", "dataset", "dataset_name", "subset", "split", "config"),
        "channel",
        *(
            "category",
            "categories",
            "task",
            "task_name",
            "task_type",
            "type",
            "domain",
            "topic",
            "topics",
            "tag",
            "tags",
        ),
        *("subject", "difficulty", "level", "quality", "score", "scores", "language", "lang", "locale", "license"),
        *("url", "link", "author", "date", "time", "timestamp", "created", "created_at", "updated_at", "version"),
        *("model", "model_name", "generator", "meta", "metadata", "info", "extra", "comment", "comments", "note"),
        *("notes", "annotator", "num_turns", "turns", "num_tokens", "token_count", "n_tokens", "length", "text_length"),
        *("file_path", "file_name", "filename", "path", "Unnamed: 0", "__index_level_0__", "__fragment_index", "toxic"),
    ),
    "turn": (
        *("id", "uid", "uuid", "timestamp", "time", "date", "created_at", "index", "idx", "model", "source"),
        *("language", "lang", "metadata", "meta", "annotations", "token_count", "num_tokens", "tokens"),
        *("hash", "url", "score", "quality", "toxic", "redacted", "end_turn", "status", "parent", "parent_id"),
    ),
    "part": ("id", "index", "annotations", "cache_control", "metadata", "logprobs"),
    "block": ("signature", "is_error", "caller", "index", "cache_control", "metadata"),
}
"""Keys that say where a row is from, and nothing about what is learnt."""

PART_TEXT = ("text", "value", "content")
"""Names of the text in a part, the first that has a value being taken."""
READ_IN_PARTS = ("type", *PART_TEXT)
BLOCK_TEXT = ("thinking", "reasoning", "thought", *PART_TEXT)
READ_IN_BLOCKS = (*READ_IN_PARTS, *BLOCK_TEXT[:3], "id", "name", "input", "tool_use_id")
TURN_CALLS = ("tool_calls", "tool_call", "function_call")
TURN_THOUGHT = ("reasoning_content", "reasoning", "thinking")
READ_IN_TURNS = (*TURN_CALLS, *TURN_THOUGHT, "name", "tool_call_id")
"""What is read of a turn beside its role and content."""
EMPTY_CELLS = frozenset({"", "[]", "{}", "null", "None", "nan", "NaN"})
"""Cells of CSV that hold nothing."""


def is_absent(value: Any) -> bool:
    """Whether a key has no value: tables fill the keys that a row lacks with null or NaN."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def is_empty(value: Any) -> bool:
    """Whether there is nothing in the value that could mean anything. False and 0 mean something."""
    if isinstance(value, str):
        return value.strip() in EMPTY_CELLS
    if isinstance(value, Mapping):
        return all(is_absent(one) or one in ("", [], {}) for one in value.values())
    return is_absent(value) or (isinstance(value, list | tuple) and all(map(is_absent, value)))


def first_with_value(held: Mapping[str, Any], names: Sequence[str], where: str) -> str | None:
    """The first of `names` that has a value in `held`. Raises RowError when another has another value."""
    found = [name for name in names if not is_absent(held.get(name))]
    for other in found[1:]:
        if held[other] != held[found[0]]:
            raise RowError(f"{where or 'the row'} has both {found[0]} and {other}; leave one of them out")
    return found[0] if found else None


@dataclass(frozen=True)
class _Sorted:
    """The keys of one object by what becomes of them."""

    refused: tuple[tuple[str, Refused], ...]
    marks: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass
class Seen:
    """How often a key was met, and in which row first."""

    count: int
    first: int


@dataclass
class KeyBook:
    """What the keys of one file mean, and which of them were not read.

    read: keys that a format or the document's columns read, by level. allowed: kinds of REFUSED that do no harm here.
    number: the row that is looked at.
    """

    read: Mapping[Level, Collection[str]] = field(default_factory=dict)
    allowed: Collection[Refused] = ()
    number: int = 0
    unread: dict[tuple[Level, str], Seen] = field(default_factory=dict)
    _sorted: dict[tuple[Level, tuple[Any, ...]], _Sorted] = field(default_factory=dict)

    def marks(self, level: Level, held: Mapping[str, Any], where: str = "") -> dict[str, Any]:
        """The marks among the keys of an object. Raises RowError for a key that cannot be carried out; notes those that
        nobody reads. where: the object's path in the row, empty for the row itself."""
        found = self._sorted.get((level, tuple(held)))
        if found is None:
            found = self._sorted[level, tuple(held)] = self._sort(level, held)
        for key, kind in found.refused:
            if not is_empty(held[key]):
                path = f"{where}.{key}" if where else key
                raise RowError(f"{path} is not supported: {kind.what}; {kind.remedy}")
        for key in found.unknown:
            if not is_empty(held[key]):
                self.unread.setdefault((level, key), Seen(0, self.number)).count += 1
        return {key: held[key] for key in found.marks if not is_absent(held[key])}

    def _sort(self, level: Level, keys: Iterable[str]) -> _Sorted:
        rest = [key for key in keys if key not in self.read.get(level, ())]
        # A column of preference data that the document names says how the others are meant.
        mapped = [kind for kind in REFUSED if set(kind.keys.get(level, ())) & set(self.read.get(level, ()))]
        kinds = [kind for kind in REFUSED if kind not in mapped and kind not in self.allowed]
        refused = [(key, kind) for kind in kinds for key in rest if key in kind.keys.get(level, ())]
        # Of a kind that is read here, keys that are not are told as any other is.
        told = {key for kind in REFUSED if kind not in mapped for key in kind.keys.get(level, ())}
        known = told | set(HARMLESS[level]) | set(MARKS)
        marks = tuple(key for key in rest if key in MARKS and level in ("row", "turn"))
        unknown = tuple(key for key in rest if key not in known or (key in MARKS and level not in ("row", "turn")))
        return _Sorted(tuple(refused), marks, unknown)
