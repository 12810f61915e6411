"""Answers from a transformers model and its adapters, one request at a time."""

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import StoppingCriteria, StoppingCriteriaList

from swiftlet_trainer.evaluate.generation import end_tokens, own_settings_aside, padding_token
from swiftlet_trainer.models.adapters import AdapterSource, with_adapters
from swiftlet_trainer.models.vocabulary import id_problem
from swiftlet_trainer.serve.answer import Answer, Sampling
from swiftlet_trainer.serve.detokenizer import Detokenizer
from swiftlet_trainer.serve.openai_requests import Refused
from swiftlet_trainer.serve.stops import StopCutter
from swiftlet_trainer.serve.transformers_metrics import EngineMetrics, Refusal

DEFAULT_COMPLETION_TOKENS = 16
"""Of /v1/completions, as OpenAI's."""
GREEDY_BELOW = 1e-5
"""Temperatures that no 32-bit logit can be divided by. vLLM's bound, too."""
STALL_SECONDS = 120.0
"""A computation that passes no layer of the model for so long hangs: a long prompt passes many in that time."""


@dataclass(frozen=True)
class Prompt:
    """What the model goes on from. field: of the request, to blame when it is too long."""

    ids: list[int]
    field: str


class TransformersEngine:
    """A base model that answers to `model_names` and adapters that answer to theirs.

    Switching adapters changes the one model, so one thread owns it and makes the answers one after the other. It waits
    for no reader.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        model_names: Sequence[str],
        adapters: Mapping[str, str],
        max_length: int,
        stall_seconds: float = STALL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """adapters: served name to the name that PEFT knows the adapter by."""
        self.tokenizer = tokenizer
        self.names = [*model_names, *adapters]
        self.metrics = EngineMetrics(self.names)
        self._model, self._adapters, self._max_length = model, adapters, max_length
        self._ends, self._padding = end_tokens(model, tokenizer), padding_token(model, tokenizer)
        self._rows: int = model.get_input_embeddings().weight.shape[0]
        self._stall_seconds, self._clock = stall_seconds, clock
        self._moved: float | None = None
        """When the computation under way last got on; None while there is none."""
        self._current: Answer | None = None
        self._waiting: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._follow_layers()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def check_name(self, name: str) -> None:
        """Raise Refused for a name that is not served."""
        if name not in self.names:
            served = ", ".join(self.names)
            message = f"The model `{name}` does not exist; served are {served}"
            raise Refused(message, "model", 404, "model_not_found")

    def chat_prompt(self, messages: list[dict[str, str]]) -> Prompt:
        """A conversation up to where the model answers. Raises Refused."""
        if not self.tokenizer.chat_template:
            raise Refused("the model has no chat template; use /v1/completions", "messages")
        from jinja2 import TemplateError

        try:
            ids = self.tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
        except TemplateError as error:
            raise Refused(f"the chat template refuses the conversation: {error}", "messages") from None
        return self._tokenized(ids, "messages")

    def text_prompt(self, given: str | list[int]) -> Prompt:
        """A text, or token ids, to go on from. Raises Refused."""
        if isinstance(given, str):
            return self._tokenized(self.tokenizer(given)["input_ids"], "prompt")
        if foreign := sorted({token for token in given if not 0 <= token < self._rows}):
            raise Refused(f"token ids go from 0 to {self._rows - 1}, given is {foreign[0]}", "prompt")
        return Prompt(given, "prompt")

    def _tokenized(self, ids: Sequence[int], field: str) -> Prompt:
        if not ids:
            raise Refused(f"{field}: has no token, so that there is nothing to go on from; give a text", field)
        if problem := id_problem(max(ids), self._rows, self.tokenizer):
            raise Refused(problem, field)
        return Prompt([int(token) for token in ids], field)

    def answer(self, name: str, prompt: Prompt, sampling: Sampling) -> Answer:
        """An answer of the model called `name`, to be computed after those asked for before.

        Call in the event loop of its reader. Raises Refused for an unknown name, too long a prompt, or when the engine
        hangs.
        """
        self.check_name(name)
        size = len(prompt.ids)
        room = self._max_length - size
        if room < 1:
            longest = f"the longest prompt and answer is {self._max_length}"
            raise Refused(f"the prompt has {size} tokens, {longest}", prompt.field)
        if (asked := sampling.max_tokens or 0) > self._max_length:
            raise Refused(
                f"max_tokens: {asked} is above {self._max_length}, the longest prompt and answer", "max_tokens"
            )
        if problem := self.problem():
            self.metrics.refuse(name, Refusal.STALLED)
            raise Refused(problem, status=503)
        meter = self.metrics.meter(name, size)
        answer = Answer(name, prompt.ids, sampling, min(sampling.max_tokens or room, room), meter)
        self._waiting.put(answer)
        return answer

    def turn_away(self, answer: Answer) -> None:
        """It has waited for too long: it is refused, instead of answered."""
        answer.meter.end(None)
        self.metrics.refuse(answer.model, Refusal.BUSY)
        answer.leave()

    def problem(self) -> str | None:
        """Why the engine answers nobody any more, if so."""
        moved = self._moved
        if not self._thread.is_alive():
            return "the thread that computes has ended"
        if moved is not None and (still := self._clock() - moved) > self._stall_seconds:
            return f"the computation under way has not got on for {still:.0f} s"
        return None

    def _follow_layers(self) -> None:
        """Note when a layer was passed, and go no further for a reader that has left.

        The hook is a function, which a copy of the model shares and does not copy.
        """

        def passed(*_: Any) -> None:
            self._moved = self._clock()
            if self._current is not None and self._current.has_left:
                raise _ReaderLeft

        for module in self._model.modules():
            if isinstance(module, torch.nn.ModuleList):
                for layer in module:
                    layer.register_forward_hook(passed)

    def _work(self) -> None:
        while True:
            answer = self._waiting.get()
            if not answer.begin():
                continue
            self._moved, self._current = self._clock(), answer
            try:
                with self._using(answer.model):
                    self._compute(answer)
            except _ReaderLeft:
                answer.end()
            except BaseException as error:  # whatever it is, it is this answer's
                answer.end(error)
            else:
                answer.end()
            finally:
                self._moved = self._current = None

    def _compute(self, answer: Answer) -> None:
        from transformers import GenerationConfig

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
                stopping_criteria=StoppingCriteriaList([speaker]),
            )
        speaker.finish()

    def _using(self, name: str) -> AbstractContextManager[Any]:
        """The adapter called `name` switched on, or all switched off."""
        if name in self._adapters:
            self._model.set_adapter(self._adapters[name])
            return nullcontext()
        off: AbstractContextManager[Any] = self._model.disable_adapter() if self._adapters else nullcontext()
        return off


class _ReaderLeft(Exception):  # noqa: N818  (what happened; seen by nobody)
    """Ends a computation in the midst of a token, which a long prompt's first can take minutes for."""


