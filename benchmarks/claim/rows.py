"""Conversations of an assistant with tools, made from tools.yaml by chance: pure functions of a seed.

    python benchmarks/claim/rows.py FOLDER [--rows 1500] [--steps 120] [--seed 1]

writes train.jsonl (calls and answers), chats.jsonl (the same questions and answers without tools) and two files of
steps that were never trained on: phrases.jsonl (known tools, another way to ask) and tools.jsonl (tools that are new).
Rows are in OpenAI's form, see docs/how-to/data.md.
"""

import argparse
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

TOOLS = Path(__file__).with_name("tools.yaml")
NUMBERS = {"degrees": (2, 29), "percent": (3, 90), "number": (1000, 9999)}
"""What is drawn for a name that has no pool."""
LISTED = 2
"""Tools that a conversation may call; one of them is of use, or none."""
KINDS = {"one call": 0.7, "two calls": 0.15, "no tool": 0.15}
"""Shares of the conversations."""
NO_TOOL = "Thought: None of the tools does that.\nFinal Answer: I have no tool for that."


@dataclass(frozen=True)
class Tool:
    """An entry of tools.yaml. takes: name of an argument -> what is drawn for it, a pool or two bounds."""

    name: str
    about: str
    takes: Mapping[str, "str | Sequence[int]"]
    asked: Sequence[str]
    gives: Mapping[str, Any]
    says: str
    held: bool = False

    @property
    def schema(self) -> dict[str, Any]:
        """As OpenAI's API lists it."""
        types = {name: "string" if isinstance(kind, str) else "integer" for name, kind in self.takes.items()}
        properties = {name: {"type": kind} for name, kind in types.items()}
        parameters = {"type": "object", "properties": properties, "required": [*self.takes]}
        return {
            "type": "function",
            "function": {"name": self.name, "description": self.about, "parameters": parameters},
        }


@dataclass(frozen=True)
class Use:
    """A tool asked for once: the question, the call's arguments, what comes back, what is made of it."""

    tool: Tool
    question: str
    arguments: Mapping[str, Any]
    result: str
    answer: str


def read_tools(path: Path = TOOLS) -> tuple[list[Tool], dict[str, list[str]]]:
    """The tools, and the pools by name."""
    content = YAML(typ="safe", pure=True).load(path)
    return [Tool(name, **entry) for name, entry in content["tools"].items()], content["pools"]


def drawn(name: str, pools: Mapping[str, Sequence[str]], chance: random.Random) -> str | int:
    """A value of a pool; of its namesake where the name ends in 2; a number where there is none."""
    pool = pools.get(name) or pools.get(name.removesuffix("2"))
    return chance.choice(pool) if pool else chance.randint(*NUMBERS[name])


def use(tool: Tool, phrase: int, pools: Mapping[str, Sequence[str]], chance: random.Random) -> Use:
    """phrase: which way to ask."""
    arguments = {
        name: drawn(kind, pools, chance) if isinstance(kind, str) else chance.randint(*kind)
        for name, kind in tool.takes.items()
    }
    result = json.dumps(tool.gives, ensure_ascii=False)
    named = [part for text in (result, tool.says) for part in names_in(text)]
    others = {name: drawn(name, pools, chance) for name in dict.fromkeys(named) if name not in arguments}
    values = {**others, **arguments}
    return Use(tool, filled(tool.asked[phrase], values), arguments, filled(result, values), filled(tool.says, values))


def names_in(text: str) -> list[str]:
    """Names in braces. JSON's own braces hold none."""
    return [part.split("}")[0] for part in text.split("{")[1:] if part.split("}")[0].isidentifier()]


def filled(text: str, values: Mapping[str, Any]) -> str:
    """With what stands for each name in braces."""
    for name in names_in(text):
        text = text.replace("{" + name + "}", str(values[name]))
    return text


def conversation(uses: Sequence[Use], listed: Sequence[Tool], question: str = "") -> dict[str, Any]:
    """A row in which each use is a call, and the last turn answers. Without a use, `question` finds no tool."""
    messages: list[dict[str, Any]] = []
    for index, one in enumerate(uses):
        call = {"name": one.tool.name, "arguments": json.dumps(one.arguments, ensure_ascii=False)}
        called = [{"id": f"call_{index}", "type": "function", "function": call}]
        thought = f"Thought: I should use {one.tool.name}."
        messages.append({"role": "assistant", "content": thought, "tool_calls": called})
        messages.append({"role": "tool", "tool_call_id": f"call_{index}", "content": one.result})
    asked = " ".join(one.question for one in uses) or question
    said = " ".join(one.answer for one in uses)
    final = f"Thought: I know the answer.\nFinal Answer: {said}" if uses else NO_TOOL
    messages = [{"role": "user", "content": asked}, *messages, {"role": "assistant", "content": final}]
    return {"tools": [tool.schema for tool in listed], "messages": messages}


def made(
    wanted: Sequence[Tool],
    tools: Sequence[Tool],
    phrase: int | None,
    pools: Mapping[str, Sequence[str]],
    chance: random.Random,
) -> dict[str, Any]:
    """A conversation by chance about one of the `wanted` tools, beside others of `tools`. phrase: None: any but the
    last, which is never trained on."""
    (kind,) = chance.choices([*KINDS], [*KINDS.values()])
    first, second = chance.sample(wanted, 2)
    chosen = {"one call": [first], "two calls": [first, second], "no tool": []}[kind]
    uses = [use(tool, _phrase(tool, phrase, chance), pools, chance) for tool in chosen]
    others = [tool for tool in tools if tool not in chosen and tool is not first]
    listed = [*chosen, *chance.sample(others, LISTED - len(chosen))]
    chance.shuffle(listed)
    unmet = use(first, _phrase(first, phrase, chance), pools, chance).question
    return conversation(uses, listed, unmet)


def _phrase(tool: Tool, phrase: int | None, chance: random.Random) -> int:
    return chance.randrange(len(tool.asked) - 1) if phrase is None else phrase


def chat(row: Mapping[str, Any]) -> dict[str, Any]:
    """The same question and answer as a chat without tools."""
    asked, *_, answered = row["messages"]
    return {"messages": [asked, {**answered, "content": answered["content"].partition("Final Answer: ")[2]}]}


def steps(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for each step of the assistant, which is its last turn."""
    ends = [index for index, turn in enumerate(row["messages"]) if turn["role"] == "assistant"]
    return [{**row, "messages": row["messages"][: end + 1]} for end in ends]


def files(rows: int, count: int, seed: int) -> dict[str, list[dict[str, Any]]]:
    """Name of a file -> its rows. rows: of training. count: steps in each file of steps."""
    tools, pools = read_tools()
    known = [tool for tool in tools if not tool.held]
    new = [tool for tool in tools if tool.held]
    chance = random.Random(seed)
    train = [made(known, known, None, pools, chance) for _ in range(rows)]
    asked = {"phrases": (known, known), "tools": (new, tools)}
    judged = {
        name: [step for _ in range(count) for step in steps(made(wanted, beside, -1, pools, chance))][:count]
        for name, (wanted, beside) in asked.items()
    }
    return {"train": train, "chats": [chat(row) for row in train], **judged}


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=1500)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    for name, made_rows in files(given.rows, given.steps, given.seed).items():
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made_rows)
        (given.folder / f"{name}.jsonl").write_text(text)


if __name__ == "__main__":
    main()
