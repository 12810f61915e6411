"""An agent template as one tokenizer writes it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from swiftlet_trainer.data.tools import Tool, ToolCall
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.templates.agents.plain import plain
from swiftlet_trainer.templates.agents.registry import AGENT_TEMPLATES
from swiftlet_trainer.templates.agents.sample import markup
from swiftlet_trainer.templates.prompt_template import UnsuitableTemplateError
from swiftlet_trainer.templates.special import SpecialTokens, changed_texts


class AgentWriter:
    """Makes turns with tools into turns of texts. Control tokens that the template writes are told from text of the
    row that looks like them."""

    def __init__(self, name: str, tokenizer: Any, special: SpecialTokens) -> None:
        """name: of the agent template. Raises UnsuitableTemplateError where the tokenizer cannot write it."""
        self.template = AGENT_TEMPLATES[name]
        self._special = special
        text = markup(self.template)
        self._writes_control = special.find([text]) is not None
        known = {token.content for token in tokenizer.added_tokens_decoder.values()}
        if missing := [token for token in self.template.tokens if token not in known]:
            raise UnsuitableTemplateError(
                f"template.agentTemplate {name} writes the control tokens {', '.join(missing)}, which the tokenizer"
                " does not have; choose another, or leave it out if the model's own chat template writes tools"
            )
        unknown = tokenizer.unk_token_id
        if unknown is not None and unknown in tokenizer(text, add_special_tokens=False).input_ids:
            raise UnsuitableTemplateError(
                f"the tokenizer has no tokens for some characters of template.agentTemplate {name}; choose another"
            )

    def turns(self, turns: Sequence[Turn], tools: Sequence[Tool]) -> list[Turn]:
        """A conversation as texts, see plain. Its control tokens are stand-ins of SpecialTokens. Raises
        UnwritableError."""
        if not self._writes_control:
            return plain(turns, tools, self.template)
        shielded = [_shielded(turn, self._special.shielded) for turn in turns]
        covered = [changed_texts(tool, self._special.shielded) for tool in tools]
        return plain(shielded, covered, self.template, self._special.marked)


def _shielded(turn: Turn, shield: Callable[[str], str]) -> Turn:
    calls = tuple(ToolCall(shield(call.name), changed_texts(call.arguments, shield), call.id) for call in turn.calls)
    thought = None if turn.thought is None else shield(turn.thought)
    return replace(turn, content=shield(turn.content), thought=thought, calls=calls)
