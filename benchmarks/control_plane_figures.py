"""The control plane's figures as text and as a drawing."""

from dataclasses import dataclass
from pathlib import Path

import control_plane_fleet
import control_plane_rest
from control_plane_backlog import Round
from control_plane_fleet import Burst
from control_plane_reports import Reports
from control_plane_rest import Rest
from control_plane_singles import Singles


@dataclass(frozen=True)
class Scale:
    """What was measured on a growing number of resources."""

    rounds: list[Round]
    """Beside the bare client."""
    bursts: list[Burst]
    rests: list[Rest]
    samples: dict[str, int]
    """Samples of the operator's processor time by what they were spent on."""


def report(scale: Scale | None, singles: Singles | None, reports: Reports | None, load: float) -> str:
    """The figures as text."""
    parts = [
        _growth(scale) if scale else "",
        singles.text() if singles else "",
        reports.text() if reports else "",
        "Where the operator's processor time goes, sampled over the first burst:\n" + _shares(scale.samples)
        if scale
        else "",
        f"load average at the start: {load:.1f}",
    ]
    return "\n\n".join(part for part in parts if part)


def _growth(scale: Scale) -> str:
    pairs = [side for each in scale.rounds for side in (each.ours.line("operator"), each.bare.line("bare client"))]
    ratios = ", ".join(f"{each.ratio:.2f}" for each in scale.rounds)
    return "\n\n".join(
        [
            "Resources that are stored and have no children yet; these are a Job and a NetworkPolicy each, and the\n"
            "operator writes a status, too. Processor time of the client (the operator or the bare one), the API\n"
            "server and etcd in ms per resource; cores taken by others.\n\n"
            + "\n".join([control_plane_fleet.HEADING, *pairs]),
            f"operator / bare client, by round: {ratios}",
            "Resources applied at once, which takes a part of the machine while the operator works:\n\n"
            + "\n".join([control_plane_fleet.HEADING, *(burst.line("operator") for burst in scale.bursts)]),
            "writes per resource: " + _listed(scale.bursts[-1].writes),
            "\n".join([control_plane_rest.HEADING, *(each.line() for each in scale.rests)]),
        ]
    )


def _listed(writes: dict[str, float]) -> str:
    return ", ".join(f"{resource} {number:.2f}" for resource, number in sorted(writes.items()))


def _shares(samples: dict[str, int]) -> str:
    working = {group: count for group, count in samples.items() if group != "start"}
    total = sum(working.values()) or 1
    ranked = sorted(working.items(), key=lambda item: -item[1])
    return "\n".join(f"{count / total:>6.0%}  {group}" for group, count in ranked)


def draw(scale: Scale, file: Path) -> None:
    """Memory, restart and rate over the number of resources, as SVG."""
    import matplotlib as mpl

    mpl.use("svg")
    # Text stays text, and the same figures give the same file.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "swiftlet", "font.size": 9})
    from matplotlib import pyplot

    sizes = [each.size for each in scale.rests]
    figure, (memory, restart, rate) = pyplot.subplots(1, 3, figsize=(9.2, 2.8), layout="constrained")
    memory.plot(sizes, [each.working_memory for each in scale.rests], "o-", label="after growing")
    memory.plot(sizes, [each.memory for each in scale.rests], "s--", label="after a restart")
    memory.set(title="operator's memory", ylabel="MiB", ylim=(0, None))
    memory.legend(frameon=False)
    restart.plot(sizes, [each.observed for each in scale.rests], "o-", label="all looked at")
    restart.plot(sizes, [each.settled for each in scale.rests], "s--", label="at rest again")
    restart.set(title="restart", ylabel="seconds", ylim=(0, None))
    restart.legend(frameon=False)
    rate.plot([each.total for each in scale.bursts], [each.rate for each in scale.bursts], "o-")
    rate.set(title="children of resources made", ylabel="resources per second", ylim=(0, None))
    for axes in (memory, restart, rate):
        axes.set(xlabel="resources", xlim=(0, None))
        axes.spines[["top", "right"]].set_visible(False)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
