"""`swiftlet operator run`, and `swiftlet operator ui` beside it."""

import argparse
import os
import socket
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swiftlet.cli import exitcodes
from swiftlet.cli.arguments import add_command, address
from swiftlet.cli.commands import operatorui

if TYPE_CHECKING:
    from swiftlet.app.settings import Settings
    from swiftlet.cli.arguments import Commands

PREFIX = "SWIFTLET_OPERATOR_"


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands,
        "operator",
        "Run the operator of a Kubernetes cluster, or the page for its people",
        "It carries out FineTuneJobs, EvalRuns and ModelDeployments of the cluster as Jobs and Deployments. The chart"
        " helm/swiftlet installs it; CRDs and permissions must be there.",
        """swiftlet operator run
        swiftlet operator run --kubeconfig ~/.kube/config --no-leader-election
        swiftlet operator run --watch-namespace team-a --watch-namespace team-b --log-format json""",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    _add_run(actions)
    operatorui.add_parser(actions)


def _add_run(actions: "Commands") -> None:
    run_parser = add_command(
        actions,
        "run",
        "Run until SIGTERM",
        "Every option can be given by an environment variable, too: SWIFTLET_OPERATOR_ and the option in capitals, such"
        " as SWIFTLET_OPERATOR_LEASE_NAME; lists with commas, switches as true or false.",
        """swiftlet operator run
        swiftlet operator run --kubeconfig ~/.kube/config --no-leader-election --metrics-listen 127.0.0.1:9090
        SWIFTLET_OPERATOR_WORKERS=32 swiftlet operator run""",
    )
    _add_cluster(run_parser)
    _add_lease(run_parser)
    _add_work(run_parser)
    run_parser.set_defaults(run=run)


def _add_cluster(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("cluster")
    text = "how to reach the cluster from outside (default: $KUBECONFIG, else the pod's service account)"
    _option(group, "--kubeconfig", Path, argparse.SUPPRESS, "FILE", text)
    group.add_argument(
        "--watch-namespace",
        action="append",
        metavar="NAMESPACE",
        default=None,
        help="work in this namespace only; may be repeated (default: all)",
    )


def _add_lease(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("leader election")
    _option(group, "--lease-namespace", str, None, "NAMESPACE", "namespace of the Lease (default: the pod's own)")
    _option(group, "--lease-name", str, "swiftlet-operator", "NAME", "name of the Lease")
    _option(group, "--identity", str, None, "NAME", "this replica's name (default: $POD_NAME, else one made up)")
    group.add_argument(
        "--leader-election",
        action=argparse.BooleanOptionalAction,
        default=_switch("LEADER_ELECTION", True),
        help="wait for the Lease before working; off only where a single process runs",
    )


def _add_work(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("serving and working")
    _option(group, "--listen", address, ("0.0.0.0", 8080), "HOST:PORT", "progress of pods")  # noqa: S104
    _option(group, "--metrics-listen", address, ("0.0.0.0", 8081), "HOST:PORT", "metrics and health")  # noqa: S104
    _option(group, "--progress-url", str, None, "URL", "where pods post their progress (default: they do not)")
    text = "ComputeProfile of resources that name none, where the cluster has none called default"
    _option(group, "--default-profile", Path, None, "FILE", text)
    _option(group, "--workers", _positive, 16, "N", "resources that are looked at at the same time")
    text = "backends whose kinds are not Kubernetes' own, to be used where they are installed (default: none)"
    _option(group, "--extra-backends", _extra_backends, (), "NAME,...", text)
    text = "resources that have series of their own in the metrics: those that run first, then the newest"
    _option(group, "--series-limit", _positive, 1000, "N", text)
    _option(group, "--log-format", _choice("json", "text"), "text", "json|text", "form of log lines")
    levels = ("DEBUG", "INFO", "WARNING", "ERROR")
    _option(group, "--log-level", _choice(*levels), "INFO", "|".join(levels), "least level of log lines")


def _option(
    group: "argparse._ArgumentGroup", flag: str, read: Callable[[str], Any], default: Any, metavar: str, text: str
) -> None:
    """An option whose default comes from the environment; argparse reads that text as if it had been given."""
    name = flag.removeprefix("--").replace("-", "_").upper()
    shown = ":".join(map(str, default)) if isinstance(default, tuple) else default
    text = text if default in (None, (), argparse.SUPPRESS) else f"{text} (default: {shown})"
    given = os.environ.get(PREFIX + name)
    group.add_argument(flag, type=read, default=default if given is None else given, metavar=metavar, help=text)


def run(options: argparse.Namespace) -> int:
    """Run the operator; 0 when it was asked to stop, 1 when it could not go on, 2 when it could not start."""
    try:
        import asyncio

        from swiftlet.app.errors import StartError
        from swiftlet.app.process import operate
        from swiftlet.kube.credentials import NoClusterError
        from swiftlet.observability.logs import configure_logs
        from swiftlet.observability.tracing import tracing
    except ModuleNotFoundError as error:
        from swiftlet.cli.errors import CommandError

        raise CommandError(
            f"{error.name} is not installed; the operator needs: pip install 'swiftlet[operator]'", exitcodes.INVALID
        ) from error
    settings = settings_of(options)
    configure_logs(settings.log_format, settings.log_level)
    try:
        with tracing(os.environ, settings.identity):
            return asyncio.run(operate(settings))
    except (NoClusterError, StartError) as error:
        from swiftlet.cli.errors import CommandError

        raise CommandError(str(error), exitcodes.INVALID) from error


def settings_of(options: argparse.Namespace) -> "Settings":
    """The settings that a command line and the environment ask for."""
    from swiftlet.app.settings import Settings

    host, port = options.listen
    metrics_host, metrics_port = options.metrics_listen
    namespaces = options.watch_namespace or _listed(os.environ.get(PREFIX + "WATCH_NAMESPACE", ""))
    kubeconfig = options.kubeconfig or os.environ.get("KUBECONFIG")
    return Settings(
        kubeconfig=Path(kubeconfig) if kubeconfig else None,
        namespaces=tuple(dict.fromkeys(namespaces)),
        leader_election=options.leader_election,
        lease_namespace=options.lease_namespace or None,
        lease_name=options.lease_name,
        identity=options.identity or os.environ.get("POD_NAME") or f"{socket.gethostname()}_{uuid.uuid4().hex[:8]}",
        host=host,
        port=port,
        metrics_host=metrics_host,
        metrics_port=metrics_port,
        advertised_host=os.environ.get("POD_IP") or None,
        progress_url=options.progress_url or None,
        default_profile=Path(options.default_profile) if options.default_profile else None,
        workers=options.workers,
        extra_backends=options.extra_backends,
        series_limit=options.series_limit,
        log_format=options.log_format,
        log_level=options.log_level,
    )


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _switch(name: str, default: bool) -> bool:
    text = os.environ.get(PREFIX + name, "").lower()
    return default if not text else text in ("1", "true", "yes", "on")


def _extra_backends(text: str) -> tuple[str, ...]:
    from swiftlet.api.v1alpha1.backends import BACKENDS

    extra = [name for name, facts in BACKENDS.items() if facts.is_extra]
    for name in (names := _listed(text)):
        if name not in extra:
            raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(extra)}")
    return tuple(dict.fromkeys(names))


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number greater than 0")
    return int(text)


def _choice(*choices: str) -> Callable[[str], str]:
    """As argparse's choices, but also for a default that comes from the environment."""

    def read(text: str) -> str:
        if text not in choices:
            raise argparse.ArgumentTypeError(f"{text!r} is not one of {', '.join(choices)}")
        return text

    return read
