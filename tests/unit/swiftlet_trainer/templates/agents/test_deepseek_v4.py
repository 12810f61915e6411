"""What is written, beside DeepSeek's own encoding of V4, of which vLLM has a copy that imports nothing."""

import json
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from swiftlet_trainer.data.tools import ToolCall
from swiftlet_trainer.templates.agents.deepseek_v4 import DEEPSEEK_V4
from swiftlet_trainer.templates.agents.sample import TOOLS, TURNS

HOSTILE = ToolCall("f", {"text": 'a "b"\n<c> 1', "many": [1, None, {"ü": True}], "number": "7", "none": None})


@pytest.fixture(scope="module")
def own() -> Any:
    vllm = find_spec("vllm")
    assert vllm is not None
    assert vllm.origin is not None
    spec = spec_from_file_location("encoding", Path(vllm.origin).parent / "tokenizers/deepseek_v4_encoding.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rendered(own: Any, messages: list[dict[str, Any]], index: int) -> str:
    text: str = own.render_message(index, messages, "chat")
    return text


@pytest.mark.parametrize("calls", [TURNS[2].calls, (HOSTILE,), (HOSTILE, ToolCall("g", {}))])
def test_calls(own: Any, calls: tuple[ToolCall, ...]) -> None:
    listed = [{"function": {"name": call.name, "arguments": json.dumps(call.arguments)}} for call in calls]
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "I look.", "tool_calls": listed}]
    wanted = rendered(own, messages, 1).removesuffix(own.eos_token)
    assert f"I look.{DEEPSEEK_V4.between}{DEEPSEEK_V4.written(calls)}" == wanted
    assert DEEPSEEK_V4.read(wanted, ()).calls == calls


def test_tools_and_results(own: Any) -> None:
    told = rendered(own, [{"role": "system", "content": "Be brief.", "tools": list(TOOLS)}], 0)
    assert told.startswith(DEEPSEEK_V4.introduced(TOOLS, "Be brief."))
    results = [{"role": "tool", "content": turn.content, "tool_call_id": "c"} for turn in TURNS[3:5]]
    merged = own.merge_tool_messages([{"role": "assistant", "content": ""}, *results])
    assert DEEPSEEK_V4.results(TURNS[3:5]) in rendered(own, merged, 1)


BEGUN = '<｜DSML｜tool_calls>\n<｜DSML｜invoke name="f">\n<｜DSML｜parameter name="a"'
ENDS = "</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>"


@pytest.mark.parametrize(("said", "problem"), [(f' string="false">{{{ENDS}', "no JSON"), (f">{{{ENDS}", "not closed")])
def test_what_is_no_call_is_told(said: str, problem: str) -> None:
    found = DEEPSEEK_V4.read(f"{BEGUN}{said}", ())
    assert (found.calls, problem in found.problems[0]) == ((), True), found
