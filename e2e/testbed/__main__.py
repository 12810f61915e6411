"""Command line: `python -m testbed up | down | status | kubeconfig | build | built`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from testbed.beds import Bed, abandoned, beds, end, locked, root
from testbed.controlplane import ControlPlane
from testbed.controlplane_arguments import Files, Settings
from testbed.errors import TestBedError
from testbed.nodes import Cluster
from testbed.programs import families, is_built, programs, tell

EXAMPLES = """\
examples:
  eval "$(python -m testbed up)"     a control plane; kubectl then talks to it
  python -m testbed up --name b      another one beside it
  python -m testbed up --nodes 2     with two nodes that run pods (needs root)
  python -m testbed status           what runs, and where its logs are
  python -m testbed down --all       end every bed, and what crashed ones left
  python -m testbed build            build every program now instead of on first use
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    chosen = parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except (TestBedError, OSError) as error:
        tell(str(error))
        return 1


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = argparse.ArgumentParser(
        "python -m testbed", description="A real Kubernetes for tests, without Docker.", epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="start a bed that runs until `down`; prints what to export")
    up.add_argument("--audit", action="store_true", help="note every request in logs/audit.jsonl")
    up.add_argument("--nodes", type=int, default=0, help="nodes that run pods (default: %(default)s, nothing runs)")
    up.add_argument("--image", action="append", default=[], help="image for the nodes: a name, or an OCI archive")
    up.set_defaults(run=_up)
    down = commands.add_parser("down", help="end a bed and remove what it left")
    down.add_argument("--all", action="store_true", help="every bed that `up` started, and leftovers")
    down.set_defaults(run=_down)
    status = commands.add_parser("status", help="processes of each bed; exit code 1 when one has ended")
    status.set_defaults(run=_status)
    kubeconfig = commands.add_parser("kubeconfig", help="path of the administrator's kubeconfig")
    kubeconfig.set_defaults(run=_kubeconfig)
    for command in (up, down, kubeconfig):
        command.add_argument("--name", default="default", help="the bed's name (default: %(default)s)")
    build = commands.add_parser("build", help="build programs into the cache; prints their paths")
    build.add_argument("programs", nargs="*", help="names, such as etcd (default: all)")
    build.set_defaults(run=_build)
    built = commands.add_parser("built", help="exit code 0 when the cache has these programs, else 1")
    built.add_argument("programs", nargs="+", help="names, such as kueue")
    built.set_defaults(run=lambda chosen: not all(map(is_built, chosen.programs)))
    return top


def _up(chosen: argparse.Namespace) -> int:
    living = next((bed for bed in beds() if bed.name == chosen.name and bed.folder not in abandoned()), None)
    if living is None:
        made = _bed(chosen).up()
        made.detach()
        living = made.bed
    else:
        tell(f"bed {chosen.name!r} is there already: `python -m testbed down --name {chosen.name}` ends it")
    print(f"export KUBECONFIG={Files(living.folder).kubeconfig('admin')}")
    return 0


def _bed(chosen: argparse.Namespace) -> ControlPlane | Cluster:
    if not chosen.nodes:
        return ControlPlane(Settings(audit=chosen.audit), name=chosen.name)
    images = [Path(each) if Path(each).is_file() else each for each in chosen.image]
    return Cluster(chosen.nodes, images=images, name=chosen.name, audit=chosen.audit)


def _down(chosen: argparse.Namespace) -> int:
    # A bed with a living owner belongs to a running test.
    everything = [bed.folder for bed in beds() if not bed.is_owned()]
    with locked():
        for folder in everything if chosen.all else [_existing(chosen.name).folder]:
            end(folder)
            tell(f"bed {folder.name!r} ended")
    return 0


def _status(chosen: argparse.Namespace) -> int:
    ended = 0
    for bed in beds():
        print(f"{bed.name}  kubeconfig {Files(bed.folder).kubeconfig('admin')}  logs {bed.logs}")
        for name, pid in bed.processes().items():
            ended += pid is None
            print(f"  {name:<24} {'ended' if pid is None else f'running, pid {pid}'}")
    if not beds():
        print(f"no bed under {root()}; `python -m testbed up` starts one")
    return int(ended > 0)


def _kubeconfig(chosen: argparse.Namespace) -> int:
    print(Files(_existing(chosen.name).folder).kubeconfig("admin"))
    return 0


def _build(chosen: argparse.Namespace) -> int:
    everything = [name for module in families().values() for name in module.tools]
    for path in programs(*(chosen.programs or everything)).values():
        print(path)
    return 0


def _existing(name: str) -> Bed:
    for bed in beds():
        if bed.name == name:
            return bed
    names = ", ".join(bed.name for bed in beds()) or "none"
    raise TestBedError(f"there is no bed {name!r} (there are: {names}); `python -m testbed up --name {name}` starts it")


if __name__ == "__main__":
    sys.exit(main())
