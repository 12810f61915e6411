"""Youtu-LLM: calls as Hermes has them, without line breaks."""

from collections.abc import Sequence

from swiftlet_trainer.data.tools import Tool, ToolCall
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.templates.agents.hermes import BEGIN, END, read_tagged
from swiftlet_trainer.templates.agents.template import AgentTemplate, json_text

TOOLS = """<|begin_of_tool_description|>Tool calling capabilities.
You may call one or more functions to assist with the user query. You have the following functions available:
{tools}
For tool call returns, you MUST use the following format:
<tool_call>{{"name": "function-name", "arguments": {{"param1": "value1", "param2": "value2"}}}}</tool_call>
<|end_of_tool_description|>"""


def _introduced(tools: Sequence[Tool], system: str) -> str:
    listed = "\n".join(f"```json\n{json_text(tool)}\n```" for tool in tools)
    return (f"{system}\n\n" if system else "") + TOOLS.format(tools=listed)


def _written(calls: Sequence[ToolCall]) -> str:
    return "".join(f"{BEGIN}{json_text({'name': one.name, 'arguments': one.arguments})}{END}" for one in calls)


def _results(results: Sequence[Turn]) -> str:
    return "\n".join(f"<tool_response>{one.content}</tool_response>" for one in results)


YOUTU = AgentTemplate(
    name="youtu",
    introduced=_introduced,
    written=_written,
    results=_results,
    read=read_tagged,
    source="SWIFT's youtu",
    between="",
)
