"""Whether answers follow the very tokens that generation is given."""

from typing import Any, Literal

from swiftlet_trainer.preview.rows import Learnt
from swiftlet_trainer.templates.prompt_template import PromptTemplate, TemplateRefusalError
from swiftlet_trainer.templates.render import EMPTY_THOUGHT, OPEN_THOUGHT
from swiftlet_trainer.templates.segments import Rendered, Segments, UnencodableError

Finding = Literal["same", "thought", "rewritten", "other"]
"""What stands before an answer that is learnt, beside what generation is given: the same tokens, but for an empty
thought; the same, where generation is asked to think first; another text, since the template writes earlier turns
otherwise once others follow; other tokens."""


class Prompts:
    """Compares rows with prompts by the chat template of a tokenizer, as inference renders and encodes them."""

    def __init__(self, tokenizer: Any, segments: Segments) -> None:
        self._template = PromptTemplate(tokenizer)
        self._segments = segments

    def findings(self, one: Learnt) -> list[Finding]:
        """Of each answer of a conversation of which anything is learnt."""
        prompts = self._prompts(one.rendered)
        return [self._finding(one, at, prompts) for at in one.answers]

    def _prompts(self, rendered: Rendered) -> list[str]:
        """Of each turn of the assistant, those that are refused left out."""
        found = []
        for index, message in enumerate(rendered.messages):
            if message["role"] == "assistant":
                try:
                    found.append(self._template.text(rendered.messages[:index], prompt=True, tools=rendered.tools))
                except TemplateRefusalError:
                    continue
        return found

    def _finding(self, one: Learnt, at: int, prompts: list[str]) -> Finding:
        """at: number of the answer's segment."""
        before = one.rendered.text[: one.rendered.spans[at // 2][0]]
        for prompt in reversed(prompts):
            if before.startswith(prompt) and (before == prompt or EMPTY_THOUGHT.fullmatch(before[len(prompt) :])):
                given = [token for part in one.parts[:at] for token in part]
                return "same" if self._is_beginning(prompt, given, one, at) else "other"
        asks_to_think = any(
            OPEN_THOUGHT.search(prompt) and OPEN_THOUGHT.sub("", prompt) == OPEN_THOUGHT.sub("", before)
            for prompt in prompts
        )
        return "thought" if asks_to_think else "rewritten" if at > 1 else "other"

    def _is_beginning(self, prompt: str, given: list[int], one: Learnt, at: int) -> bool:
        """Whether the tokens before an answer begin with those of its prompt. Without a control token between turns, an
        answer and the next question may share a token at inference, which rows keep apart."""
        wanted = self._encoded(prompt, one.rendered.is_shielded)
        if given[: len(wanted)] == wanted:
            return True
        behind = one.parts[at - 1][1:] if at > 1 else []
        return bool(behind) and wanted[-len(behind) :] == behind

    def _encoded(self, prompt: str, is_shielded: bool) -> list[int]:
        """As inference does; texts that look like control tokens stay texts, which a server could not tell apart."""
        if not is_shielded:
            return self._segments.inference(prompt)
        (parts,) = self._segments.encode([Rendered(prompt, [], is_shielded=True)])
        return [] if isinstance(parts, UnencodableError) else parts[0]
