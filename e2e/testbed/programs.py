"""The programs of the test bed, built from the modules under go/ on first use and kept in a cache outside the checkout.

`KUBEBUILDER_ASSETS` (a folder with etcd, kube-apiserver and kubectl) is used when it is set.
"""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from testbed.errors import MissingProgramError
from testbed.modules import Module, linker_flags, parse
from testbed.toolchain import Toolchain, dotted, toolchain

Say = Callable[[str], None]
MODULES = Path(__file__).with_name("go")
ASSETS = ("etcd", "kube-apiserver", "kubectl")
"""What KUBEBUILDER_ASSETS holds. Source: sigs.k8s.io/controller-runtime, setup-envtest."""
FIRST_BUILD = {
    "etcd": "half a minute",
    "kube-apiserver": "2 to 4 minutes",
    "kube-controller-manager": "a minute",
    "kubectl": "half a minute",
    "containerd": "a minute",
    "coredns": "half a minute",
    "helm": "a minute",
    "kwok": "a minute",
    "kueue": "3 minutes",
    "jobset": "a minute and a half",
    "argocd": "8 minutes",
    "versitygw": "a minute",
    "registry": "2 minutes",
    "prometheus-operator": "3 minutes",
    "trainer-controller-manager": "a minute",
    "ray-operator": "a minute",
}
"""About how long a program takes on 2 cores when nothing is cached, in the order of building; others take seconds."""
FIXED = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
"""Programs run in containers and namespaces of their own: static, and with this toolchain only."""
NEEDS = "\nThe first time, Go modules are fetched: that needs the network or a GOPROXY that can be reached"


def tell(line: str) -> None:
    """Progress, on stderr."""
    sys.stderr.write(f"testbed: {line}\n")
    sys.stderr.flush()


def program(name: str, say: Say = tell) -> Path:
    """Path of a program, built when it is not there yet. Raises MissingProgramError with the remedy."""
    return programs(name, say=say)[name]


def programs(*names: str, say: Say = tell) -> dict[str, Path]:
    """Paths of several programs, built one after another where they are missing."""
    return {name: _asset(name) or _built(name, say) for name in names}


def sources(family: str, module: str) -> Path:
    """Folder of a module's files, as a family requires it; fetched when it is not there. Read-only.

    Raises MissingProgramError.
    """
    go = _toolchain(families()[family].go)
    done = subprocess.run(
        [str(go.program), "mod", "download", "-json", module],
        cwd=MODULES / family, env={**os.environ, **FIXED}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise MissingProgramError(f"the files of {module} are not there: {done.stderr.strip()[-2000:]}{NEEDS}")
    return Path(json.loads(done.stdout)["Dir"])


def cache_folder() -> Path:
    """Where built programs and the toolchain are kept between runs."""
    return Path.home() / ".cache" / "swiftlet" / "testbed"


@cache
def families() -> dict[str, Module]:
    """Every module under go/ by the name of its folder."""
    return {path.parent.name: parse(path.read_text()) for path in sorted(MODULES.glob("*/go.mod"))}


def family_of(name: str) -> str:
    """Folder of the module that builds a program. Raises MissingProgramError for a name that none knows."""
    for family, module in families().items():
        if name in module.tools:
            return family
    known = sorted(tool for module in families().values() for tool in module.tools)
    raise MissingProgramError(f"no module under {MODULES} builds {name!r}; they build {', '.join(known)}")


def digest(family: str, go: tuple[int, ...]) -> str:
    """Key of a family's build: what decides the bytes of its programs."""
    content = hashlib.sha256(dotted(go).encode())
    sources = sorted(path.name for path in (MODULES / family).glob("*.go"))  # programs of ours; most have none
    for file in ("go.mod", "go.sum", *sources):
        content.update((MODULES / family / file).read_bytes())
    return content.hexdigest()[:16]


def _asset(name: str) -> Path | None:
    folder = os.environ.get("KUBEBUILDER_ASSETS")
    if not folder or name not in ASSETS:
        return None
    path = Path(folder, name)
    if not os.access(path, os.X_OK):
        raise MissingProgramError(
            f"KUBEBUILDER_ASSETS={folder} has no program {name}: "
            "complete the folder (`setup-envtest use`), or unset the variable to have it built"
        )
    return path


@cache
def _toolchain(needed: tuple[int, ...]) -> Toolchain:
    return toolchain(needed, cache_folder(), tell)


def is_built(name: str) -> bool:
    """Whether the cache has a program. Raises MissingProgramError for a name that none knows."""
    return _cached(name).exists()


def _cached(name: str) -> Path:
    family = family_of(name)
    return cache_folder() / digest(family, _toolchain(families()[family].go).version) / "bin" / name


def _built(name: str, say: Say) -> Path:
    family, path = family_of(name), _cached(name)
    go = _toolchain(families()[family].go)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # Two beds that start at once share one build: the second waits here, then finds the program.
        with _locked(path.parent.parent / f"{name}.lock"):
            if not path.exists():
                _build(family, name, go, path, say)
    return path


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(family: str, name: str, go: Toolchain, path: Path, say: Say) -> None:
    """Compile one program; it appears under its name whole or not at all."""
    module = families()[family]
    say(f"building {name} (first time, about {FIRST_BUILD.get(name, '20 seconds')} on 2 cores)")
    began = time.monotonic()
    partial = path.with_name(f".{name}.partial")
    command = [str(go.program), "build", "-trimpath", "-buildvcs=false", "-ldflags", linker_flags(module)]
    done = subprocess.run(
        [*command, "-o", str(partial), module.tools[name]],
        cwd=MODULES / family, env={**os.environ, **FIXED}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise MissingProgramError(
            f"building {name} from {MODULES / family} failed: {done.stderr.strip()[-2000:]}{NEEDS}"
        )
    partial.replace(path)
    say(f"built {name} in {time.monotonic() - began:.0f} s")
