"""`swiftlet compare`."""

import argparse
from typing import TYPE_CHECKING

from swiftlet.cli import exitcodes
from swiftlet.cli.arguments import add_command, add_output, add_world

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swiftlet.cli.arguments import Commands
    from swiftlet.cli.reading.comparing import Compared


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands,
        "compare",
        "Compare two EvalRuns on the same questions",
        "Delta is B minus A; the interval is a paired bootstrap over rows (95 %), none from fewer than 6 rows.",
        """swiftlet compare bird-v1 bird-v2
        swiftlet compare bird-v1 bird-v2 -o json""",
    )
    parser.add_argument("a", metavar="EVALRUN_A", help="before")
    parser.add_argument("b", metavar="EVALRUN_B", help="after")
    add_output(parser, "json", "yaml")
    add_world(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the comparison as a table."""
    from swiftlet.cli.printing.output import print_document
    from swiftlet.cli.reading.comparing import compare
    from swiftlet.cli.reading.finding import existing
    from swiftlet.cli.reading.resourcekinds import kind_of
    from swiftlet.cli.reading.worlds import open_world

    world, kind = open_world(options), kind_of("evalruns")
    namespace = options.namespace or world.namespace
    a, b = (
        existing(world, kind, namespace, name.removeprefix("evalrun/").removeprefix("evr/"))
        for name in (options.a, options.b)
    )
    found = compare(a, b, world.folder)
    if options.output:
        document = {
            "a": a["metadata"]["name"],
            "b": b["metadata"]["name"],
            "metrics": [one.document() for one in found],
        }
        print_document(document, options.output)
        return exitcodes.OK
    print(_table(a["metadata"]["name"], b["metadata"]["name"], found))
    return exitcodes.OK


def _table(a: str, b: str, found: "Sequence[Compared]") -> str:
    from swiftlet.cli.printing.figures import bracketed, figure, signed
    from swiftlet.cli.printing.table import render

    heads = ["Suite", "Metric", a, b, "Delta", "95% interval", "Rows", "Verdict"]
    rows = []
    for one in found:
        figures = [figure(one.a), figure(one.b), signed(one.b - one.a), bracketed(one.interval), str(one.n)]
        rows.append([one.suite, one.metric, *figures, one.verdict])
    return render(heads, rows)
