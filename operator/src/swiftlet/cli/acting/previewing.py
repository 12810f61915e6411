"""A preview of a FineTuneJob: its pod's prepare step on this machine, looking instead of preparing.

What it reads is mounted as `swiftlet run` would mount it; what it writes goes to a folder that is thrown away.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from swiftlet.cli import exitcodes
from swiftlet.cli.acting.planning import Imagined, PlannedResource
from swiftlet.cli.errors import CommandError
from swiftlet.documents.document import key_of
from swiftlet.kinds.attempts.backends.registry import BACKENDS
from swiftlet.kinds.frame.capabilities import Capabilities
from swiftlet.local.environment import ContainerConfigError, command_line, container_env, image_env
from swiftlet.local.places import MODELS_CLAIM, local_capabilities
from swiftlet.local.volumes import (
    MountError,
    VolumeHost,
    mount,
    provide_volumes,
    release_shared_memory,
    termination_log,
)
from swiftlet.wire.documents import OUTPUT_ROOT, RUN_ROOT
from swiftlet.wire.messages import EXIT_INVALID
from swiftlet.wire.preview import PREVIEW_FILE, PREVIEW_PAGE, Preview
from swiftlet.wire.visible import escaped

Object = dict[str, Any]


@dataclass(frozen=True)
class PreviewRequest:
    """What the command line asked for. rows, most: of each data set that are shown, and read (None: all). page: where
    the HTML goes."""

    state: Path
    mirror: Path
    rows: int
    most: int | None
    page: Path | None = None


def previews(jobs: Sequence[PlannedResource], world: Imagined, request: PreviewRequest) -> list[Preview]:
    """Of each planned FineTuneJob. Raises CommandError where there is none, or one cannot be previewed."""
    if not jobs:
        raise CommandError("the documents hold no FineTuneJob; name a file with one", exitcodes.INVALID)
    if request.page and len(jobs) > 1:
        names = ", ".join(one.name for one in jobs)
        what = f"--html is the page of one FineTuneJob, and there are {names}; name the file of one"
        raise CommandError(what, exitcodes.INVALID)
    return [_preview(one, world, request) for one in jobs]


def _preview(job: PlannedResource, world: Imagined, request: PreviewRequest) -> Preview:
    if job.refusal:
        raise CommandError(f"{job.name}: {job.refusal}", exitcodes.FAILED)
    with TemporaryDirectory(prefix="swiftlet-preview-") as folder:
        pod = first_pod(job)
        try:
            return _run(pod, _host(pod, job, world, request, Path(folder)), request)
        except (MountError, ContainerConfigError) as error:
            raise CommandError(f"{job.name}: {error}") from None
        finally:
            release_shared_memory(pod)


def capabilities() -> Capabilities:
    """What the plan is made for: nothing but pods is made of it, so it matters little what would have made them."""
    return replace(local_capabilities(), extra_backends=True)


def first_pod(job: PlannedResource) -> Object:
    """The pod that looks at the rows, as the planned workload would make it."""
    planned = next(item for item in job.objects if item["kind"] in BACKENDS)
    template, about = BACKENDS[planned["kind"]].told(planned, [])["spec"]["template"], planned["metadata"]
    identity = {"name": f"{about['name']}-0", "namespace": about["namespace"], "uid": str(uuid4())}
    return {"metadata": {**template["metadata"], **identity}, "spec": template["spec"]}


def _host(pod: Object, job: PlannedResource, world: Imagined, request: PreviewRequest, folder: Path) -> VolumeHost:
    """Claims of the state folder and the mirror as far as they are there, so that none is made."""
    made = {key_of(item): item for item in job.objects}
    claims = {path.name: path.absolute() for path in (request.state / "volumes").glob("*") if path.is_dir()}
    if request.mirror.is_dir():
        claims[MODELS_CLAIM] = request.mirror
    namespace = pod["metadata"]["namespace"]

    def lookup(kind: str, name: str) -> Object | None:
        return made.get((kind, namespace, name)) or world.get(kind, namespace, name)

    return VolumeHost(pod, folder, folder / "claims", lookup, claims)


def _run(pod: Object, host: VolumeHost, request: PreviewRequest) -> Preview:
    """Fetch what has to be fetched, then look. Raises CommandError with what the trainer said."""
    volumes = provide_volumes(host)
    steps = {one["name"]: one for one in pod["spec"]["initContainers"]}
    asked = ["--rows", str(request.rows), *([] if request.most is None else ["--read", str(request.most)])]
    looking = steps["prepare"]
    command = ["preview" if word == "prepare" else word for word in looking["command"]]
    looking = {**looking, "command": [*command, *asked], "volumeMounts": _thrown_away(looking["volumeMounts"])}
    for step in (*(steps[name] for name in steps if name == "fetch"), looking):
        root = host.folder / "roots" / step["name"]
        mount(step, root, volumes)
        env = container_env(step, pod, host.lookup, image_env(os.environ, root))
        done = subprocess.run(command_line(step, env), env=env, cwd=root, capture_output=True, text=True, check=False)
        left = root / OUTPUT_ROOT.lstrip("/")
        if done.returncode and not (left / PREVIEW_FILE).is_file():
            raise _failure(termination_log(step, root), done)
    if request.page:
        shutil.copyfile(left / PREVIEW_PAGE, request.page)
    return Preview.model_validate_json((left / PREVIEW_FILE).read_bytes())


def _thrown_away(mounts: Sequence[Object]) -> list[Object]:
    """The run's own folder in a volume that goes with the pod."""
    scratch = next(one for one in mounts if one["mountPath"] == RUN_ROOT)
    output = {"name": scratch["name"], "mountPath": OUTPUT_ROOT, "subPath": "output"}
    return [output if one["mountPath"] == OUTPUT_ROOT else one for one in mounts]


def _failure(log: Path, done: "subprocess.CompletedProcess[str]") -> CommandError:
    """What the trainer left as its reason, else the end of what it printed."""
    try:
        text = json.loads(log.read_bytes())["failure"]["message"]
    except (OSError, ValueError, KeyError):
        text = "\n".join(done.stderr.splitlines()[-20:]) or f"the trainer ended with exit code {done.returncode}"
    code = exitcodes.INVALID if done.returncode == EXIT_INVALID else exitcodes.FAILED
    return CommandError("\n".join(map(escaped, text.splitlines())), code)
