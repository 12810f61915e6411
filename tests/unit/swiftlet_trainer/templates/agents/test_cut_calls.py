"""Answers that were cut within a call, in every format and at every place."""

from dataclasses import replace
from typing import Any

import pytest
from swiftlet_trainer.data.tools import ToolCall
from swiftlet_trainer.templates.agents.cut_calls import MOST_PLACES, before_cut
from swiftlet_trainer.templates.agents.registry import AGENT_TEMPLATES
from swiftlet_trainer.templates.agents.sample import TOOLS
from swiftlet_trainer.templates.agents.template import Parsed
from swiftlet_trainer.templates.stops import cut

CALLS = [
    ToolCall("get_weather", {"city": 'B"}n {x} </tool_call>', "days": 2}),
    ToolCall("get_weather", {"city": "Genève"}),
    ToolCall("get_weather", {"city": "Chur", "days": 3}),
]


@pytest.mark.parametrize("name", [name for name, one in AGENT_TEMPLATES.items() if one.parallel])
def test_whole_calls_are_kept_and_the_rest_is_told(name: str) -> None:
    template = AGENT_TEMPLATES[name]
    text = cut(template.written(CALLS), template.stop)
    first = len(cut(template.written(CALLS[:1]), template.stop).rstrip())
    counts = list[int]()
    for place in range(first, len(text)):
        said = text[:place]
        found = template.read(said, TOOLS)
        if found.problems:
            cut_one = before_cut(template, said, TOOLS)
            assert cut_one, said
            found = cut_one
            assert said.rstrip().endswith(found.content.split("\n")[-1])
        counts.append(len(found.calls))
        assert [call.arguments for call in found.calls] == [call.arguments for call in CALLS[: counts[-1]]]
    assert counts == sorted(counts)
    assert {1, 2} <= {*counts} <= {1, 2, 3}


def test_what_was_cut_is_content() -> None:
    template = AGENT_TEMPLATES["hermes"]
    found = before_cut(template, f"Well.\n{template.written(CALLS)[:-38]}", TOOLS)
    assert found
    assert found.content == 'Well.\n<tool_call>\n{"name": "get_weather", "arguments": {"c'
    assert [call.arguments for call in found.calls] == [call.arguments for call in CALLS[:2]]


@pytest.mark.parametrize("bad", ['{"name": 5}', '{"name": "get_weather", "arguments": {"city"'])
def test_a_bad_call_before_others_is_no_cut(bad: str) -> None:
    template = AGENT_TEMPLATES["hermes"]
    written = template.written(CALLS)
    assert before_cut(template, f"{written}\n<tool_call>{bad}</tool_call>\n{written[:-40]}", TOOLS) is None
    assert before_cut(template, f"{written}\n<tool_call>{bad}</tool_call>\n{written}", TOOLS) is None
    assert before_cut(template, f"<tool_call>{bad}", TOOLS) is None


def test_nothing_but_braces_is_not_read_for_each_of_them() -> None:
    template, reads = AGENT_TEMPLATES["hermes"], list[str]()

    def counted(text: str, tools: Any) -> Parsed:
        reads.append(text)
        return template.read(text, tools)

    said = '<tool_call>\n{"name": "get_weather' + "}" * 5000
    assert before_cut(replace(template, read=counted), said, TOOLS) is None
    assert 1 < len(reads) <= MOST_PLACES + 1
