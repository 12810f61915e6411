"""Answers from a transformers model and its adapters, one request at a time."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import StoppingCriteria, StoppingCriteriaList, TextIteratorStreamer

from swiftlet_trainer.evaluate.generation import end_tokens, own_settings_aside, padding_token
from swiftlet_trainer.models.vocabulary import id_problem
from swiftlet_trainer.serve.openai_requests import Refused
from swiftlet_trainer.serve.stops import StopCutter

DEFAULT_COMPLETION_TOKENS = 16
"""Of /v1/completions, as OpenAI's."""


@dataclass(frozen=True)
class Sampling:
    """How to choose tokens. temperature 0 is greedy."""

    max_tokens: int | None
    temperature: float
    top_p: float
    stops: Sequence[str]
    seed: int | None


@dataclass
class Usage:
    """What an answer cost, and how it ended; complete when its pieces are through."""

    prompt_tokens: int
    completion_tokens: int = 0
    finish_reason: str = "stop"


class TransformersEngine:
    """A base model that answers to `model_names` and adapters that answer to theirs."""

    def __init__(
        self, model: Any, tokenizer: Any, model_names: Sequence[str], adapters: Mapping[str, str], max_length: int
    ) -> None:
        """adapters: served name to the name that PEFT knows the adapter by."""
        self.tokenizer = tokenizer
        self.names = [*model_names, *adapters]
        self._model, self._adapters, self._max_length = model, adapters, max_length
        self._ends, self._padding = end_tokens(model, tokenizer), padding_token(model, tokenizer)
        # Switching adapters changes the one model, so answers are made one after the other.
        self._lock = threading.Lock()

    def chat_ids(self, messages: list[dict[str, str]]) -> list[int]:
        """Token ids of a conversation up to where the model answers. Raises Refused."""
        if not self.tokenizer.chat_template:
            raise Refused("the model has no chat template; use /v1/completions", "messages")
        from jinja2 import TemplateError

        try:
            ids = self.tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
        except TemplateError as error:
            raise Refused(f"the chat template refuses the conversation: {error}", "messages") from None
        return [int(token) for token in ids]

    def answer(self, name: str, ids: list[int], sampling: Sampling) -> tuple[Usage, Iterator[str]]:
        """(usage, pieces of text) of the model called `name`. Raises Refused for an unknown name or too long a prompt.

        Nothing is computed before the first piece is asked for; closing the iterator ends the computation.
        """
        if name not in self.names:
            raise Refused(
                f"The model `{name}` does not exist; served are {', '.join(self.names)}",
                "model",
                404,
                "model_not_found",
            )
        room = self._max_length - len(ids)
        if room < 1:
            raise Refused(
                f"the prompt has {len(ids)} tokens, the longest prompt and answer is {self._max_length}", "messages"
            )
        rows = self._model.get_input_embeddings().weight.shape[0]
        if problem := id_problem(max(ids), rows, self.tokenizer):
            raise Refused(problem, "messages")
        usage = Usage(len(ids))
        return usage, self._pieces(name, ids, sampling, min(sampling.max_tokens or room, room), usage)

    def _pieces(self, name: str, ids: list[int], sampling: Sampling, limit: int, usage: Usage) -> Iterator[str]:
        with self._lock, self._using(name):
            streamer = TextIteratorStreamer(self.tokenizer, skip_prompt=True, skip_special_tokens=True)
            ending = _Ending(len(ids))
            errors: list[BaseException] = []
            worker = threading.Thread(target=self._generate, args=(ids, sampling, limit, streamer, ending, errors))
            worker.start()
            try:
                yield from self._cut(streamer, sampling.stops, ending)
            finally:
                ending.asked.set()
                worker.join()
            usage.completion_tokens = ending.tokens
            usage.finish_reason = "stop" if ending.by_stop or ending.tokens < limit or ending.by_end else "length"
            if errors:
                raise errors[0]

    def _cut(self, streamer: Any, stops: Sequence[str], ending: "_Ending") -> Iterator[str]:
        cutter = StopCutter(stops)
        for text in streamer:
            piece = cutter.push(text)
            if piece:
                yield piece
            if cutter.stopped:
                ending.by_stop = True
                return
        rest = cutter.rest()
        if rest:
            yield rest

    def _generate(
        self,
        ids: list[int],
        sampling: Sampling,
        limit: int,
        streamer: Any,
        ending: "_Ending",
        errors: list[BaseException],
    ) -> None:
        from transformers import GenerationConfig

        chosen = (
            {"do_sample": False}
            if sampling.temperature == 0
            else {
                "do_sample": True,
                "temperature": sampling.temperature,
                "top_p": sampling.top_p,
                "top_k": 0,
            }
        )
        config = GenerationConfig(max_new_tokens=limit, eos_token_id=self._ends, pad_token_id=self._padding, **chosen)
        tensor = torch.tensor([ids], device=self._model.device)
        try:
            with torch.inference_mode(), own_settings_aside(self._model):
                if sampling.seed is not None:
                    torch.manual_seed(sampling.seed)
                output = self._model.generate(
                    input_ids=tensor,
                    attention_mask=torch.ones_like(tensor),
                    generation_config=config,
                    streamer=streamer,
                    stopping_criteria=StoppingCriteriaList([ending]),
                )
            ending.by_end = int(output[0, -1]) in self._ends
        except BaseException as error:
            errors.append(error)
        finally:
            # An error, too, ends the stream: whoever reads it must not wait forever.
            streamer.end()

    def _using(self, name: str) -> AbstractContextManager[Any]:
        """The adapter called `name` switched on, or all switched off."""
        if name in self._adapters:
            self._model.set_adapter(self._adapters[name])
            return nullcontext()
        off: AbstractContextManager[Any] = self._model.disable_adapter() if self._adapters else nullcontext()
        return off


class _Ending(StoppingCriteria):  # type: ignore[misc]
    """Counts tokens and ends the generation when asked to."""

    def __init__(self, prompt_tokens: int) -> None:
        self.asked = threading.Event()
        self.tokens, self.by_stop, self.by_end = 0, False, False
        self._prompt_tokens = prompt_tokens

    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
        self.tokens = input_ids.shape[1] - self._prompt_tokens
        return torch.full((input_ids.shape[0],), self.asked.is_set(), dtype=torch.bool, device=input_ids.device)


def load_engine(
    folder: Path, model_names: Sequence[str], adapters: Mapping[str, Path], max_length: int, use_gpu: bool
) -> TransformersEngine:
    """The engine with the model in `folder` and adapters by served name."""
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
    if adapters:
        from peft import PeftModel

        first, *rest = adapters
        model = PeftModel.from_pretrained(
            model, str(adapters[first]), adapter_name=keys[first], autocast_adapter_dtype=False
        )
        for name in rest:
            model.load_adapter(str(adapters[name]), adapter_name=keys[name], autocast_adapter_dtype=False)
    return TransformersEngine(model.eval(), tokenizer, model_names, keys, max_length)
