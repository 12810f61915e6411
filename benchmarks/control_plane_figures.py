"""The control plane's figures as text and as a drawing."""

from dataclasses import dataclass
from pathlib import Path

import control_plane_fleet
import control_plane_rest
from control_plane_fleet import Burst
from control_plane_reports import Reports
from control_plane_rest import Rest
from control_plane_singles import Singles


@dataclass(frozen=True)
class Scale:
    """What was measured on a growing number of resources."""

    bursts: list[Burst]
    beside: list[Burst]
    """The bare client, each in the same order after the burst of the same count that it is compared with."""
    rests: list[Rest]
    samples: dict[str, int]
    """Samples of the operator's processor time by what they were spent on."""

    @property
    def compared(self) -> list[Burst]:
        """The operator's bursts that the bare client followed."""
        first = next((number for number, burst in enumerate(self.bursts) if burst.total > self.rests[0].size), 0)
        return self.bursts[first : first + len(self.beside)]

    @property
    def ratios(self) -> list[float]:
        """The operator's rate over the bare client's, for each round."""
        return [ours.rate / bare.rate for ours, bare in zip(self.compared, self.beside, strict=True)]


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
    rows = []
    for burst in scale.bursts:
        rows.append(burst.line("operator"))
        if burst in scale.compared:
            rows.append(scale.beside[scale.compared.index(burst)].line("bare client"))
    ratios = ", ".join(f"{ratio:.2f}" for ratio in scale.ratios)
    return "\n\n".join(
        [
            "Resources applied at once; a resource is a Job, a ConfigMap and a NetworkPolicy. Processor time of the\n"
            "client (the operator or the bare one), the API server and etcd in ms per resource; cores taken by\n"
            "others.\n\n" + "\n".join([control_plane_fleet.HEADING, *rows]),
            f"operator / bare client, by round: {ratios}",
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
    rate.plot([each.total for each in scale.bursts], [each.rate for each in scale.bursts], "o-", label="operator")
    if scale.beside:
        rate.plot([each.total for each in scale.beside], [each.rate for each in scale.beside], "s", label="bare client")
    rate.set(title="children of resources made", ylabel="resources per second", ylim=(0, None))
    rate.legend(frameon=False)
    for axes in (memory, restart, rate):
        axes.set(xlabel="resources", xlim=(0, None))
        axes.spines[["top", "right"]].set_visible(False)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
