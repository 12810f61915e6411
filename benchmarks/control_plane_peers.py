"""The operator beside Kubeflow Trainer with JobSet and beside KubeRay: the same bed, the same run, in turn.

    python benchmarks/control_plane_peers.py [--count 200] [--rounds 3] [--memory-at 5000]

In each turn the controllers of one side run and are given work; the others are stopped. The first round warms up. Times
are the API server's own (its audit log), processor time is /proc's. Nothing runs pods, and Jobs do not make them.
"""

import argparse
import asyncio
import os

from control_plane_bed import control_plane
from control_plane_client import Client
from control_plane_peers_report import report
from control_plane_sides import SIDES, furnish, installed
from control_plane_turns import Stage, Turn

COUNT, ROUNDS = 200, 3


async def measure(count: int, rounds: int, memory_at: int = 0) -> tuple[list[Turn], dict[str, float]]:
    """Turns of every side, round by round, and, when a number is given, resident MiB with as many resources."""
    with control_plane(with_pods=False) as bed, installed(bed) as controllers:
        async with Client(bed.kubeconfig) as admin:
            await furnish(admin)
            stage = Stage(bed, admin, controllers)
            turns = [await stage.turn(side, count) for _ in range(rounds + 1) for side in SIDES]
            memory = {side.name: await stage.memory_at(side, memory_at) for side in SIDES if memory_at}
    return turns[len(SIDES) :], memory


def beside(count: int, rounds: int = ROUNDS, memory_at: int = 0) -> str:
    """Measure; the figures as text."""
    load = os.getloadavg()[0]
    turns, memory = asyncio.run(measure(count, rounds, memory_at))
    return report(SIDES, turns, memory, memory_at, load)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=COUNT, help="resources that are created at once")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="that are counted, after one that is not")
    parser.add_argument("--memory-at", type=int, default=0, help="also grow each side to so many, and tell its memory")
    arguments = parser.parse_args()
    if arguments.count < 1 or arguments.rounds < 1:
        parser.error("--count and --rounds are 1 or more")
    print(beside(arguments.count, arguments.rounds, arguments.memory_at))


if __name__ == "__main__":
    main()
