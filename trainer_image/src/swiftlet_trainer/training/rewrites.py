"""Other ways of computing a model that are to mean the same: a list, each tried on a small model of its architecture.

So nothing of the model is changed before it is known what the change means, and one that means something else is left
out and said, instead of ending the run.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from swiftlet.api.tasks.block import HeadName
from swiftlet.api.tuner import Lora, Tuner
from swiftlet.wire.step_plan import StepPlan

from swiftlet_trainer.training.attention import PADDING_FREE
from swiftlet_trainer.training.liger import use_liger
from swiftlet_trainer.training.norms import fuse_rms_norms
from swiftlet_trainer.training.probe import agree, together
from swiftlet_trainer.training.shrunk import shrunk
from swiftlet_trainer.tuners.apply import apply_tuner
from swiftlet_trainer.tuners.fused_lora import fuse_lora
from swiftlet_trainer.tuners.targets import unknown_targets

LAYERS = 8
"""Of the small model, where it may have fewer: enough for every kind of layer in most architectures."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Rewrite:
    """One way. name: for people. applies: whether the plan asks for it. does: changes a model in place, where it knows
    the architecture; says whether it did. unknown: what is said where it did not, if anything."""

    name: str
    applies: Callable[[StepPlan], bool]
    does: Callable[[Any], bool | int]
    unknown: str | None = None


OF_MODEL = (
    Rewrite(
        "Liger's kernels",
        lambda plan: plan.liger.value,
        use_liger,
        "norms and activations stay as they are: Liger does not know",
    ),
    Rewrite("norms in one piece", lambda plan: plan.norms.value == "fused", fuse_rms_norms),
)
"""Of a model as it is loaded, in this order."""
OF_ADAPTERS = (Rewrite("adapters in one piece", lambda plan: plan.adapters.value == "fused", fuse_lora),)
"""Of one that has its adapters."""


def rewrite_model(model: Any, plan: StepPlan, say: Say, rewrites: Sequence[Rewrite] = OF_MODEL) -> None:
    """Change `model`, which is not wrapped and has no head of ours yet, where the plan asks. say: told what is left
    out."""
    _rewrite(model, rewrites, plan, say, lambda: _small(model))


def rewrite_adapters(
    tuned: Any, tuner: Tuner, head: HeadName, plan: StepPlan, say: Say, rewrites: Sequence[Rewrite] = OF_ADAPTERS
) -> None:
    """The same of a PeftModel, which `tuner` has made of a model with `head`."""

    def small() -> Any | None:
        base, lora = tuned.get_base_model(), tuner.lora or Lora()
        model = _small(base)
        if model is not None and unknown_targets(model, lora):  # layers that are named one by one
            model = shrunk(base)
        return None if model is None else _visibly(apply_tuner(model, tuner, 0, head)).eval()

    _rewrite(tuned, rewrites, plan, say, small)


def _rewrite(model: Any, rewrites: Sequence[Rewrite], plan: StepPlan, say: Say, make: Callable[[], Any | None]) -> None:
    name, small = type(_bare(model)).__name__, None
    for one in (each for each in rewrites if each.applies(plan)):
        small = make() if small is None else small
        if small is not None and model.device.type == "cuda":
            small = small.to(model.device)
        if small is None:
            say(f"{one.name} are left out: {name} has no small form to try them on")
        elif not _means_the_same(small, one):
            say(f"{one.name} are left out: {name} computes something else with them")
            small = None
        elif not one.does(model) and one.unknown:
            say(f"{one.unknown} {name}")


@torch.no_grad()
def _means_the_same(small: Any, one: Rewrite) -> bool:
    """Whether `small` makes the same of a few tokens after the rewrite. What that has put into the architecture's
    module, where every model would find it, is taken out again if not."""
    bare = _bare(small)
    own = vars(sys.modules[type(bare).__module__])
    before, known = together(bare, _is_told(bare)), dict(own)
    try:
        one.does(small)
        same = agree(bare, before, together(bare, _is_told(bare)))
    except (TypeError, ValueError, RuntimeError, AttributeError):
        same = False
    if not same:
        own.update(known)
    return same


def _is_told(model: Any) -> bool:
    """Whether its attention asks for the bounds of rows."""
    return model.config._attn_implementation in PADDING_FREE


def _bare(model: Any) -> Any:
    """Without the wrapper of PEFT."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def _small(model: Any) -> Any | None:
    few = shrunk(model, LAYERS)
    return shrunk(model) if few is None else few


def _visibly(tuned: Any) -> Any:
    """With adapters that change something: new ones add 0."""
    with torch.random.fork_rng(devices=[]):
        for name, weight in tuned.named_parameters():
            if "lora_" in name:
                torch.nn.init.normal_(weight, std=0.1)
    return tuned
