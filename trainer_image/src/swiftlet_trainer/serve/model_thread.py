"""One model and its adapters, computed by one thread, for readers in an event loop who may go at any time."""

import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Generic, TypeVar

import torch

from swiftlet_trainer.models.vocabulary import id_problem
from swiftlet_trainer.serve.awaited import Awaited
from swiftlet_trainer.serve.openai_requests import Refused
from swiftlet_trainer.serve.request_metrics import Meter
from swiftlet_trainer.serve.transformers_metrics import EngineMetrics, Refusal

STALL_SECONDS = 120.0
"""A computation that passes no layer of the model for so long hangs: a long prompt passes many in that time."""

Request = TypeVar("Request", bound=Awaited)


class ReaderLeft(Exception):  # noqa: N818  (what happened; seen by nobody)
    """Ends a computation in the midst of the model, which a long prompt can take minutes for."""


class ModelThread(ABC, Generic[Request]):
    """A base model that answers to `model_names` and adapters that answer to theirs.

    Switching adapters changes the one model, so one thread owns it. It waits for no reader.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        model_names: Sequence[str],
        adapters: Mapping[str, str],
        max_length: int,
        stall_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        """adapters: served name to the name that PEFT knows the adapter by."""
        self.tokenizer, self.max_length = tokenizer, max_length
        self.names = [*model_names, *adapters]
        self.metrics = EngineMetrics(self.names)
        self._rows: int = model.get_input_embeddings().weight.shape[0]
        self._model, self._adapters = model, adapters
        self._stall_seconds, self._clock = stall_seconds, clock
        self._moved: float | None = None
        """When the computation under way last got on; None while there is none."""
        self._readers: Sequence[Awaited] = ()
        """Whom the computation under way is for."""
        self._waiting: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._follow_layers()
        self._thread = threading.Thread(target=self._work, daemon=True)

    @abstractmethod
    def _work(self) -> None:
        """What the thread does, for ever: take up what waits, and compute it."""

    def check_name(self, name: str) -> None:
        """Raise Refused for a name that is not served."""
        if name not in self.names:
            served = ", ".join(self.names)
            message = f"The model `{name}` does not exist; served are {served}"
            raise Refused(message, "model", 404, "model_not_found")

    def check_given(self, ids: Sequence[int], field: str) -> None:
        """Raise Refused for token ids of a request that the model has no row for."""
        if foreign := sorted({token for token in ids if not 0 <= token < self._rows}):
            raise Refused(f"token ids go from 0 to {self._rows - 1}, given is {foreign[0]}", field)

    def check_encoded(self, ids: Sequence[int], field: str) -> None:
        """The same of what the tokenizer makes of a text. Raise Refused for a text of no token, too."""
        if not ids:
            raise Refused(f"{field}: has no token, so that there is nothing to go on from; give a text", field)
        if problem := id_problem(max(ids), self._rows, self.tokenizer):
            raise Refused(problem, field)

    async def until_begun(self, request: Request, seconds: float) -> None:
        """Wait until it is taken up. When that takes longer than `seconds` it is refused: raises Refused."""
        if await request.begun(seconds):
            return
        request.meter.end(None)
        self.metrics.refuse(request.model, Refusal.BUSY)
        request.leave()
        raise Refused(f"busy with other requests for {seconds:.0f} s; try again later", status=503)

    def problem(self) -> str | None:
        """Why the engine answers nobody any more, if so."""
        moved = self._moved
        if not self._thread.is_alive():
            return "the thread that computes has ended"
        if moved is not None and (still := self._clock() - moved) > self._stall_seconds:
            return f"the computation under way has not got on for {still:.0f} s"
        return None

    def _meter(self, name: str, prompt_tokens: int) -> Meter:
        """Of a request to `name` that is to wait now. Raises Refused when the engine hangs."""
        if problem := self.problem():
            self.metrics.refuse(name, Refusal.STALLED)
            raise Refused(problem, status=503)
        return self.metrics.meter(name, prompt_tokens)

    @contextmanager
    def _computing(self, name: str, readers: Sequence[Awaited]) -> Iterator[None]:
        """Within, the model answers as `name`, and ReaderLeft is raised once all of `readers` have left."""
        self._moved, self._readers = self._clock(), readers
        try:
            with self._using(name):
                yield
        finally:
            self._moved, self._readers = None, ()

    def _follow_layers(self) -> None:
        """Note when a layer was passed, and go no further for readers that have left.

        The hook is a function, which a copy of the model shares and does not copy.
        """

        def passed(*_: Any) -> None:
            self._moved = self._clock()
            if self._readers and all(reader.has_left for reader in self._readers):
                raise ReaderLeft

        for module in self._model.modules():
            if isinstance(module, torch.nn.ModuleList):
                for layer in module:
                    layer.register_forward_hook(passed)

    def _using(self, name: str) -> AbstractContextManager[Any]:
        """The adapter called `name` switched on, or all switched off."""
        if name in self._adapters:
            self._model.set_adapter(self._adapters[name])
            return nullcontext()
        off: AbstractContextManager[Any] = self._model.disable_adapter() if self._adapters else nullcontext()
        return off
