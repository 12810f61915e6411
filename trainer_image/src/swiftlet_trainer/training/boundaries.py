"""What comes before the first step, and what is decided after each."""

from typing import Any

from transformers import TrainerCallback

from swiftlet_trainer.training.compilation import eagerly
from swiftlet_trainer.training.reference import learn_reference


class Boundaries(TrainerCallback):
    """Decides after each step whether to evaluate, save and stop."""

    def __init__(self, trainer: Any, interval: int) -> None:
        self._trainer, self._interval = trainer, interval

    def on_train_begin(self, args: Any, state: Any, control: Any, **_kwargs: Any) -> None:
        if self._trainer.reference:
            with eagerly():
                learn_reference(self._trainer, self._trainer.reference, resumed=state.global_step > 0)
        self._trainer.recorder.start()

    def on_step_end(self, args: Any, state: Any, control: Any, **_kwargs: Any) -> Any:
        last = state.global_step >= state.max_steps
        due = state.global_step % self._interval == 0 or last
        stopping = self._trainer.stopped and not last
        control.should_log = False
        control.should_evaluate = due
        control.should_save = due or stopping
        control.should_training_stop = last or stopping
        return control
