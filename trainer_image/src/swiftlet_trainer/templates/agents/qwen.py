"""Qwen-Agent's own format: calls and results as lines between flowers, within one turn of the assistant."""

from swiftlet_trainer.templates.agents.keywords import LIMITS, Keywords
from swiftlet_trainer.templates.agents.react import introduction
from swiftlet_trainer.templates.agents.template import AgentTemplate

KEYWORDS = Keywords("✿FUNCTION✿:", "✿ARGS✿:", "✿RESULT✿:")
ENGLISH = "### {name}\n\n{name}: {description} Parameters: {parameters} Format the arguments as a JSON object."
CHINESE = "### {name}\n\n{name}: {description} 输入参数：{parameters} 此工具的输入应为JSON对象。"
QWEN_EN = """# Tools

## You have access to the following tools:

{tools}

## When you need to call a tool, please insert the following command in your reply, which can be called zero or \
multiple times according to your needs:

✿FUNCTION✿: The tool to use, should be one of [{names}]
✿ARGS✿: The input of the tool
✿RESULT✿: Tool results
✿RETURN✿: Reply based on tool results. Images need to be rendered as ![](url)"""
QWEN_ZH = """# 工具

## 你拥有如下工具：

{tools}

## 你可以在回复中插入零次、一次或多次以下命令以调用工具：

✿FUNCTION✿: 工具名称，必须是[{names}]之一。
✿ARGS✿: 工具输入
✿RESULT✿: 工具结果
✿RETURN✿: 根据工具结果进行回复，需将图片用![](url)渲染出来"""
QWEN_EN_PARALLEL = """# Tools

## You have access to the following tools:

{tools}

## Insert the following command in your reply when you need to call N tools in parallel:

✿FUNCTION✿: The name of tool 1, should be one of [{names}]
✿ARGS✿: The input of tool 1
✿FUNCTION✿: The name of tool 2
✿ARGS✿: The input of tool 2
...
✿FUNCTION✿: The name of tool N
✿ARGS✿: The input of tool N
✿RESULT✿: The result of tool 1
✿RESULT✿: The result of tool 2
...
✿RESULT✿: he result of tool N
✿RETURN✿: Reply based on tool results. Images need to be rendered as ![](url)"""
"""The letter that is missing is missing in what models were trained with, too."""
QWEN_ZH_PARALLEL = """# 工具

## 你拥有如下工具：

{tools}

## 你可以在回复中插入以下命令以并行调用N个工具：

✿FUNCTION✿: 工具1的名称，必须是[{names}]之一
✿ARGS✿: 工具1的输入
✿FUNCTION✿: 工具2的名称
✿ARGS✿: 工具2的输入
...
✿FUNCTION✿: 工具N的名称
✿ARGS✿: 工具N的输入
✿RESULT✿: 工具1的结果
✿RESULT✿: 工具2的结果
...
✿RESULT✿: 工具N的结果
✿RETURN✿: 根据工具结果进行回复，需将图片用![](url)渲染出来"""


def _qwen(name: str, form: str, tool_form: str) -> AgentTemplate:
    return AgentTemplate(
        name=name,
        introduced=introduction(form, tool_form),
        written=KEYWORDS.written,
        results=KEYWORDS.results,
        read=KEYWORDS.read,
        source="Qwen-Agent",
        results_in="assistant",
        stop=(KEYWORDS.result,),
        limits=LIMITS,
    )


QWEN = (
    _qwen("qwen_en", QWEN_EN, ENGLISH),
    _qwen("qwen_zh", QWEN_ZH, CHINESE),
    _qwen("qwen_en_parallel", QWEN_EN_PARALLEL, ENGLISH),
    _qwen("qwen_zh_parallel", QWEN_ZH_PARALLEL, CHINESE),
)
