"""Answers from a transformers model and its adapters, one request at a time."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from transformers import StoppingCriteria, StoppingCriteriaList

from swiftlet_trainer.data.tools import Tool
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.evaluate.generation import end_tokens, own_settings_aside, padding_token
from swiftlet_trainer.serve.answer import Answer, Sampling
from swiftlet_trainer.serve.conversations import Conversations
from swiftlet_trainer.serve.guides import Guides
from swiftlet_trainer.serve.model_thread import STALL_SECONDS, ModelThread, ReaderLeft
from swiftlet_trainer.serve.openai_requests import Refused
from swiftlet_trainer.serve.thought_reader import Thinks
from swiftlet_trainer.templates.speech import Speech

DEFAULT_COMPLETION_TOKENS = 16
"""Of /v1/completions, as OpenAI's."""
GREEDY_BELOW = 1e-5
"""Temperatures that no 32-bit logit can be divided by. vLLM's bound, too."""


@dataclass(frozen=True)
class Prompt:
    """What the model goes on from. field: of the request, to blame when it is too long. thinks: whether the answer
    begins with a thought."""

    ids: list[int]
    field: str
    thinks: Thinks = "no"


class TransformersEngine(ModelThread[Answer]):
    """Makes answers one after the other."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        model_names: Sequence[str],
        adapters: Mapping[str, str],
        max_length: int,
        stall_seconds: float = STALL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        agents: Mapping[str, str] | None = None,
    ) -> None:
        """adapters: served name to the name that PEFT knows the adapter by. agents: served name to the agent template
        that writes and reads its tools, where it is not its chat template. Raises UnsuitableTemplateError."""
        super().__init__(model, tokenizer, model_names, adapters, max_length, stall_seconds, clock)
        found = {agent: Conversations(tokenizer, agent) for agent in {None, *(agents or {}).values()}}
        self._conversations = {name: found[(agents or {}).get(name)] for name in self.names}
        self._ends, self._padding = end_tokens(model, tokenizer), padding_token(model, tokenizer)
        self.guides = Guides(tokenizer, self._rows, self._ends)
        self._thread.start()

    def conversations(self, name: str) -> Conversations:
        """How the model called `name` is talked to. Raises Refused for an unknown name."""
        self.check_name(name)
        return self._conversations[name]

    def chat_prompt(self, name: str, turns: Sequence[Turn], tools: Sequence[Tool] = ()) -> Prompt:
        """A conversation up to where the model called `name` answers. Raises Refused."""
        ids, thinks = self.conversations(name).prompt(turns, tools)
        return replace(self._tokenized(ids, "messages"), thinks=thinks)

    def text_prompt(self, given: str | list[int]) -> Prompt:
        """A text, or token ids, to go on from. Raises Refused."""
        if isinstance(given, str):
            return self._tokenized(self.tokenizer(given)["input_ids"], "prompt")
        self.check_given(given, "prompt")
        return Prompt(given, "prompt")

    def _tokenized(self, ids: Sequence[int], field: str) -> Prompt:
        self.check_encoded(ids, field)
        return Prompt([int(token) for token in ids], field)

    def answer(self, name: str, prompt: Prompt, sampling: Sampling) -> Answer:
        """An answer of the model called `name`, to be computed after those asked for before.

        Call in the event loop of its reader. Raises Refused for an unknown name, too long a prompt, or when the engine
        hangs.
        """
        self.check_name(name)
        size = len(prompt.ids)
        room = self.max_length - size
        if room < 1:
            longest = f"the longest prompt and answer is {self.max_length}"
            raise Refused(f"the prompt has {size} tokens, {longest}", prompt.field)
        if (asked := sampling.max_tokens or 0) > self.max_length:
            raise Refused(
                f"max_tokens: {asked} is above {self.max_length}, the longest prompt and answer", "max_tokens"
            )
        meter = self._meter(name, size)
        answer = Answer(name, prompt.ids, sampling, min(sampling.max_tokens or room, room), meter)
        self._waiting.put(answer)
        return answer

    def _work(self) -> None:
        while True:
            answer = self._waiting.get()
            if not answer.begin():
                continue
            try:
                with self._computing(answer.model, [answer]):
                    self._compute(answer)
            except ReaderLeft:
                answer.end()
            except BaseException as error:  # whatever it is, it is this answer's
                answer.end(error)
            else:
                answer.end()

    def _compute(self, answer: Answer) -> None:
        from transformers import GenerationConfig, LogitsProcessorList

        sampling, greedy = answer.sampling, answer.sampling.temperature < GREEDY_BELOW
        chosen = {"temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": 0}
        config = GenerationConfig(
            max_new_tokens=answer.limit,
            eos_token_id=self._ends,
            pad_token_id=self._padding,
            do_sample=not greedy,
            **({} if greedy else chosen),
        )
        tensor = torch.tensor([answer.ids], device=self._model.device)
        speaker = _Speaker(answer, self.tokenizer, self._ends)
        with torch.inference_mode(), own_settings_aside(self._model):
            if sampling.seed is None:
                torch.seed()  # else the seed of an earlier request decides this answer, too
            else:
                torch.manual_seed(sampling.seed)
            self._model.generate(
                input_ids=tensor,
                attention_mask=torch.ones_like(tensor),
                generation_config=config,
                logits_processor=LogitsProcessorList([sampling.guide] if sampling.guide else []),
                stopping_criteria=StoppingCriteriaList([speaker]),
            )
        speaker.finish()


class _Speaker(StoppingCriteria):  # type: ignore[misc]
    """Passes the text of each token on, and ends the generation where the answer ends or its reader has left."""

    def __init__(self, answer: Answer, tokenizer: Any, ends: Sequence[int]) -> None:
        self._answer, self._ends = answer, set(ends)
        self._speech = Speech(tokenizer, answer.sampling.stops, answer.sampling.kept)
        self._ended = False

    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
        # On a GPU generate() may take a step more before it looks at what was said here.
        if not self._ended:
            self._take(int(input_ids[0, -1]))
        return torch.full((input_ids.shape[0],), self._ended, dtype=torch.bool, device=input_ids.device)

    def _take(self, token: int) -> None:
        self._answer.count_token()
        if token in self._ends:
            self._ended = True
            return
        text, is_over = self._speech.push(token), self._answer.sampling.is_over
        self._say(text)
        self._ended = self._speech.has_stopped or self._answer.has_left or bool(is_over and is_over(text))

    def _say(self, text: str) -> None:
        if text:
            self._answer.say(text)

    def finish(self) -> None:
        """Nothing more comes: say what was held back, and why the answer ended."""
        self._say(self._speech.rest())
        ended = self._ended or self._speech.has_stopped
        self._answer.usage.finish_reason = "stop" if ended else "length"
