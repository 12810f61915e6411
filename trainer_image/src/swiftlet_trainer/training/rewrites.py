"""Other ways of computing a model that are to mean the same: a list, each tried on a small model of its architecture.

So nothing of the model is changed before it is known what the change means, and one that means something else is left
out and said, instead of ending the run. Weights that ZeRO-3 has sharded are not read for it: what is done reads a
module's weights in that module's own pass, or has them gathered for the pass that reads them (parallel.shards).
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from swiftlet.api.v1alpha1.tasks.block import HeadName
from swiftlet.api.v1alpha1.tuner import Lora, Tuner
from swiftlet.wire.step_plan import Choice, StepPlan

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


@dataclass(frozen=True)
class Rewrite:
    """One way. name: for people. choice: the plan's about it. asked: what that is where it asks for this way. does:
    changes a model in place, where it knows the architecture; says whether it did, or to how many modules."""

    name: str
    choice: Callable[[StepPlan], Choice[Any]]
    asked: Any
    does: Callable[[Any], bool | int]


OF_MODEL = (
    Rewrite("Liger's kernels", lambda plan: plan.liger, True, use_liger),
    Rewrite("norms in one piece", lambda plan: plan.norms, "fused", fuse_rms_norms),
)
"""Of a model as it is loaded, in this order."""
OF_ADAPTERS = (Rewrite("adapters in one piece", lambda plan: plan.adapters, "fused", fuse_lora),)
"""Of one that has its adapters."""


@dataclass(frozen=True)
class Rewritten:
    """What became of the list. taken: names, with the number of modules where that is counted. left: names and why."""

    taken: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    def __add__(self, other: "Rewritten") -> "Rewritten":
        return Rewritten(self.taken + other.taken, self.left + other.left)

    def __str__(self) -> str:
        left = f"; left out: {', '.join(self.left)}" if self.left else ""
        return f"rewritten: {', '.join(self.taken) or 'nothing'}{left}"


def rewrite_model(model: Any, plan: StepPlan, rewrites: Sequence[Rewrite] = OF_MODEL) -> Rewritten:
    """Change `model`, which is not wrapped and has no head of ours yet, where the plan asks. ZeRO-3 may have sharded
    it."""
    return _rewrite(model, rewrites, plan, lambda: _small(model))


def rewrite_adapters(
    tuned: Any, tuner: Tuner, head: HeadName, plan: StepPlan, rewrites: Sequence[Rewrite] = OF_ADAPTERS
) -> Rewritten:
    """The same of a PeftModel, which `tuner` has made of a model with `head`."""

    def small() -> Any | None:
        base, lora = tuned.get_base_model(), tuner.lora or Lora()
        model = _small(base)
        if model is not None and unknown_targets(model, lora):  # layers that are named one by one
            model = shrunk(base)
        return None if model is None else _visibly(apply_tuner(model, tuner, 0, head)).eval()

    return _rewrite(tuned, rewrites, plan, small)


def _rewrite(model: Any, rewrites: Sequence[Rewrite], plan: StepPlan, make: Callable[[], Any | None]) -> Rewritten:
    name, small, found = type(_bare(model)).__name__, None, Rewritten()
    for one in rewrites:
        choice, problem, count = one.choice(plan), None, 0
        if choice.value != one.asked:
            problem = choice.reason
        elif (small := _placed(make() if small is None else small, model)) is None:
            problem = f"{name} has no small form to try them on"
        elif not _means_the_same(small, one):
            problem, small = f"{name} computes something else with them", None
        elif not (count := one.does(model)):
            problem = f"they fit nothing in {name}"
        told = one.name if isinstance(count, bool) else f"{one.name} ({count})"
        found += Rewritten((), (f"{one.name} ({problem})",)) if problem else Rewritten((told,))
    return found


def _placed(small: Any | None, model: Any) -> Any | None:
    """Where the model is: kernels for GPUs compute nothing elsewhere."""
    return small.to(model.device) if small is not None and model.device.type == "cuda" else small


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
    except Exception:  # whatever a compiler of kernels may say, the run goes on without them
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
