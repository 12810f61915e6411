"""The page of the reference that shows every agent template: `python -m swiftlet_trainer.templates.agents.reference
FILE`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.templates.agents.plain import plain
from swiftlet_trainer.templates.agents.registry import AGENT_TEMPLATES
from swiftlet_trainer.templates.agents.sample import TOOLS, TURNS
from swiftlet_trainer.templates.agents.template import AgentTemplate

HEAD = """# Agent templates

Generated from the templates by `make generate`. `template.agentTemplate` of a [FineTuneJob](finetunejob.md) names one;
without it the model's own chat template writes tools. An agent template makes texts of tools, calls and results; the
model's own chat template then writes the turns around them. Names are those of ms-swift 4.6.

What is written is read back before it is learnt: a row whose calls would not come back as they are, each argument with
its type, is left out and counted as `template_refused`, with the reason. Text of a row that looks like a control token
stays text; the control tokens that a template itself writes are tokens, and one that the tokenizer does not have is
told before anything is trained.

Below, `«…»` is what was given to the assistant within its own turn: it is not learnt. What stands in turns of the user
is never learnt.

## Where ms-swift writes something else

- Arguments are JSON here, as the prompts of react, qwen and glm4 ask for; ms-swift writes Python's form of them
  (`{'city': 'Bern'}`).
- A system message stands before react's and toolbench's instructions, and before GLM-4's tools; ms-swift leaves it out.
- hermes has the line break of Qwen's own chat template between text and call, and, as qwen_en and its like, no empty
  lines before `# Tools` where there is no system message.
- hunyuan_hermes writes calls in the form that its prompt asks for; ms-swift writes the JSON of hermes.
- llama3 and llama4 give results to `ipython`, as the models' own chat templates do.

## Left out

| Template | Why |
| --- | --- |
| mistral | tools stand before the last question, outside of every turn: the model's own chat template writes them |
| kimi_k25, kimi_k3 | tools stand in a turn of a role of its own, and results are told by the ids of their calls |
| gemma4 | arguments are sorted by name, so that they do not come back as they were |
| minimax_m3 | arguments that are null are left out, an empty list or object reads as an empty text, and values within \
lists and objects lose their types |
"""


def render_page() -> str:
    """The page as Markdown."""
    return "\n".join([HEAD, *(line for one in AGENT_TEMPLATES.values() for line in _section(one))])


def _section(template: AgentTemplate) -> Iterator[str]:
    introduced = "the system" if template.introduces_in == "system" else "the user"
    placed = {"user": "turns of the user", "tool": "turns of the tool", "assistant": "the assistant's turn"}
    facts = {
        "Source": template.source,
        "Tools are told to": introduced,
        "Results stand in": placed[template.results_in],
        "Control tokens it needs": _code(template.tokens),
        "An answer with calls also ends at": _code(template.stop),
        "Thoughts are written as": _code(("…".join(template.thought),) if template.thought else ()),
        "It cannot carry": f"{template.limits}; such a row is refused" if template.limits else "",
    }
    yield f"## {template.name}\n"
    yield "\n".join(f"- {name}: {fact}" for name, fact in facts.items() if fact)
    yield "\n````text"
    for turn in plain(TURNS, TOOLS, template):
        yield f"[{turn.role}]\n{_marked(turn)}"
    yield "````\n"


def _code(texts: tuple[str, ...]) -> str:
    return ", ".join(f"`{text.strip()}`" for text in texts)


def _marked(turn: Turn) -> str:
    """A turn's text with what is given between guillemets."""
    text = turn.content
    for start, end in reversed(turn.given):
        text = f"{text[:start]}«{text[start:end]}»{text[end:]}"
    return text


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render_page(), encoding="utf-8")
