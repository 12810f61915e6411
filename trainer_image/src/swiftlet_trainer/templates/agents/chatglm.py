"""GLM-4 before 4.5: a call is a turn of its own, a tool's name and below it JSON; results stand behind a token."""

import re
from collections.abc import Callable, Sequence

from swiftlet_trainer.data.tools import Tool, ToolCall
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.templates.agents.json_values import NoJsonError, value_at
from swiftlet_trainer.templates.agents.template import AgentTemplate, Parsed, call_of, function_of, json_text

ASSISTANT, STOP = "<|assistant|>", "<|observation|>"
WHO = (
    "你是一个名为 GLM-4 的人工智能助手。你是基于智谱AI训练的语言模型 GLM-4 模型开发的，"
    "你的任务是针对用户的问题和要求提供适当的答复和支持。"
)
TOOL = "## {name}\n\n{function}\n在调用上述函数时，请使用 Json 格式表示调用的参数。"
CALL = re.compile(r"(?:^|<\|assistant\|>)[ \t]*(?P<name>[^\n{}`<>]+)\n(?=\s*\{)", re.MULTILINE)


def _introduction(who: str) -> Callable[[Sequence[Tool], str], str]:
    def introduced(tools: Sequence[Tool], system: str) -> str:
        functions = [function_of(tool) for tool in tools]
        listed = "\n".join(TOOL.format(name=one["name"], function=json_text(one, indent=4)) for one in functions)
        return "\n\n".join(filter(None, (system or who, f"# 可用工具\n\n{listed}")))

    return introduced


def _written(calls: Sequence[ToolCall]) -> str:
    return ASSISTANT.join(f"{call.name}\n{json_text(call.arguments)}" for call in calls) + STOP


def _results(results: Sequence[Turn]) -> str:
    return "\n" + f"{STOP}\n".join(one.content for one in results) + f"{ASSISTANT}\n"


def _read(text: str, _tools: Sequence[Tool] = ()) -> Parsed:
    said, calls, problems, place = list[str](), list[ToolCall](), list[str](), 0
    text = text.removesuffix(STOP)
    while found := CALL.search(text, place):
        said.append(text[place : found.start()])
        try:
            value, place = value_at(text, found.end())
            call = call_of({"name": found["name"].strip(), "arguments": value})
        except NoJsonError as error:
            call, place = f"the arguments of {found['name'].strip()} are not read: {error}", len(text)
        if isinstance(call, ToolCall):
            calls.append(call)
        else:
            problems.append(call)
    said.append(text[place:])
    pieces = (one.removeprefix(ASSISTANT).strip() for one in said)
    return Parsed("\n".join(filter(None, pieces)), tuple(calls), tuple(problems))


def _chatglm(name: str, who: str) -> AgentTemplate:
    """who: what the system says where the row has nothing."""
    return AgentTemplate(
        name=name,
        introduced=_introduction(who),
        written=_written,
        results=_results,
        read=_read,
        source=f"SWIFT's {name}",
        results_in="assistant",
        between=ASSISTANT,
        stop=(STOP,),
        tokens=(ASSISTANT, STOP),
        limits="a tool's name is one line, and what the answer says has no line before a JSON object",
    )


CHATGLM = (_chatglm("chatglm4", WHO), _chatglm("glm4", ""))
