"""ReAct: thoughts, actions and observations as lines of one turn of the assistant."""

from collections.abc import Callable, Sequence

from swiftlet_trainer.data.tools import Tool
from swiftlet_trainer.templates.agents.keywords import LIMITS, Keywords
from swiftlet_trainer.templates.agents.template import AgentTemplate, function_of, json_text

KEYWORDS = Keywords("Action:", "Action Input:", "Observation:")
ENGLISH = (
    "{name}: Call this tool to interact with the {name} API. What is the {name} API useful for? {description} "
    "Parameters: {parameters} Format the arguments as a JSON object."
)
CHINESE = (
    "{name}: 调用此工具与 {name} API 进行交互。{name} 有什么用？{description} 输入参数：{parameters} "
    "此工具的输入应为JSON对象。"
)
REACT_EN = """Answer the following questions as best you can. You have access to the following tools:

{tools}

Use the following format:

Question: the input question you must answer
Thought: you should always think about what to do
Action: the action to take, should be one of [{names}]
Action Input: the input to the action
Observation: the result of the action
... (this Thought/Action/Action Input/Observation can be repeated zero or more times)
Thought: I now know the final answer
Final Answer: the final answer to the original input question

Begin!
"""
REACT_ZH = """尽可能地回答以下问题。你可以使用以下工具:

{tools}

请按照以下格式进行:

Question: 需要你回答的输入问题
Thought: 你应该总是思考该做什么
Action: 需要使用的工具，应该是[{names}]中的一个
Action Input: 传入工具的内容
Observation: 行动的结果
... (这个Thought/Action/Action Input/Observation可以重复N次)
Thought: 我现在知道最后的答案
Final Answer: 对原始输入问题的最终答案

现在开始！
"""
REACT_GRPO = """A conversation for tool calling between User and Assistant. The user asks a question which may be \
solved by calling tools, and the Assistant solves it. The assistant first thinks about the reasoning process in the \
mind and then provides the user with the answer. The reasoning process should be enclosed within <think> </think>tags \
and answer should follow the ReACT format(Action:xxx\nAction Input:xxx), i.e., <think> reasoning process here </think> \
Action: action here\nAction Input: parameters here

Answer the following questions as best as you can. You have access to the following tools:

{tools}

Use the following format:

<think>you should always think about what to do</think>
Action: the action to take, should be one of [{names}]
Action Input: the input to the action
Observation: the result of the action, given by the actual calling
... (this Thought/Action/Action Input/Observation can be repeated zero or more times)
Final Answer: the final answer to the original input question

Begin!
"""


def described(tool: Tool, form: str) -> str:
    """A tool by a form with its name, description and parameters."""
    function = function_of(tool)
    return form.format(
        name=function["name"],
        description=function.get("description") or "",
        parameters=json_text(function.get("parameters") or {}),
    )


def introduction(form: str, tool_form: str) -> Callable[[Sequence[Tool], str], str]:
    """A function that introduces tools by a form with their descriptions and names, behind what the system says."""

    def introduced(tools: Sequence[Tool], system: str) -> str:
        names = ",".join(function_of(tool)["name"] for tool in tools)
        text = form.format(tools="\n\n".join(described(tool, tool_form) for tool in tools), names=names)
        return f"{system}\n\n{text}" if system else text

    return introduced


def _react(name: str, form: str, tool_form: str, thought: tuple[str, str] = ("Thought: ", "")) -> AgentTemplate:
    return AgentTemplate(
        name=name,
        introduced=introduction(form, tool_form),
        written=KEYWORDS.written,
        results=KEYWORDS.results,
        read=KEYWORDS.read,
        source="ReAct as Qwen's documentation has it",
        results_in="assistant",
        thought=thought,
        stop=(KEYWORDS.result,),
        limits=LIMITS,
    )


REACT = (
    _react("react_en", REACT_EN, ENGLISH),
    _react("react_zh", REACT_ZH, CHINESE),
    _react("react_grpo", REACT_GRPO, ENGLISH, ("<think>", "</think>")),
)
