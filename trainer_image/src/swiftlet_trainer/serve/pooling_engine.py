"""Vectors and scores of texts from a transformers model and its adapters, texts of several requests at a time."""

import queue
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from swiftlet_trainer.evaluate.finite import NotFiniteError
from swiftlet_trainer.evaluate.likelihood import MAX_BATCH_TOKENS
from swiftlet_trainer.serve.model_thread import STALL_SECONDS, ModelThread, ReaderLeft
from swiftlet_trainer.serve.openai_requests import Refused
from swiftlet_trainer.serve.pooled import Pooled, next_texts
from swiftlet_trainer.serve.pooling_heads import PoolingHead, Text

AT_ONCE = 32
"""Requests whose texts share passes; others wait for one of these to end."""


class PoolingEngine(ModelThread[Pooled]):
    """Computes what `head` makes of texts."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        model_names: Sequence[str],
        adapters: Mapping[str, str],
        max_length: int,
        head: PoolingHead,
        stall_seconds: float = STALL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """adapters: served name to the name that PEFT knows the adapter by."""
        super().__init__(model, tokenizer, model_names, adapters, max_length, stall_seconds, clock)
        self.head = head
        self._active: deque[Pooled] = deque()
        self._thread.start()

    def encoded(self, text: Text, field: str, limit: int | None) -> list[int]:
        """The tokens of a text, conversation or given ids, at most `limit` of them. limit: -1 is the longest that the
        server takes. Raises Refused, with `field` to blame, for what cannot be read or is too long."""
        longest = self.max_length if limit == -1 else limit
        if longest is not None and not 1 <= longest <= self.max_length:
            what = f"truncate_prompt_tokens: {longest} is not within 1 and {self.max_length}, the longest text"
            raise Refused(f"{what}; give one of these, or -1 for the longest", "truncate_prompt_tokens")
        if isinstance(text, list):
            self.check_given(text, field)
            ids = text[:longest]
        else:
            ids = self.head.encoded(text, field, longest)
            self.check_encoded(ids, field)
        if len(ids) > self.max_length:
            what = f"{field}: {len(ids)} tokens, the longest text is {self.max_length}"
            raise Refused(f"{what}; shorten it, or set truncate_prompt_tokens", field)
        return ids

    def pool(self, name: str, texts: Sequence[list[int]]) -> Pooled:
        """The values of texts by the model called `name`, to be computed. Call in the event loop of its reader. Raises
        Refused for an unknown name, or when the engine hangs."""
        self.check_name(name)
        request = Pooled(name, texts, self._meter(name, sum(map(len, texts))))
        self._waiting.put(request)
        return request

    def _work(self) -> None:
        while True:
            self._admit()
            if self._active:
                name = self._active[0].model
                self._compute(name, next_texts((one for one in self._active if one.model == name), MAX_BATCH_TOKENS))
                self._active.rotate(-1)  # each name has its turn

    def _admit(self) -> None:
        """Let those go that have left, and wait for one where there is none."""
        for request in [one for one in self._active if one.has_left]:
            self._end(request)
        while len(self._active) < AT_ONCE:
            try:
                request = self._waiting.get(block=not self._active)
            except queue.Empty:
                return
            if request.begin():
                self._active.append(request)

    def _compute(self, name: str, chosen: Sequence[tuple[Pooled, int]]) -> None:
        requests = list(dict.fromkeys(request for request, _ in chosen))
        try:
            with self._computing(name, requests):
                values = self.head.values(self._model, name, [request.texts[index] for request, index in chosen])
        except ReaderLeft:
            return
        except NotFiniteError as error:
            for request in {chosen[row][0] for row in error.rows}:
                self._end(request, error)
            for request, index in chosen:
                request.put_back(index)
        except BaseException as error:  # whatever it is, it is theirs
            for request in requests:
                self._end(request, error)
        else:
            for (request, index), one in zip(chosen, values, strict=True):
                if request.say(index, one):
                    self._end(request)

    def _end(self, request: Pooled, error: BaseException | None = None) -> None:
        self._active.remove(request)
        request.end(error)
