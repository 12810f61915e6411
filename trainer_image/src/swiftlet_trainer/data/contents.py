"""The text of what is said: a string, or parts of it."""

import json
from collections.abc import Mapping
from typing import Any

from swiftlet_trainer.data.keys import MEDIA, PART_TEXT, KeyBook, RowError, first_with_value, is_absent
from swiftlet_trainer.data.shown import shown

TEXT_TYPES = ("text", "input_text", "output_text")
NO_MEDIA = f"not supported: {MEDIA.what}; {MEDIA.remedy}"
NO_TOOLS = (
    "not supported here: calls are tool_use in turns of the assistant, results tool_result in turns of the user; write "
    "others as tool_calls, and as turns of the tool"
)
NO_THOUGHTS = (
    "not supported here: thoughts are thinking in turns of the assistant, before its text; leave out what is encrypted"
)
OTHER_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("image", "video", "audio", "file", "input_image", "input_audio", "media"), NO_MEDIA),
    **dict.fromkeys(("tool", "function"), NO_TOOLS),
    **dict.fromkeys(("reasoning", "thinking", "redacted_thinking", "thought"), NO_THOUGHTS),
}
"""Why parts are no text, by the beginnings of their types."""


def text_of(value: Any, where: str, book: KeyBook) -> str:
    """A text: a string, or parts of it (strings, objects with a text). Raises RowError for everything else."""
    if isinstance(value, str):
        return _encodable(value, where)
    if isinstance(value, Mapping):
        return _part(value, where, book)
    if isinstance(value, list | tuple) and value:
        return "".join(text_of(part, f"{where}[{index}]", book) for index, part in enumerate(value))
    raise RowError(f"{where} must be text, this is {shown(value)}")


def _part(part: Mapping[str, Any], where: str, book: KeyBook) -> str:
    """The text of one part of a content."""
    kind = part.get("type")
    if not is_absent(kind) and kind not in TEXT_TYPES:
        other = next((why for start, why in OTHER_TYPES.items() if str(kind).startswith(start)), None)
        raise RowError(f"{where}.type {shown(kind)} is {other or 'not one of ' + ', '.join(TEXT_TYPES)}")
    book.marks("part", part, where)
    name = first_with_value(part, PART_TEXT, where)
    if name is None:
        raise RowError(f"{where} has {', '.join(map(str, part)) or 'nothing'}, a part needs {'/'.join(PART_TEXT)}")
    return text_of(part[name], f"{where}.{name}", book)


def _encodable(text: str, where: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            half = json.dumps(text[error.start])[1:-1]
            raise RowError(
                f"{where} has half of a surrogate pair ({half} at character {error.start + 1}), which is no text; "
                "write the character whole, or leave it out"
            ) from None
    return text
