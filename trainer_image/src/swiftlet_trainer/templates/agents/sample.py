"""A short conversation with a tool, to see what a template makes of one."""

from swiftlet_trainer.data.tools import Tool, ToolCall
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.templates.agents.template import AgentTemplate

TOOLS: tuple[Tool, ...] = (
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather of a city.",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "description": "Its name."},
                    "days": {"type": "integer", "description": "How many days ahead."},
                },
                "required": ["city"],
            },
        },
    },
)
CALLS = (ToolCall("get_weather", {"city": "Bern", "days": 2}), ToolCall("get_weather", {"city": "Genève"}))
TURNS = (
    Turn("system", "Be brief."),
    Turn("user", "Is it warmer in Bern or in Genève?"),
    Turn("assistant", "I look at both.", calls=CALLS),
    Turn("tool", '{"degrees": 18}', name="get_weather"),
    Turn("tool", '{"degrees": 21}', name="get_weather"),
    Turn("assistant", "In Genève."),
)


def markup(template: AgentTemplate) -> str:
    """All that a template puts around what is said in the conversation."""
    answer = template.answer(TURNS[2], TOOLS)
    return f"{template.introduced(TOOLS, '')}\n{answer}{template.ends}\n{template.results(TURNS[3:5])}"
