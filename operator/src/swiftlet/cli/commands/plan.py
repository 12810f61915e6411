"""`swiftlet plan`."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swiftlet.cli import exitcodes
from swiftlet.cli.arguments import add_command, add_output, add_world, default_state, is_on_cluster

if TYPE_CHECKING:
    from swiftlet.cli.arguments import Commands


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands,
        "plan",
        "Show what documents would create, what it would need, and what of a cluster stands against it",
        "Starts nothing. Of a FineTuneJob: processes, batch, parameters, memory, disk, steps. References are taken as"
        " fulfilled. On a cluster: what the API server would refuse or change, and quotas, limits, queues, nodes and"
        " objects that the pods would not get by; 1 when anything is against it.",
        """swiftlet plan examples/quickstart
        swiftlet plan finetunejob.yaml -o yaml
        swiftlet --context prod -n team plan finetunejob.yaml""",
    )
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="file, folder, folder with a kustomization, or - for stdin"
    )
    parser.add_argument(
        "-f", "--filename", type=Path, action="append", default=[], metavar="PATH", help="the same, as kubectl takes it"
    )
    parser.add_argument(
        "--operator-namespace",
        metavar="NAME",
        help="on a cluster: where the operator is, whose default profile is read there (default: swiftlet-system)",
    )
    add_output(parser, "json", "yaml")
    add_world(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the plan; fails when a resource would be refused, or a cluster stands against it."""
    from swiftlet.cli.errors import CommandError

    options.paths += options.filename
    if not options.paths:
        raise CommandError("name the documents: PATH, or -f PATH", exitcodes.INVALID)
    if is_on_cluster(options):
        return _on_cluster(options)
    if options.namespace or options.operator_namespace:
        raise CommandError(
            "--namespace and --operator-namespace are of a cluster; name it: --context", exitcodes.INVALID
        )
    return _here(options)


def _here(options: argparse.Namespace) -> int:
    from functools import partial

    from swiftlet.cli.acting.machinefiles import machine_problems
    from swiftlet.cli.acting.planning import plan_documents
    from swiftlet.cli.acting.planreport import document_of, text_of
    from swiftlet.cli.acting.sizing import needs_of
    from swiftlet.cli.places import path_of
    from swiftlet.documents import read_documents
    from swiftlet.local.places import models_mirror
    from swiftlet.local.store import Store

    state = options.state or default_state()
    existing = Store(state, read_only=True).list()
    documents = read_documents(options.paths, existing=existing)
    for problem in machine_problems(documents, existing, state, os.environ):
        print(f"WARNING {problem}", file=sys.stderr)  # the documents may be meant for a cluster, which has it
    planned, world = plan_documents(documents, existing)
    places = partial(path_of, state, mirror=models_mirror(os.environ))
    found = [(one, needs_of(one, world, places)) for one in planned]
    if options.output:
        _print({"resources": [document_of(*pair) for pair in found]}, options)
    else:
        print("\n\n".join(text_of(*pair) for pair in found))
    return exitcodes.FAILED if any(one.refusal for one in planned) else exitcodes.OK


def _on_cluster(options: argparse.Namespace) -> int:
    from functools import partial

    from swiftlet.cli.acting.clusterplan import OPERATOR_NAMESPACE, plan_on_cluster
    from swiftlet.cli.acting.planreport import document_of, document_of_plain, text_of, text_of_plain
    from swiftlet.cli.acting.sizing import needs_of
    from swiftlet.cli.places import mirrored
    from swiftlet.cli.reading.worlds import open_cluster
    from swiftlet.documents import read_documents
    from swiftlet.local.places import models_mirror

    cluster = open_cluster(options)
    documents = read_documents(options.paths, check=False)
    operators = options.operator_namespace or OPERATOR_NAMESPACE
    plan = plan_on_cluster(documents, cluster, options.namespace or cluster.namespace, operators)
    places = partial(mirrored, mirror=models_mirror(os.environ))
    if options.output:
        resources = [
            document_of(one, needs_of(one, plan.world, places), standing)
            if one
            else document_of_plain(document, standing)
            for document, one, standing in plan.entries
        ]
        _print({"resources": resources, "unknown": list(plan.unknown)}, options)
    else:
        for text in plan.unknown:
            print(f"WARNING {text}", file=sys.stderr)
        blocks = [
            text_of(one, needs_of(one, plan.world, places), standing) if one else text_of_plain(document, standing)
            for document, one, standing in plan.entries
        ]
        print("\n\n".join(blocks))
    return exitcodes.FAILED if plan.is_opposed else exitcodes.OK


def _print(document: dict[str, Any], options: argparse.Namespace) -> None:
    from swiftlet.cli.printing.output import print_document

    print_document(document, options.output)
