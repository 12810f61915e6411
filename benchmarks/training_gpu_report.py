"""Figures of the trainers on a GPU as text: speed, ratios, and the share of the GPU that was used."""

import statistics
from typing import Any

from training_report import Runs
from training_rows import RANK
from training_ways import Way

SHAPES: dict[str, dict[str, Any]] = {
    "1b": {
        **{"vocab_size": 128256, "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16},
        **{"num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 64, "rms_norm_eps": 1e-5},
        **{"max_position_embeddings": 131072, "tie_word_embeddings": True},
        "rope_parameters": {"rope_type": "default", "rope_theta": 500000.0},
    },
    "tiny": {
        **{"vocab_size": 49152, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2},
        **{"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 8192},
        "tie_word_embeddings": True,
    },
}
"""1b: as in meta-llama/Llama-3.2-1B's config. tiny: to try that all runs."""
PEAK_FLOPS = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "L40S": 362e12, "B200": 2250e12}
"""bf16 without sparsity, by a part of the device's name. Source: the vendor's data sheets."""
CHOSEN = "liger"
"""The way that the plan goes by itself."""
TIMES_TRL, MFU = 1.2, 0.4
"""Goals: so many times TRL's speed, and this share of the GPU's arithmetic."""
SHOWN = ("peak_mib", "start_seconds", "first_step_seconds", "loss")


def needed_flops(shape: str, rows: list[dict[str, Any]]) -> float:
    """Multiplications and additions that training on `rows` (token ids and labels) cannot do without.

    Two per weight and token forwards and two backwards for frozen matrices, whose own gradient nobody needs; six for
    adapters. The head only where a label is. Attention, causal and within rows, four per pair of tokens and channel
    forwards and eight backwards; what flash attention computes again is not counted. (Counting: Chowdhery et al. 2022,
    arXiv:2204.02311, appendix B, for frozen weights.)
    """
    config = SHAPES[shape]
    hidden, inner, heads = config["hidden_size"], config["intermediate_size"], config["num_attention_heads"]
    size = config.get("head_dim", hidden // heads)
    wide, narrow = heads * size, config["num_key_value_heads"] * size
    matrices = [(hidden, wide), (hidden, narrow), (hidden, narrow), (wide, hidden)]
    matrices += [(hidden, inner), (hidden, inner), (inner, hidden)]
    frozen = sum(width * height for width, height in matrices)
    adapters = sum(RANK * (width + height) for width, height in matrices)
    tokens = sum(len(row["input_ids"]) for row in rows)
    labelled = sum(label != -100 for row in rows for label in row["labels"][1:])
    pairs = sum(len(row["input_ids"]) ** 2 / 2 for row in rows)
    layers = config["num_hidden_layers"] * (tokens * (4 * frozen + 6 * adapters) + 12 * pairs * wide)
    return layers + 4 * labelled * hidden * config["vocab_size"]


def table(runs: Runs, ways: dict[str, Way], flops_per_token: float, peak: float | None) -> str:
    """Medians of each way, and ratios to the best of TRL within each round."""
    best = best_of_trl(runs)
    heading = f"x {ways[best].title if best else ''} (min, median, max)"
    lines = [f"{'':24}{'tokens/s':>10}{heading:>46}{'MFU':>8}{'peak MiB':>10}{'1st step s':>12}{'loss':>7}"]
    for name, each in runs.items():
        if not each:
            continue
        ratios = ratios_to(runs, name, best)
        spread = f"{ratios[0]:.2f}, {statistics.median(ratios):.2f}, {ratios[-1]:.2f}" if ratios else ""
        speed, middle = _speed(runs, name), {key: statistics.median(one[key] for one in each) for key in SHOWN}
        used = f"{speed * flops_per_token / peak:.1%}" if peak else "?"
        start = middle["start_seconds"] + middle["first_step_seconds"]
        lines.append(
            f"{ways[name].title:24}{speed:10.0f}{spread:>46}{used:>8}{middle['peak_mib']:10.0f}{start:12.1f}"
            f"{middle['loss']:7.2f}"
        )
    return "\n".join(lines)


def goals(runs: Runs, ways: dict[str, Way], flops_per_token: float, peak: float | None) -> str:
    """What the way that the plan goes was to reach, and whether it did."""
    if not runs.get(CHOSEN):
        return ""
    best = best_of_trl(runs)
    lines = [f"goals, for {ways[CHOSEN].title}, which is what the plan chooses:"]
    if ratios := ratios_to(runs, CHOSEN, best):
        reached = statistics.median(ratios)
        lines.append(f"  >= {TIMES_TRL} x TRL at its fastest    {reached:.2f}: {_said(reached >= TIMES_TRL)}")
    if peak:
        used = _speed(runs, CHOSEN) * flops_per_token / peak
        lines.append(f"  MFU >= {MFU:.0%}                   {used:.1%}: {_said(used >= MFU)}")
    return "\n".join(lines)


def _said(met: bool) -> str:
    return "met" if met else "MISSED"


def rounds(runs: Runs, ways: dict[str, Way]) -> str:
    """Every run's speed."""
    lines = [
        f"  {ways[name].title}: {', '.join(f'{warm_speed(one):.0f}' for one in each)}"
        for name, each in runs.items()
        if each
    ]
    return "\n".join(["tokens/s by round:", *lines])


def best_of_trl(runs: Runs) -> str | None:
    """TRL's fastest way."""
    names = [name for name in runs if name.startswith("trl") and runs[name]]
    return max(names, key=lambda name: _speed(runs, name), default=None)


def ratios_to(runs: Runs, name: str, best: str | None) -> list[float]:
    """Speed of `name` over that of `best`, round by round, ascending."""
    pairs = zip(runs[name], runs[best], strict=False) if best else ()
    return sorted(warm_speed(mine) / warm_speed(theirs) for mine, theirs in pairs)


def _speed(runs: Runs, name: str) -> float:
    return statistics.median(warm_speed(one) for one in runs[name])


def warm_speed(figures: dict[str, Any]) -> float:
    """Tokens per second of the steps that count; of all, where they are too few."""
    return float(figures.get("warm_tokens_per_second", figures["tokens_per_second"]))
