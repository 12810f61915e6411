"""Tools over the API of the transformers engine, asked by OpenAI's own client: a model that repeats what it is told to
say, so that every format can be tried."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import openai
import pytest
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.serve.conversations import Conversations
from swiftlet_trainer.serve.transformers_app import build_app
from swiftlet_trainer.serve.transformers_engine import TransformersEngine

from .conftest import serving

TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "Tells it.",
            "parameters": {"type": "object", "properties": {"place": {"type": "string"}}},
        },
    }
]
ASKED: list[Any] = [{"role": "user", "content": "How is it in Bern and Chur?"}]
CALLS = "\n".join(
    f'<tool_call>\n{{"name": "weather", "arguments": {{"place": "{place}"}}}}\n</tool_call>'
    for place in ("Bern", "Chur")
)


class Parrot:
    """Stands for a model: its answers are given, and what it was asked is kept."""

    def __init__(self, model: Any, tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.says, self.heard = [""], list[str]()
        self._tokenizer, self._lock = tokenizer, threading.Lock()
        monkeypatch.setattr(model, "generate", self._generate, raising=False)

    def _generate(self, input_ids: Any, stopping_criteria: Any, generation_config: Any, **_: Any) -> None:
        """One token after the other, as generate() says them to its criteria."""
        import torch

        with self._lock:
            self.heard.append(self._tokenizer.decode(input_ids[0]))
            said = self._tokenizer(self.says.pop(0), add_special_tokens=False)["input_ids"]
        for token in [*said, self._tokenizer.eos_token_id][: generation_config.max_new_tokens]:
            input_ids = torch.cat([input_ids, torch.tensor([[token]])], dim=1)
            if stopping_criteria(input_ids, None).all():
                return


@pytest.fixture
def parrot(random_model: Any, tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> Parrot:
    return Parrot(random_model, tokenizer, monkeypatch)


@pytest.fixture
def asking(parrot: Parrot, random_model: Any, tokenizer: Any) -> Callable[..., Any]:
    """A client of a server of the model, with an agent template by name: `with asking("hermes") as client`."""

    @contextmanager
    def ask(agent: str | None) -> Iterator[openai.OpenAI]:
        agents = {"base": agent} if agent else None
        engine = TransformersEngine(random_model, tokenizer, ["base"], {}, 1024, agents=agents)
        with (
            serving(build_app(engine, None)) as url,
            httpx.Client(timeout=30, trust_env=False) as http,
            openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, http_client=http) as client,
        ):
            yield client

    return ask


def _called(message: Any) -> list[Any]:
    return [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls]


def _streamed(client: openai.OpenAI, **fields: Any) -> tuple[str, list[Any], list[str | None]]:
    """Text, calls and finish reasons of a stream, put together as clients do."""
    text, calls, ends = "", dict[int, Any](), []
    for event in client.chat.completions.create(model="base", stream=True, **fields):
        choice = event.choices[0]
        text += choice.delta.content or ""
        ends += [choice.finish_reason] if choice.finish_reason else []
        for call in choice.delta.tool_calls or ():
            assert call.id
            calls[call.index] = (call.function.name, json.loads(call.function.arguments))
    return text, [calls[index] for index in sorted(calls)], ends


def test_a_tool_is_called_and_its_result_answered(asking: Any, parrot: Parrot) -> None:
    parrot.says = [f"I look.\n{CALLS}", "Mild in both."]
    with asking("hermes") as client:
        first = client.chat.completions.create(model="base", messages=ASKED, tools=TOOLS).choices[0]
        assert (first.finish_reason, first.message.content) == ("tool_calls", "I look.")
        assert _called(first.message) == [("weather", {"place": "Bern"}), ("weather", {"place": "Chur"})]
        results = [{"role": "tool", "tool_call_id": call.id, "content": "mild"} for call in first.message.tool_calls]
        history = [*ASKED, first.message, *results]
        last = client.chat.completions.create(model="base", messages=history, tools=TOOLS).choices[0]
    assert (last.finish_reason, last.message.content, last.message.tool_calls) == ("stop", "Mild in both.", None)
    assert '"description": "Tells it."' in parrot.heard[0]
    assert f"I look.\n{CALLS}<|im_end|>" in parrot.heard[1]
    assert parrot.heard[1].count("<tool_response>\nmild\n</tool_response>") == 2
    assert parrot.heard[1].endswith("<|im_start|>assistant\n")


def test_results_within_the_assistants_turn_are_gone_on_from(asking: Any, parrot: Parrot) -> None:
    parrot.says = ['Thought: I look.\nAction: weather\nAction Input: {"place": "Bern"}\nObservation: rain', "Mild."]
    with asking("react_en") as client:
        first = client.chat.completions.create(model="base", messages=ASKED, tools=TOOLS).choices[0].message
        assert (_called(first), first.content) == ([("weather", {"place": "Bern"})], "Thought: I look.")
        result = {"role": "tool", "tool_call_id": first.tool_calls[0].id, "content": "mild"}
        client.chat.completions.create(model="base", messages=[*ASKED, first, result], tools=TOOLS)
    assert parrot.heard[1].endswith('Action: weather\nAction Input: {"place": "Bern"}\nObservation:mild\n')


def test_calls_come_in_a_stream_whole_and_last(asking: Any, parrot: Parrot) -> None:
    parrot.says = [f"I <b>look</b>.\n{CALLS}", "Mild."]
    with asking("hermes") as client:
        text, calls, ends = _streamed(client, messages=ASKED, tools=TOOLS)
        assert (text, calls) == (
            "I <b>look</b>.",
            [("weather", {"place": "Bern"}), ("weather", {"place": "Chur"})],
        )
        assert ends == ["tool_calls"]
        assert _streamed(client, messages=ASKED, tools=TOOLS) == ("Mild.", [], ["stop"])


def test_clients_together_get_their_own_and_one_that_leaves_harms_none(asking: Any, parrot: Parrot) -> None:
    parrot.says = [CALLS, f"Long. {'word ' * 300}{CALLS}", CALLS]
    with asking("hermes") as client:
        fields = {"model": "base", "messages": ASKED, "tools": TOOLS}
        first = client.chat.completions.create(**fields)
        with client.chat.completions.create(**fields, stream=True) as stream:
            assert next(iter(stream)).choices[0].delta.content
        found: list[Any] = []
        other = threading.Thread(target=lambda: found.append(client.chat.completions.create(**fields)))
        other.start()
        other.join(60)
    assert [_called(one.choices[0].message) for one in (first, *found)] == [_called(first.choices[0].message)] * 2


@pytest.mark.parametrize(("choice", "parallel", "count"), [("none", True, 0), ("auto", False, 1), ("auto", True, 2)])
def test_choices_are_kept(asking: Any, parrot: Parrot, choice: Any, parallel: bool, count: int) -> None:
    parrot.says = [CALLS]
    with asking("hermes") as client:
        found = client.chat.completions.create(
            model="base", messages=ASKED, tools=TOOLS, tool_choice=choice, parallel_tool_calls=parallel
        )
    assert len(found.choices[0].message.tool_calls or ()) == count
    assert ("weather" in parrot.heard[0]) == (choice == "auto")


def test_calls_that_were_whole_before_a_cut_are_calls(asking: Any, parrot: Parrot, tokenizer: Any) -> None:
    """Also where they had to come: what was cut is told as text, and the reason that the client knows."""
    length = len(tokenizer(CALLS[:-40])["input_ids"])
    fields: dict[str, Any] = {"messages": ASKED, "tools": TOOLS, "max_tokens": length}
    parrot.says = [CALLS] * 3
    with asking("hermes") as client:
        for choice in ("auto", "required"):
            found = client.chat.completions.create(model="base", tool_choice=choice, **fields).choices[0]
            assert (found.finish_reason, _called(found.message)) == ("length", [("weather", {"place": "Bern"})])
            assert found.message.content.startswith('<tool_call>\n{"name": "weather"')
            assert found.message.content in CALLS
        text, calls, ends = _streamed(client, **fields)
    assert (text.strip(), calls, ends) == (found.message.content, [("weather", {"place": "Bern"})], ["length"])


def test_a_call_that_must_come_and_comes_again_ends_the_answer(asking: Any, parrot: Parrot) -> None:
    parrot.says = ["\n".join([CALLS] * 9)] * 2
    with asking("hermes") as client:
        asked: dict[str, Any] = {"model": "base", "messages": ASKED, "tools": TOOLS}
        found = client.chat.completions.create(tool_choice="required", **asked)
        free = client.chat.completions.create(**asked)
    assert (found.choices[0].finish_reason, found.choices[0].message.content) == ("tool_calls", None)
    assert [arguments["place"] for _, arguments in _called(found.choices[0].message)] == ["Bern", "Chur"]
    assert len(_called(free.choices[0].message)) == 18
    assert 4 * found.usage.completion_tokens < free.usage.completion_tokens


def test_a_call_that_cannot_be_read_is_text(asking: Any, parrot: Parrot) -> None:
    parrot.says = ['<tool_call>{"name": weather}</tool_call>']
    with asking("hermes") as client:
        found = client.chat.completions.create(model="base", messages=ASKED, tools=TOOLS).choices[0]
    assert (found.finish_reason, found.message.tool_calls) == ("stop", None)
    assert found.message.content == '<tool_call>{"name": weather}</tool_call>'


@pytest.mark.parametrize(
    ("turns", "param", "told"),
    [
        (ASKED, "tools", "the model's chat template does not write tools; set spec.api.agentTemplate"),
        (
            [*ASKED, {"role": "tool", "tool_call_id": "x", "content": "mild"}],
            "messages",
            "turn 1 is a result of call x without a call",
        ),
    ],
)
def test_what_a_template_leaves_out_is_refused(
    asking: Any, parrot: Parrot, turns: list[Any], param: str, told: str
) -> None:
    with asking(None) as client, pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="base", messages=turns, tools=TOOLS)
    assert (caught.value.param, told in str(caught.value)) == (param, True), caught.value


def test_a_models_own_template_writes_tools_and_its_calls_are_known(
    asking: Any, parrot: Parrot, tokenizer: Any, chat_template: Any
) -> None:
    parrot.says = [CALLS, "Mild."]
    chat_template("qwen2_5")
    with asking(None) as client:
        first = client.chat.completions.create(model="base", messages=ASKED, tools=TOOLS).choices[0].message
        results = [{"role": "tool", "tool_call_id": call.id, "content": "mild"} for call in first.tool_calls]
        client.chat.completions.create(model="base", messages=[*ASKED, first, *results], tools=TOOLS)
    assert [arguments["place"] for _, arguments in _called(first)] == ["Bern", "Chur"]
    assert "# Tools" in parrot.heard[0]
    assert '{"name": "weather", "arguments": {"place": "Chur"}}' in parrot.heard[1]


@pytest.fixture
def thinker(asking: Any, chat_template: Any) -> Iterator[openai.OpenAI]:
    """A client of a model whose chat template writes thoughts."""
    chat_template("qwen3")
    with asking("hermes") as client:
        yield client


THOUGHT = "<think>\n2 < 3, so I look.\n</think>\n\n"


def test_thoughts_stand_beside_what_is_said_and_called(thinker: openai.OpenAI, parrot: Parrot) -> None:
    parrot.says = [f"{THOUGHT}I look.\n{CALLS}", "Mild.", f"{THOUGHT}Mild."]
    first = thinker.chat.completions.create(model="base", messages=ASKED, tools=TOOLS).choices[0].message
    assert (first.reasoning, first.reasoning_content) == ("2 < 3, so I look.",) * 2  # type: ignore[attr-defined]
    assert (first.content, len(first.tool_calls or ())) == ("I look.", 2)
    results = [{"role": "tool", "tool_call_id": call.id, "content": "mild"} for call in first.tool_calls or ()]
    history: list[Any] = [*ASKED, first, *results]  # as the client keeps it, thought included
    last = thinker.chat.completions.create(model="base", messages=history, tools=TOOLS).choices[0].message
    assert (last.content, "reasoning" in last.model_fields_set) == ("Mild.", False)
    assert "2 < 3, so I look." in parrot.heard[1]
    plain = thinker.chat.completions.create(model="base", messages=ASKED).choices[0].message
    assert (plain.content, plain.reasoning) == ("Mild.", "2 < 3, so I look.")  # type: ignore[attr-defined]


def test_thoughts_come_in_a_stream_apart(thinker: openai.OpenAI, parrot: Parrot) -> None:
    parrot.says = [f"{THOUGHT}I look.\n{CALLS}"]
    events = [*thinker.chat.completions.create(model="base", messages=ASKED, tools=TOOLS, stream=True)]
    deltas = [event.choices[0].delta for event in events]
    assert "".join(getattr(delta, "reasoning", "") for delta in deltas) == "2 < 3, so I look."
    assert sum(hasattr(delta, "reasoning") for delta in deltas) > 1
    assert "".join(delta.content or "" for delta in deltas) == "I look."
    assert not [delta for delta in deltas if hasattr(delta, "reasoning") and delta.content]


def test_a_template_without_thoughts_has_none(asking: Any, parrot: Parrot) -> None:
    parrot.says = [f"{THOUGHT}Mild."]
    with asking("hermes") as client:
        found = client.chat.completions.create(model="base", messages=ASKED).choices[0].message
    assert found.content == f"{THOUGHT}Mild."


@pytest.mark.parametrize(
    ("name", "thinks"),
    [("qwen3", "may"), ("qwen3_5_think", "opened"), ("qwen3_5_nothink", "no"), ("qwen2_5", "no")],
)
def test_a_prompt_tells_whether_its_answer_is_thought_about(
    tokenizer: Any, chat_template: Any, name: str, thinks: str
) -> None:
    assert Conversations(chat_template(name)).prompt([Turn("user", "Hi")])[1] == thinks
