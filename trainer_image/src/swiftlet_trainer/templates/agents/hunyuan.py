"""Hunyuan: tools as Hermes has them; calls by name and JSON, or since V3 with arguments between tags."""

from collections.abc import Callable, Sequence

from swiftlet_trainer.data.tools import Tool
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.templates.agents import named, typed
from swiftlet_trainer.templates.agents.named import Named
from swiftlet_trainer.templates.agents.tagged import Tagged
from swiftlet_trainer.templates.agents.template import AgentTemplate, json_text

TOOLS = """# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>
{tools}
</tools>

For function call returns, you should first print """
HERMES_FORM = """<tool_calls>For each function call, you should return object like:
<tool_call>function_name
```json
function_arguments_in_json_format
```</tool_call>At the end of function call returns, you should print </tool_calls>"""
V3_FORM = """<tool_calls{mark}>
For each function call, you should return object like:
<tool_call{mark}>{{function-name}}<tool_sep{mark}>
<arg_key{mark}>{{arg-key-1}}</arg_key{mark}>
<arg_value{mark}>{{arg-value-1}}</arg_value{mark}>
<arg_key{mark}>{{arg-key-2}}</arg_key{mark}>
<arg_value{mark}>{{arg-value-2}}</arg_value{mark}>
...
</tool_call{mark}>
At the end of function call returns, you should print </tool_calls{mark}>"""
CALLS = Named(
    begin="<tool_call>",
    middle="\n```json\n",
    end="\n```</tool_call>",
    between="\n",
    opens="<tool_calls>\n",
    closes="\n</tool_calls>",
)


def _introduction(form: str) -> Callable[[Sequence[Tool], str], str]:
    def introduced(tools: Sequence[Tool], system: str) -> str:
        before = f"{system}\n\n" if system else ""
        return f"{before}{TOOLS.format(tools=chr(10).join(map(json_text, tools)))}{form}"

    return introduced


def _hermes_results(results: Sequence[Turn]) -> str:
    each = "\n".join(f"<tool_response>{one.content}</tool_response>" for one in results)
    return f"<tool_responses>{each}</tool_responses>"


def _v3(name: str, mark: str) -> AgentTemplate:
    """mark: what the names of the format's tags end with."""
    tagged = Tagged(
        call=(f"<tool_call{mark}>", f"<tool_sep{mark}>\n"),
        argument=(f"<arg_key{mark}>", f"</arg_key{mark}>\n<arg_value{mark}>"),
        end=f"</arg_value{mark}>\n",
        call_end=f"</tool_call{mark}>",
        opens=f"<tool_calls{mark}>\n",
        closes=f"\n</tool_calls{mark}>",
    )
    ends, assistant = f"<｜hy_eos{mark}｜>", f"<｜hy_Assistant{mark}｜>"

    def results(results: Sequence[Turn]) -> str:
        each = "\n".join(f"<tool_response{mark}>\n{one.content}\n</tool_response{mark}>" for one in results)
        return f"<tool_responses{mark}>\n{each}\n</tool_responses{mark}>{assistant}"

    return AgentTemplate(
        name=name,
        introduced=_introduction(V3_FORM.format(mark=mark)),
        written=tagged.written,
        results=results,
        read=tagged.read,
        source=f"SWIFT's {name}",
        results_in="assistant",
        between="",
        ends=ends,
        tokens=(ends, assistant),
        limits=typed.LIMITS,
    )


HUNYUAN = (
    AgentTemplate(
        name="hunyuan_hermes",
        introduced=_introduction(HERMES_FORM),
        written=CALLS.written,
        results=_hermes_results,
        read=CALLS.read,
        source="the form that SWIFT's hunyuan_hermes asks models for",
        between="",
        limits=named.LIMITS,
    ),
    _v3("hy_v3_preview", ""),
    _v3("hy_v3", ":opensource"),
)
