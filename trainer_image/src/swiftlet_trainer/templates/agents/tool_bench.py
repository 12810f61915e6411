"""ToolBench: tools as a list of JSON, then ReAct's lines."""

from collections.abc import Sequence

from swiftlet_trainer.data.tools import Tool
from swiftlet_trainer.templates.agents.keywords import LIMITS
from swiftlet_trainer.templates.agents.react import KEYWORDS
from swiftlet_trainer.templates.agents.template import AgentTemplate, function_of, json_text

TOOLS = """You can use many tools(functions) to do the following task.
First I will give you the task description, and your task start.
At each step, you need to give your thought to analyze the status now and what to do next, with a function call to \
actually execute your step. Your output should follow this format:
Thought:
Action:
Action Input:

After the call, you will get the call result, and you are now in a new state.
Then you will analyze your status now, then decide what to do next...
After many (Thought-call) pairs, you finally perform the task, then you can give your final answer.
Remember:
1.the state change is irreversible, you can't go back to one of the former state, if you want to restart the task, say \
"I give up and restart".
2.All the thought is short, at most in 5 sentence.
3.You can do more then one try, so if your plan is to continuously try some conditions, you can do one of the \
conditions per try.
Let's Begin!
Task description: You should use functions to help handle the real time user queries. Remember:
1.ALWAYS call "Finish" function at the end of the task. And the final answer should contain enough information to show \
to the user,If you can't handle the task, or you find that function calls always fail(the function is not valid now), \
use function Finish->give_up_and_restart.
2.Do not use origin tool names, use only subfunctions' names.
Specifically, you have access to the following APIs: {tools}"""


def _introduced(tools: Sequence[Tool], system: str) -> str:
    text = TOOLS.format(tools=json_text([function_of(tool) for tool in tools]))
    return f"{system}\n\n{text}" if system else text


TOOL_BENCH = AgentTemplate(
    name="toolbench",
    introduced=_introduced,
    written=KEYWORDS.written,
    results=KEYWORDS.results,
    read=KEYWORDS.read,
    source="ToolBench (arXiv:2307.16789)",
    results_in="assistant",
    thought=("Thought: ", ""),
    stop=(KEYWORDS.result,),
    limits=LIMITS,
)
