"""What weights of tokens cost a step: the same batch with and without them, in turn, by processor time.

    python benchmarks/weights_cost.py [--rounds 9]

SmolLM2-135M with all its weights trained, so that the head's gradient is weighed as well: rows are collated, and go
forward, into the loss and backward, on one thread. `again` is the batch without weights once more: how far two equal
things are apart on this machine.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import median
from typing import Any

GOAL = 0.01
ROWS, TOKENS = 4, 64
WAYS = ("without", "again", "with")


def rows_of(weighed: bool) -> list[dict[str, Any]]:
    """Rows as preparation leaves them: half of each is learnt."""
    rows = []
    for row in range(ROWS):
        ids = [1000 + (7 * row + 13 * place) % 40000 for place in range(TOKENS)]
        labels = [-100] * (TOKENS // 2) + ids[TOKENS // 2 :]
        weights = [0.0 if label == -100 else (1.0, 2.0, 0.5)[place % 3] for place, label in enumerate(labels)]
        rows.append({"input_ids": ids, "labels": labels, **({"weights": weights} if weighed else {})})
    return rows


def steps() -> dict[str, Callable[[], float]]:
    """Way -> a step, which gives its loss."""
    import torch
    from swiftlet_trainer.models.smollm2 import folder
    from swiftlet_trainer.tasks.sft.task import Sft
    from swiftlet_trainer.training.collate import Collator
    from swiftlet_trainer.training.heads.tokens import attach_token_scores
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(1)
    torch.manual_seed(1)
    model, task, collate = AutoModelForCausalLM.from_pretrained(folder()), Sft(), Collator(0)
    attach_token_scores(model, task.want, task.is_linear, task.smoothing)

    def step(rows: list[dict[str, Any]]) -> float:
        model.zero_grad(set_to_none=True)
        batch = collate(rows)
        found = task.loss(model(**batch["inputs"]), batch)
        found.total.backward()
        return float(found.total.detach())

    return {way: partial(step, rows_of(way == "with")) for way in WAYS}


def measure(made: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Seconds of processor time of each step, by rounds; which way is first changes from round to round."""
    for step in made.values():
        step()
    found: dict[str, list[float]] = {way: [] for way in made}
    for number in range(rounds):
        order = [*made][number % len(made) :] + [*made][: number % len(made)]
        for way in order:
            start = time.process_time()
            made[way]()
            found[way].append(time.process_time() - start)
    return found


def report(found: Mapping[str, Sequence[float]]) -> str:
    """The median of the rounds' ratios, and whether the goal is met."""
    lines = [f"{'batch':12}{'s a step':>10}{'beside `without`, by round (quartile, median, quartile)':>58}"]
    for way, seconds in found.items():
        ratios = sorted(one / base - 1 for one, base in zip(seconds, found["without"], strict=True))
        quarter = len(ratios) // 4
        low, high = ratios[quarter], ratios[-1 - quarter]
        lines.append(f"{way:12}{median(seconds):10.3f}{f'{low:+.2%}, {median(ratios):+.2%}, {high:+.2%}':>58}")
    cost = median(one / base - 1 for one, base in zip(found["with"], found["without"], strict=True))
    noise = abs(median(one / base - 1 for one, base in zip(found["again"], found["without"], strict=True)))
    lines.append(f"goal: <= {GOAL:.0%} of a step: {cost:+.2%}: {'met' if cost <= GOAL else 'MISSED'}")
    return "\n".join(
        [*lines, f"equal steps are {noise:.2%} apart; {len(found['with'])} rounds, {ROWS} rows of {TOKENS} tokens"]
    )


def main() -> None:
    """See the module's text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    print(report(measure(steps(), parser.parse_args().rounds)))


if __name__ == "__main__":
    main()
