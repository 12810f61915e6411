"""docs/how-to/data.md says of every key what the code does with it."""

import os
from pathlib import Path

from swiftlet_trainer.data.blocks import CALLS as CALL_BLOCKS
from swiftlet_trainer.data.blocks import RESULTS, THOUGHTS
from swiftlet_trainer.data.contents import TEXT_TYPES
from swiftlet_trainer.data.formats import FORMATS
from swiftlet_trainer.data.judgements import JUDGEMENTS
from swiftlet_trainer.data.keys import (
    BLOCK_TEXT,
    HARMLESS,
    LEVELS,
    MARKS,
    PART_TEXT,
    REFUSED,
    TURN_CALLS,
    TURN_THOUGHT,
)
from swiftlet_trainer.data.labelled import LABELLED
from swiftlet_trainer.data.preferences import MARGINS
from swiftlet_trainer.data.relevance import RELEVANCE
from swiftlet_trainer.data.turns import CALLS, ROLES

PAGE = Path(__file__).parents[4] / "docs" / "how-to" / "data.md"
BEGIN, END = "<!-- generated from swiftlet_trainer.data.keys -->", "<!-- end -->"
WITHIN = ("role", "content")


def _names(names: object) -> str:
    return ", ".join(f"`{name}`" for name in names)  # type: ignore[attr-defined]


def _generated() -> str:
    lines = ["### Read", "", "| row form | column | names, the first that has a value |", "| --- | --- | --- |"]
    for one in (*FORMATS.values(), *MARGINS.values(), *JUDGEMENTS.values(), *RELEVANCE.values(), *LABELLED.values()):
        needed = [column for column in one.columns if column not in WITHIN]
        lines += [
            f"| {one.name} | `{column}`{', needed' if column in one.required else ''} | {_names(one.columns[column])} |"
            for column in needed
        ]
    turn = FORMATS["messages"].columns
    lines += [f"| in a turn | `{column}`, needed | {_names(turn[column])} |" for column in WITHIN]
    lines += [f"| in a turn of the assistant | calls | {_names(TURN_CALLS)} |"]
    lines += [f"| in a turn of the assistant | thought | {_names(TURN_THOUGHT)} |"]
    lines += ["| in a turn of the tool | which tool and call it is of | `name`, `tool_call_id` |"]
    lines += [f"| in a part of a content | type | `type`: {_names(TEXT_TYPES)}, or none |"]
    lines += [f"| in a part of a content | text | {_names(PART_TEXT)} |"]
    lines += [f"| in a block of the assistant | thought | `type`: {_names(THOUGHTS)}; {_names(BLOCK_TEXT)} |"]
    lines += [f"| in a block of the assistant | call | `type`: {_names(CALL_BLOCKS)}; `id`, `name`, `input` |"]
    lines += [f"| in a block of the user | result | `type`: {_names(RESULTS)}; `tool_use_id`, `content` |", ""]
    for role in dict.fromkeys(ROLES.values()):
        lines.append(f"- role `{role}`: {_names(name for name, known in ROLES.items() if known == role)}")
    lines += [
        f"- calls of tools that are turns: {_names(CALLS)}",
        "",
        "### Marks of what is learnt",
        "",
        _names(MARKS),
        "",
    ]
    lines += ["### Refused", "", "| keys | where | why | remedy |", "| --- | --- | --- | --- |"]
    for kind in REFUSED:
        levels: dict[tuple[str, ...], list[str]] = {}
        for level, keys in kind.keys.items():
            levels.setdefault(keys, []).append(level)
        lines += [
            f"| {_names(keys)} | {', '.join(where)} | {kind.what} | {kind.remedy} |" for keys, where in levels.items()
        ]
    lines += ["", "### Harmless", ""]
    lines += [f"- of a {level}: {_names(HARMLESS[level])}" for level in LEVELS]
    return "\n".join(lines)


def test_the_page_says_what_the_tables_say() -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    expected = f"{before}{BEGIN}\n\n{_generated()}\n\n{end}{after}"
    if os.environ.get("SWIFTLET_UPDATE_GOLDEN"):
        PAGE.write_text(expected, encoding="utf-8")
    assert end and PAGE.read_text(encoding="utf-8") == expected, "run the test with SWIFTLET_UPDATE_GOLDEN=1"
