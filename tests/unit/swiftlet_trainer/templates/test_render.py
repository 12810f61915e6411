from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from swiftlet_trainer.templates import render
from swiftlet_trainer.templates.prompt_template import TemplateRefusalError, UnsuitableTemplateError
from swiftlet_trainer.templates.render import PROBE, ChatTemplate

CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Who are you?"},
    {"role": "assistant", "content": "\n  Apus, naïve 🙂."},
    {"role": "user", "content": "And then?"},
    {"role": "assistant", "content": ""},
    {"role": "user", "content": "assistant\n"},
    {"role": "assistant", "content": "Fine. "},
]


class Templated:
    """A tokenizer with another chat template."""

    def __init__(self, tokenizer: Any, template: str) -> None:
        self._tokenizer, self.chat_template = tokenizer, template

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._tokenizer(*arguments, **named)

    def get_chat_template(self) -> str:
        return self.chat_template

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)


def published(name: str) -> str:
    spec = find_spec("trl")
    assert spec is not None and spec.origin is not None
    return (Path(spec.origin).parent / "chat_templates" / f"{name}.jinja").read_text()


def learnt(template: ChatTemplate, messages: list[dict[str, str]]) -> list[str]:
    rendered = template.render(messages)
    return [rendered.text[start:end] for start, end in rendered.spans]


def test_the_models_own_template_gives_back_contents_and_end_tokens(tokenizer: Any) -> None:
    template = ChatTemplate(tokenizer)
    assert template.method == "incremental" and template.ends_turns
    assert learnt(template, CHAT) == [turn["content"] + "<|im_end|>" for turn in CHAT if turn["role"] == "assistant"]
    assert template.render(CHAT).text == tokenizer.apply_chat_template(CHAT, tokenize=False)


def test_both_methods_agree_on_a_template_that_has_a_variant(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("lfm2", "qwen2_5", "llama3", "gemma3", "qwen3_instruct_2507"):
        with_variant = ChatTemplate(Templated(tokenizer, published(name)))
        with monkeypatch.context() as patch:
            patch.setattr(render, "training_variant", lambda template: None)
            without = ChatTemplate(Templated(tokenizer, published(name)))
        assert (with_variant.method, without.method) == ("trl", "incremental")
        assert learnt(with_variant, PROBE) == learnt(without, PROBE), name


@pytest.mark.parametrize("name", ["qwen3", "qwen3_5_think"])
def test_empty_thoughts_are_not_learnt(tokenizer: Any, name: str) -> None:
    template = ChatTemplate(Templated(tokenizer, published(name)))
    assert "<think>\n\n</think>" in template.render(PROBE).text
    assert learnt(template, PROBE) == ["Eleven, I believe.<|im_end|>", "Six it is.<|im_end|>"]


def test_marks_of_the_template_itself(tokenizer: Any) -> None:
    marked = (
        "{% for m in messages %}{% if m.role == 'assistant' %}A:{% generation %}{{ m.content }}{% endgeneration %}"
        "{{ eos_token }}{% else %}U:{{ m.content }}{% endif %}{% endfor %}"
    )
    template = ChatTemplate(Templated(tokenizer, marked))
    assert template.method == "marked"
    # The end token stands right behind the marks: without it nothing would stop.
    assert learnt(template, PROBE) == ["Eleven, I believe.<|im_end|>", "Six it is.<|im_end|>"]


def test_template_without_end_tokens_is_told(tokenizer: Any) -> None:
    plain = (
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    assert not ChatTemplate(Templated(tokenizer, plain)).ends_turns


def test_template_that_rewrites_earlier_turns_is_refused(tokenizer: Any) -> None:
    rewriting = (
        "{% for m in messages %}<{{ m.role }}>"
        "{% if loop.last %}{{ m.content }}{% else %}{{ m.content | upper }}{% endif %}"
        "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
    )
    with pytest.raises(UnsuitableTemplateError, match=r"writes turn 1 otherwise once others follow.*generation %"):
        ChatTemplate(Templated(tokenizer, rewriting))


@pytest.mark.parametrize("template", [None, "", "{{ raise_exception('no chats here') }}"])
def test_no_usable_template(tokenizer: Any, template: Any) -> None:
    with pytest.raises(UnsuitableTemplateError):
        ChatTemplate(Templated(tokenizer, template))


def test_conversation_that_the_template_refuses(tokenizer: Any) -> None:
    template = ChatTemplate(Templated(tokenizer, published("gemma")))
    with pytest.raises(TemplateRefusalError, match="the chat template refuses it: System role not supported"):
        template.render(CHAT)
