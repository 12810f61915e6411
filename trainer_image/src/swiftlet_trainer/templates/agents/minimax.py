"""MiniMax-M2: calls as invocations with parameters, results in a turn of the tool."""

from collections.abc import Sequence

from swiftlet_trainer.data.tools import Tool
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.templates.agents.tagged import Tagged
from swiftlet_trainer.templates.agents.template import AgentTemplate, function_of, json_text
from swiftlet_trainer.templates.agents.typed import LIMITS

TAGGED = Tagged(
    call=('<invoke name="', '">\n'),
    argument=('<parameter name="', '">'),
    end="</parameter>\n",
    call_end="</invoke>",
    opens="<minimax:tool_call>\n",
    closes="\n</minimax:tool_call>",
)
TOOLS = """# Tools
You may call one or more tools to assist with the user query.
Here are the tools available in JSONSchema format:

<tools>
{tools}
</tools>

When making tool calls, use XML format to invoke tools and pass parameters:

<minimax:tool_call>
<invoke name="tool-name-1">
<parameter name="param-key-1">param-value-1</parameter>
<parameter name="param-key-2">param-value-2</parameter>
...
</invoke>
</minimax:tool_call>"""
END, BEGIN = "[e~[", "]~b]"


def _introduced(tools: Sequence[Tool], system: str) -> str:
    listed = "\n".join(f"<tool>{json_text(function_of(tool))}</tool>" for tool in tools)
    return f"{system}\n\n{TOOLS.format(tools=listed)}"


def _results(results: Sequence[Turn]) -> str:
    each = "\n".join(f"<response>{one.content}</response>" for one in results)
    return f"\n{BEGIN}tool\n{each}{END}\n{BEGIN}ai\n"


MINIMAX = AgentTemplate(
    name="minimax_m2",
    introduced=_introduced,
    written=TAGGED.written,
    results=_results,
    read=TAGGED.read,
    source="SWIFT's minimax_m2",
    results_in="assistant",
    ends=END,
    tokens=(END, BEGIN),
    limits=LIMITS,
)
