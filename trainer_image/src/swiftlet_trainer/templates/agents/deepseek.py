"""DeepSeek V3.1: calls and results between tokens of their own, in one turn of the assistant."""

from collections.abc import Sequence

from swiftlet_trainer.data.tools import Tool
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.templates.agents.named import LIMITS, Named
from swiftlet_trainer.templates.agents.template import AgentTemplate, function_of, json_text

CALLS = Named(
    begin="<｜tool▁call▁begin｜>",
    middle="<｜tool▁sep｜>",
    end="<｜tool▁call▁end｜>",
    opens="<｜tool▁calls▁begin｜>",
    closes="<｜tool▁calls▁end｜>",
)
TOOLS = """## Tools
You have access to the following tools:

{tools}

IMPORTANT: ALWAYS adhere to this exact format for tool use:
<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>tool_call_name<｜tool▁sep｜>tool_call_arguments<｜tool▁call▁end｜>\
{{additional_tool_calls}}<｜tool▁calls▁end｜>

Where:
- `tool_call_name` must be an exact match to one of the available tools
- `tool_call_arguments` must be valid JSON that strictly follows the tool's Parameters Schema
- For multiple tool calls, chain them directly without separators or spaces"""
TOOL = "### {name}\nDescription: {description}\n\nParameters: {parameters}"
END, RESULT = "<｜end▁of▁sentence｜>", ("<｜tool▁output▁begin｜>", "<｜tool▁output▁end｜>")


def _introduced(tools: Sequence[Tool], system: str) -> str:
    listed = [
        TOOL.format(
            name=function["name"],
            description=function.get("description") or "",
            parameters=json_text(function.get("parameters") or {}),
        )
        for function in map(function_of, tools)
    ]
    return f"{system}\n\n{TOOLS.format(tools=(chr(10) * 2).join(listed))}"


def _results(results: Sequence[Turn]) -> str:
    return "".join(f"{RESULT[0]}{one.content}{RESULT[1]}" for one in results)


DEEPSEEK = AgentTemplate(
    name="deepseek_v3_1",
    introduced=_introduced,
    written=CALLS.written,
    results=_results,
    read=CALLS.read,
    source="SWIFT's deepseek_v3_1",
    results_in="assistant",
    between="",
    ends=END,
    tokens=(END, *RESULT, CALLS.begin, CALLS.middle, CALLS.end, CALLS.opens, CALLS.closes),
    limits=LIMITS,
)
