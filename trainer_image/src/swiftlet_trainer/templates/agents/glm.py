"""GLM: calls as tags since 4.5, as a name and JSON before; results in the same turn, behind tokens of their own."""

from collections.abc import Sequence

from swiftlet_trainer.data.tools import Tool
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.templates.agents.tagged import Tagged
from swiftlet_trainer.templates.agents.template import AgentTemplate, function_of, json_text
from swiftlet_trainer.templates.agents.typed import LIMITS

TOKENS = ("<|assistant|>", "<|observation|>", "<|system|>")
STOP = "<|observation|>"
OLD = Tagged(
    call=("<tool_call>", "\n"),
    argument=("<arg_key>", "</arg_key>\n<arg_value>"),
    end="</arg_value>\n",
    call_end="</tool_call>",
    behind=STOP,
)
NEW = Tagged(
    call=("<tool_call>", ""),
    argument=("<arg_key>", "</arg_key><arg_value>"),
    end="</arg_value>",
    call_end="</tool_call>",
    between="",
    behind=STOP,
)
TOOLS = """# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>
{tools}
</tools>

For each function call, output the function name and arguments within the following XML format:
"""
FORM = """<tool_call>{function-name}
<arg_key>{arg-key-1}</arg_key>
<arg_value>{arg-value-1}</arg_value>
<arg_key>{arg-key-2}</arg_key>
<arg_value>{arg-value-2}</arg_value>
...
</tool_call>"""


def _introduction(tools: Sequence[str], form: str, system: str) -> str:
    behind = f"<|system|>\n{system.strip()}" if system.strip() else ""
    return f"{TOOLS.format(tools=chr(10).join(tools))}{form}{behind}"


def _glm(name: str, tagged: Tagged, bare: bool, source: str) -> AgentTemplate:
    """bare: whether tools are written without the object around their functions."""
    is_old = tagged is OLD

    def introduced(tools: Sequence[Tool], system: str) -> str:
        texts = [json_text(function_of(tool) if bare else tool) for tool in tools]
        return _introduction(texts, FORM if is_old else FORM.replace("\n", ""), system)

    def results(results: Sequence[Turn]) -> str:
        form = "\n<tool_response>\n{}\n</tool_response>" if is_old else "<tool_response>{}</tool_response>"
        return "".join(form.format(one.content) for one in results) + ("<|assistant|>\n" if is_old else "<|assistant|>")

    return AgentTemplate(
        name=name,
        introduced=introduced,
        written=tagged.written,
        results=results,
        read=tagged.read,
        source=source,
        results_in="assistant",
        between="\n" if is_old else "",
        stop=(STOP,),
        tokens=TOKENS,
        limits=LIMITS,
    )


GLM = (
    _glm("glm4_5", OLD, False, "the chat template of GLM-4.5"),
    _glm("glm4_7", NEW, False, "SWIFT's glm4_7"),
    _glm("glm5_1", NEW, True, "SWIFT's glm5_1"),
)
