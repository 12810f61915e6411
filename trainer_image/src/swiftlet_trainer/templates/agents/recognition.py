"""Which agent template reads the calls that a model's own chat template writes."""

from os.path import commonprefix
from typing import Any

from swiftlet_trainer.data.tools import ToolCall
from swiftlet_trainer.templates.agents.registry import AGENT_TEMPLATES
from swiftlet_trainer.templates.agents.template import AgentTemplate
from swiftlet_trainer.templates.end_token import stopping_tokens
from swiftlet_trainer.templates.prompt_template import PromptTemplate, TemplateRefusalError
from swiftlet_trainer.templates.stops import cut
from swiftlet_trainer.templates.tool_use import NAME, PLACES, QUESTION, TOOL_PROBE, TOOLS


def recognized(tokenizer: Any) -> AgentTemplate | None:
    """The first agent template that reads a call as the chat template of `tokenizer` writes it, and nothing beside it.
    None where none does, or where the chat template writes no calls. Raises UnsuitableTemplateError without one."""
    template = PromptTemplate(tokenizer)
    asked, called = [QUESTION], template.put(TOOL_PROBE[:2])
    if template.left_out(called, TOOLS):
        return None
    try:
        prompt = template.text(asked, prompt=True, tools=TOOLS)
        written = template.text(TOOL_PROBE[:2], tools=TOOLS)
    except TemplateRefusalError:
        return None
    said = written[len(commonprefix([prompt, written])) :]  # noqa: RUF071  (of texts, which are no paths)
    known = {token.content for token in tokenizer.added_tokens_decoder.values()}
    ends = [str(tokenizer.convert_ids_to_tokens(one)) for one in stopping_tokens(None, tokenizer)]
    found = (one for one in AGENT_TEMPLATES.values() if known.issuperset(one.tokens))
    return next((one for one in found if _reads(one, said, ends)), None)


def _reads(template: AgentTemplate, said: str, ends: list[str]) -> bool:
    found = template.parse(cut(said, (*ends, *template.stop)).strip(), TOOLS)
    call = ToolCall(NAME, {"place": PLACES[0]})
    return (found.calls, found.problems, found.content) == ((call,), (), "")
