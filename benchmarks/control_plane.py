"""The operator on a real control plane: children per second beside a bare client and beside other operators, latency,
memory, writes, restarts.

    python benchmarks/control_plane.py [--sizes 1000 3000 10000] [--burst 2000] [--stored 1000] [--singles 100]
                                       [--reporting 1000] [--peers 200]

Times are the API server's own (its audit log). etcd waits for the disk. Nothing runs the pods, and where there are
thousands they are not made at all, for the bare client as for the operator (see control_plane_bed.py).
"""

import argparse
import asyncio
import json
import os
from pathlib import Path

from control_plane_backlog import Backlogs
from control_plane_bed import ADMINISTRATORS, BARE, Operator, control_plane, install
from control_plane_client import Client
from control_plane_figures import Scale, draw, report
from control_plane_fleet import FLEET, Burst, Fleet
from control_plane_peers import COUNT, beside
from control_plane_reports import reports
from control_plane_rest import LAUNCHER, Rest, rest
from control_plane_singles import singles

PLOT = Path(__file__).parents[1] / "docs/images/control-plane.svg"
PROFILER = Path(__file__).with_name("control_plane_profile.py")


async def measure_scale(sizes: list[int], burst: int, stored: int) -> Scale:
    """The operator and the bare client before a backlog; then grow to each size in bursts, and look at the operator at
    rest. The first size is grown with the operator's processor time sampled."""
    with control_plane(with_pods=False) as bed:
        install(bed)
        samples = bed.bed.folder / "samples.json"
        bare_user = bed.client_kubeconfig(BARE, ADMINISTRATORS)
        async with Client(bed.kubeconfig) as admin, Client(bare_user) as bare:
            rounds = await Backlogs(bed, admin, bare).rounds(stored)
            fleet = Fleet(bed, admin)
            await fleet.furnish()
            operator = Operator(bed, FLEET, (str(PROFILER), str(samples)))
            operator.start()
            bursts: list[Burst] = []
            rests: list[Rest] = []
            for size in sizes:
                while fleet.size < size:
                    bursts.append(await fleet.grow(min(burst, size - fleet.size)))
                following = Operator(bed, FLEET, LAUNCHER)
                rests.append(await rest(fleet, operator, following))
                operator = following
            operator.stop()
            return Scale(rounds, bursts, rests, json.loads(samples.read_text()))


def main() -> None:
    """Measure, draw and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1000, 3000, 10000], help="resources in all")
    parser.add_argument("--burst", type=int, default=2000, help="most resources that are applied at once")
    parser.add_argument(
        "--stored", type=int, default=1000, help="resources of a backlog, beside the bare client; 0 for none"
    )
    parser.add_argument("--singles", type=int, default=100, help="resources that are applied one after the other")
    parser.add_argument("--reporting", type=int, default=1000, help="running jobs whose pods report")
    parser.add_argument("--peers", type=int, default=COUNT, help="resources at once beside other operators; 0 for none")
    parser.add_argument("--plot", type=Path, default=PLOT, help="where the drawing goes")
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    scale = asyncio.run(measure_scale(arguments.sizes, arguments.burst, arguments.stored)) if arguments.sizes else None
    one_by_one = asyncio.run(singles(arguments.singles)) if arguments.singles else None
    reporting = asyncio.run(reports(arguments.reporting, arguments.singles)) if arguments.reporting else None
    if scale:
        draw(scale, arguments.plot)
    print(report(scale, one_by_one, reporting, load))
    if arguments.peers:
        print("\n" + beside(arguments.peers))


if __name__ == "__main__":
    main()
