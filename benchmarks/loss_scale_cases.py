"""Rows made by chance that hold what rules of loss scale look for, what nearly is that, and calls of tools."""

import json
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

RULES = ("react", "agentflan", "alpha_umi", "hermes", "qwen", "ignore_empty_think", "ignore_think_prefix")
OWN = {
    "mine": '{"Plan:": [1.0, 0.5], "Observation:": [0.0, 0.0], "Final Answer:": [4.0, 1.5]}',
    "found": r'{"\\d+": [3.0], "(?i:action input):?": [0.25], "^plain \\w+": [0.0]}',
}
"""Rules of a user's own, as ms-swift reads them: one of keys, one of patterns."""
CHAINS = (
    *("default", "last_round", *RULES, *OWN),
    *(f"last_round+{rule}" for rule in ("react", "hermes", "mine")),
    *("react+agentflan", "hermes+ignore_empty_think", "qwen+found", "last_round+react+ignore_think_prefix+found"),
)
WHOLE = ("all", "all+react", "all+found", "all+ignore_empty_think+hermes")
"""Chains in which prompts are learnt, too."""
AGENTS = ("react_en", "react_zh", "qwen_en", "qwen_zh", "qwen_en_parallel", "qwen_zh_parallel", "hermes", "toolbench")
PARTS = (
    *("Thought: I look it up.\n", "Action: get_weather\n", 'Action Input: {"city": "Köln"}\n', "Observation: 6 °C\n"),
    *("Final Answer: it is six.", "Next: caller\n", "Name: x ", "Arguments: {}\n", "✿FUNCTION✿: f\n", "✿ARGS✿: {}\n"),
    *("✿RESULT✿: 3\n", "✿RETURN✿: so\n", '<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>\n'),
    *("<tool_call>cut", "plain words ", "Plan: 12 steps, 7 of them new. ", "\n\n", "  ", "action input"),
    *("ActionAction: ", "🙂日本 ", "Command x", "ObservationObservation:: "),
)
THOUGHTS = ("", "", "<think>\n", "<think>\n\n</think>\n\n", "<think>\nIt is 6.\n</think>\n\n", "</think>\n")
ASKED = ("What is the value of x?", "Go on.", "Weather in Köln?", "Action: none", "Plan: 3 <tool_call>a</tool_call>")
MARKS: tuple[dict[str, Any], ...] = ({}, {"loss_scale": 0.5}, {"loss": False}, {"loss": True}, {"loss_scale": 3.0})
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"It finds the {name}.",
            "parameters": {"type": "object", "properties": {"place": {"type": "string"}, "days": {"type": "integer"}}},
        },
    }
    for name in ("weather", "get_news")
]


@dataclass(frozen=True)
class Case:
    """row: in the form of ms-swift's files. agent: the agent template of tools, empty for chats."""

    kind: str
    chain: str
    agent: str
    row: dict[str, Any]

    @property
    def marks(self) -> list[float | None]:
        """Of each answer of a chat; what a call is marked with is not compared."""
        answers = [turn for turn in self.row["messages"] if turn["role"] == "assistant"]
        return [one.get("loss_scale", None if one.get("loss") is None else float(one["loss"])) for one in answers]

    @property
    def is_whole(self) -> bool:
        """Whether prompts are learnt, too."""
        return self.chain.startswith("all")

    @property
    def plain(self) -> dict[str, Any]:
        """The row without marks."""
        kept = [{key: one[key] for key in ("role", "content")} for one in self.row["messages"]]
        return {**self.row, "messages": kept}

    def asked(self) -> dict[str, Any]:
        """As JSON for the peer."""
        return asdict(self)


def cases(count: int, seed: int = 7) -> list[Case]:
    """count: of each kind."""
    chance = random.Random(seed)
    return [case for number in range(count) for case in _each(number, chance)]


def _each(number: int, chance: random.Random) -> Iterator[Case]:
    chain = CHAINS[number % len(CHAINS)]
    yield Case("answers", chain, "", {"messages": _chat(chance)})
    yield Case("answers with marks", chain, "", {"messages": _marked(_chat(chance), chance)})
    yield Case("prompts as well", WHOLE[number % len(WHOLE)], "", {"messages": _chat(chance)})
    called = {"tools": TOOLS[: chance.randint(1, 2)], "messages": _calls(chance)}
    yield Case("calls of tools", chain, AGENTS[number // len(CHAINS) % len(AGENTS)], called)


def _chat(chance: random.Random) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = [{"role": "system", "content": chance.choice(("Answer.", "Action: none"))}]
    for _ in range(chance.randint(1, 3)):
        turns.append({"role": "user", "content": chance.choice(ASKED)})
        said = "".join(chance.choice(PARTS) for _ in range(chance.randint(1, 6)))
        turns.append({"role": "assistant", "content": chance.choice(THOUGHTS) + (said if said.strip() else "plain x")})
    return turns


def _marked(turns: list[dict[str, Any]], chance: random.Random) -> list[dict[str, Any]]:
    """With marks on answers, one at the least."""
    answers = [turn for turn in turns if turn["role"] == "assistant"]
    sure = chance.choice(answers)
    for turn in answers:
        turn |= chance.choice(MARKS[turn is sure :])
    return turns


def _calls(chance: random.Random) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = [{"role": "system", "content": "Be brief."}] if chance.random() < 0.5 else []
    for _ in range(chance.randint(1, 2)):
        turns.append({"role": "user", "content": chance.choice(ASKED)})
        for _ in range(chance.randint(1, 2)):
            if chance.random() < 0.5:
                turns.append({"role": "assistant", "content": chance.choice(("Thought: I look.", "plain words 7."))})
            count = chance.randint(1, 2)
            turns += [_call(chance) for _ in range(count)]
            turns += [
                {"role": "tool_response", "content": chance.choice(("mild", '{"degrees": 6}'))} for _ in range(count)
            ]
        turns.append({"role": "assistant", "content": chance.choice(("Final Answer: it is 6.", "Mild, 6 °C."))})
    return turns


def _call(chance: random.Random) -> dict[str, Any]:
    arguments = chance.choice(({}, {"place": "Köln"}, {"place": "Bern", "days": 2}))
    return {"role": "tool_call", "content": json.dumps({"name": "weather", "arguments": arguments})}
