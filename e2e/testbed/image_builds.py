"""The project's own images, from its Dockerfiles as they stand, on the test bed's base image.

Packages come out of uv's cache on this machine, which `make install` has filled, so a build downloads next to nothing.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from testbed import images
from testbed.programs import tell

REPOSITORY = Path(__file__).parents[2]
OPERATOR_DOCKERFILE = REPOSITORY / "Dockerfile"
TRAINER_DOCKERFILE = REPOSITORY / "trainer_image" / "Dockerfile"
CACHE_IN_BUILD = "/var/cache/uv"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
"""Of this machine: it may reach its package index through an authority that the base image does not know."""
BASE_PACKAGES = {"cpu": (), "cuda": ("g++", "libpython3-dev")}
"""Of a variant of the trainer's image, beside those of every base: see BASE in trainer_image/Dockerfile."""
INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")


def operator(name: str) -> str:
    """Build the operator's image; its name. About half a minute on 2 cores, seconds when nothing has changed."""
    return _build(OPERATOR_DOCKERFILE, name, {})


def trainer(name: str, flavour: str = "trainer-vllm", variant: str = "cpu") -> str:
    """Build a trainer image; its name. `flavour` and `variant` as in trainer_image/Dockerfile.

    The default trains, evaluates and serves. About 4 minutes on 2 cores; seconds when only our code has changed.
    """
    return _build(TRAINER_DOCKERFILE, name, {"VARIANT": variant, "FLAVOUR": flavour}, BASE_PACKAGES[variant])


def _build(dockerfile: Path, name: str, arguments: dict[str, str], packages: Sequence[str] = ()) -> str:
    began = time.monotonic()
    settings = {"BASE": images.base(*packages), "UV_CACHE_DIR": CACHE_IN_BUILD, **index(), **arguments}
    cache = uv_cache()
    cache.mkdir(parents=True, exist_ok=True)
    volumes = {cache: CACHE_IN_BUILD}
    if CERTIFICATES.exists():
        volumes[CERTIFICATES] = f"{CERTIFICATES}:ro"
    if not images.exists(name):
        tell(f"building the image {name}")
    with tempfile.TemporaryDirectory(prefix="swiftlet-context-") as folder:
        images.build(context(REPOSITORY, Path(folder)), dockerfile, name, settings, volumes=volumes)
    tell(f"image {name} is up to date ({time.monotonic() - began:.0f} s)")
    return name


def context(repository: Path, folder: Path) -> Path:
    """Put into `folder` what the Dockerfiles may copy, the same in every checkout of the same files; `folder`.

    buildah tells by modes too whether a layer is still good, and those follow the umask of whoever cloned.
    """
    ignore = repository / ".dockerignore"
    for name in (line[1:] for line in ignore.read_text().splitlines() if line.startswith("!")):
        if (repository / name).is_dir():
            shutil.copytree(repository / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(repository / name, folder / name)
    shutil.copyfile(ignore, folder / ignore.name)
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


def uv_cache() -> Path:
    """uv's cache on this machine. Source: uv's documentation, "Cache directory"."""
    if named := os.environ.get("UV_CACHE_DIR"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uv"


def index() -> dict[str, str]:
    """The package index that this machine is set up for, when it is not PyPI."""
    named = next((os.environ[name] for name in INDEX_VARIABLES if os.environ.get(name)), None)
    return {"UV_DEFAULT_INDEX": named} if named else {}