class _Speaker(StoppingCriteria):  # type: ignore[misc]
    """Passes the text of each token on, and ends the generation where the answer ends or its reader has left."""

    def __init__(self, answer: Answer, tokenizer: Any, ends: Sequence[int]) -> None:
        self._answer, self._ends = answer, set(ends)
        self._text, self._cutter = Detokenizer(tokenizer), StopCutter(answer.sampling.stops)
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
        self._say(self._text.push(token))
        self._ended = self._cutter.stopped or self._answer.has_left

    def _say(self, text: str) -> None:
        if piece := self._cutter.push(text):
            self._answer.say(piece)

    def finish(self) -> None:
        """Nothing more comes: say what was held back, and why the answer ended."""
        if not self._cutter.stopped:
            self._say(self._text.rest())
        if not self._cutter.stopped and (rest := self._cutter.rest()):
            self._answer.say(rest)
        ended = self._ended or self._cutter.stopped
        self._answer.usage.finish_reason = "stop" if ended else "length"


def load_engine(
    folder: Path, model_names: Sequence[str], adapters: Mapping[str, Path], max_length: int, use_gpu: bool
) -> TransformersEngine:
    """The engine with the model in `folder` and adapters by served name. Raises InvalidInput where they do not fit."""
    from transformers import AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    from swiftlet_trainer.hardware import compute_dtype
    from swiftlet_trainer.models.causal import load_causal

    disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    model = load_causal(folder, compute_dtype(use_gpu))
    model = model.to("cuda" if use_gpu else "cpu")
    # PEFT's names are module names: they may not hold the dots that a served name may.
    keys = {name: f"adapter{number}" for number, name in enumerate(adapters)}
    sources = [AdapterSource(keys[name], path, f"adapter {name}") for name, path in adapters.items()]
    model = with_adapters(model, sources, base=str(folder))
    return TransformersEngine(model.eval(), tokenizer, model_names, keys, max_length)
