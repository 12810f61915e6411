"""Container images without a registry: a base from Debian's packages, Dockerfiles built by buildah on top of it."""

import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path

from testbed.errors import TestBedError
from testbed.image_layers import Image, stored_image
from testbed.oci import digest_of, reference
from testbed.programs import cache_folder, tell
from testbed.system import IMAGE_PROGRAMS, ensure

SUITE = "bookworm"
BASE_PACKAGES = ("python3", "python3-venv", "ca-certificates", "libnuma1")
"""What `python:3.11-slim` holds, and the project's Dockerfiles rely on: Python 3.11 with venv, CA certificates. And
libnuma, which vLLM for CPUs loads; where a base lacks it, the Dockerfile fetches it from Debian's mirror."""
NOT_INSTALLED = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*")
BASE_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
BASE_VARIABLE = "SWIFTLET_BASE_IMAGE"


def base(*packages: str) -> str:
    """Name of the base image in `buildah`'s storage, made on first use (20 s to 80 s, 200 MB), with more packages.

    $SWIFTLET_BASE_IMAGE names another one, such as `registry.example/python:3.11-slim` where images can be pulled.
    Raises TestBedError with the last lines of what failed.
    """
    return os.environ.get(BASE_VARIABLE) or debian(*BASE_PACKAGES, *packages)


def debian(*packages: str) -> str:
    """Name of an image of Debian with these packages and nothing that they do not need."""
    name = debian_name(packages)
    with _locked(f"{name.rpartition(':')[2]}.lock"):
        if not exists(name):
            tell(f"building the image {name} of Debian {SUITE} (first time, about a minute)")
            _debootstrap(name, packages)
    return name


def debian_name(packages: Sequence[str]) -> str:
    """The tag names the recipe, so that another recipe is another image."""
    recipe = json.dumps([SUITE, sorted(packages), NOT_INSTALLED, BASE_ENVIRONMENT])
    return f"localhost/swiftlet/base:{SUITE}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def build(
    context: Path,
    dockerfile: Path,
    name: str,
    arguments: Mapping[str, str],
    target: str | None = None,
    volumes: Mapping[Path, str] | None = None,
) -> str:
    """Build a Dockerfile with build arguments (`ARG`); layers that did not change are reused. The image's id.

    volumes: files and folders of this machine that build steps see at the given paths; they are no part of the image.
    """
    options = [f"--build-arg={key}={value}" for key, value in arguments.items()]
    options += [f"--target={target}"] if target else []
    options += [f"--volume={source}:{path}" for source, path in (volumes or {}).items()]
    # chroot isolation runs build steps without cgroups and network namespaces, which not every machine can make.
    fixed = ["--isolation=chroot", "--layers", "--quiet", f"--file={dockerfile}", f"--tag={name}"]
    return buildah("build", *fixed, *options, str(context)).split()[-1]


def exists(name: str) -> bool:
    """Whether buildah's storage has an image."""
    return _run("inspect", "--type=image", name).returncode == 0


def image_id(name: str) -> str:
    """Digest of an image's configuration, which names everything in it."""
    return digest_of(_config(name))


def stored(name: str) -> Image:
    """An image of the storage, for reading its layers. Raises TestBedError when there is none of that name."""
    return stored_image(_folder() / "storage", _config(name))


def export(name: str, archive: Path) -> Path:
    """Write an image as an OCI archive, not compressed, under the name by which pods ask for it; its path."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with archive.open("wb") as out:
        stored(name).write(out, reference(name))
    return archive


def buildah(*args: str) -> str:
    """Run buildah on the test bed's own storage; what it prints. Raises TestBedError with the end of its output."""
    done = _run(*args)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-3000:]
        raise TestBedError(f"buildah {' '.join(args)} ended with {done.returncode}: {said}")
    return done.stdout


def _run(*args: str) -> subprocess.CompletedProcess[str]:
    ensure(*IMAGE_PROGRAMS)
    storage = [f"--root={_folder() / 'storage'}", f"--runroot={_folder() / 'run'}", "--storage-driver=overlay"]
    return subprocess.run(["buildah", *storage, *args], capture_output=True, text=True, check=False)


def _folder() -> Path:
    return cache_folder() / "buildah"


def _config(name: str) -> bytes:
    config: str = json.loads(buildah("inspect", "--type=image", name))["Config"]
    return config.encode()


def _debootstrap(name: str, packages: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory(dir=cache_folder(), prefix=".base-") as folder:
        tree = Path(folder, "base.tar")
        excluded = [f"--dpkgopt=path-exclude={pattern}" for pattern in NOT_INSTALLED]
        command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}", *excluded]
        done = subprocess.run([*command, SUITE, str(tree)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise TestBedError(
                f"mmdebstrap could not make a base image: {done.stderr.strip()[-2000:]}\nIt needs a Debian mirror; "
                f"where images can be pulled, set {BASE_VARIABLE} to the full name of one with Python 3.11, such as "
                "registry.example/python:3.11-slim"
            )
        container = buildah("from", "--quiet", "scratch").strip()
        buildah("add", "--quiet", container, str(tree), "/")
        settings = [f"--env={key}={value}" for key, value in BASE_ENVIRONMENT.items()]
        buildah("config", *settings, '--cmd=["python3"]', container)
        buildah("commit", "--quiet", "--rm", container, name)


@contextmanager
def _locked(name: str) -> Iterator[None]:
    folder = cache_folder() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w") as file:
        flock(file, LOCK_EX)
        yield
