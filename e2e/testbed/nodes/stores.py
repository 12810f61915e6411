"""Image stores: unpacked once, kept as a template, copied to each node in seconds.

What containerd never writes again (content by digest, committed snapshots) is shared by hard links; its databases are
copied. So a node costs the disk nothing, and is free to add and remove images of its own.
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path

from testbed import images
from testbed.beds import Bed, end
from testbed.nodes import layout
from testbed.nodes.configs import PAUSE_IMAGE
from testbed.nodes.runtime import Runtime
from testbed.oci import contents, reference, write_program_image
from testbed.programs import cache_folder, program, tell

Source = str | Path
"""An OCI archive, or the name of an image in the storage of `testbed.images.buildah`."""
SHARED = ("io.containerd.content.v1.content/blobs", "io.containerd.snapshotter.v1.overlayfs/snapshots")
KEPT = 4
"""Templates; the least recently used are removed. They share what they have in common."""


def template(sources: Sequence[Source]) -> Path:
    """Folder of a containerd that holds these images and the pause image; made when it is not there yet."""
    wanted = identities(sources)
    folder = templates() / store_key(wanted)
    with _locked():
        if not folder.exists():
            tell(f"unpacking {', '.join(sorted(wanted)) or 'the pause image'} for the nodes (kept for later runs)")
            _make(sources, folder)
        os.utime(folder)
        _prune()
    return folder


def templates() -> Path:
    """Folder of all templates."""
    return cache_folder() / "images"


def identities(sources: Sequence[Source]) -> dict[str, str]:
    """Name → digest of every image. An image that buildah holds need not be exported for it."""
    found = dict[str, str]()
    for source in sources:
        found |= contents(source) if isinstance(source, Path) else {reference(source): images.image_id(source)}
    return found


def store_key(wanted: Mapping[str, str]) -> str:
    """Name of a template: the same for the same images in any order."""
    return hashlib.sha256(json.dumps(sorted(wanted.items())).encode()).hexdigest()[:16]


def clone(store: Path, target: Path) -> None:
    """Copy a stopped containerd's folder to `target`, which must not exist, on the same file system."""
    target.mkdir(parents=True)
    parents = {Path(shared).parent for shared in SHARED}
    for entry in sorted(store.iterdir()):
        if Path(entry.name) in parents:
            _clone_part(entry, target / entry.name)
        else:
            subprocess.run(["cp", "--archive", str(entry), str(target)], check=True)


def _clone_part(source: Path, target: Path) -> None:
    target.mkdir()
    shutil.copystat(source, target)
    for entry in sorted(source.iterdir()):
        link = ["--link"] if f"{source.name}/{entry.name}" in SHARED else []
        subprocess.run(["cp", "--archive", *link, str(entry), str(target)], check=True)


def unpack(source: Source, *runtimes: Runtime) -> None:
    """Have images unpacked on running containerds."""
    for runtime in runtimes:
        if isinstance(source, Path):
            runtime.import_archive(source)
        else:
            runtime.import_stored(images.stored(source), reference(source))


def _make(sources: Sequence[Source], folder: Path) -> None:
    bed = Bed.create()  # one of its own: it is there for this only
    try:
        partial = cache_folder() / "nodes" / bed.name
        bed.undo("rm", "-rf", str(partial))
        # What the last set of images has in common with this one is unpacked already.
        if earlier := _by_last_use():
            clone(earlier[-1], partial / layout.CONTAINERD.name)
        _fill(Runtime(bed, "images", partial), sources)
        folder.parent.mkdir(parents=True, exist_ok=True)
        (partial / layout.CONTAINERD.name).rename(folder)
    finally:
        end(bed.folder)


def _fill(runtime: Runtime, sources: Sequence[Source]) -> None:
    pause = write_program_image(runtime.folder / "pause.tar", PAUSE_IMAGE, program("pause"))
    wanted: list[Source] = [pause, *sources]
    runtime.start()
    for source in wanted:
        unpack(source, runtime)
    runtime.keep_only(identities(wanted).keys())
    runtime.stop()


def _by_last_use() -> list[Path]:
    return sorted(templates().glob("*"), key=lambda path: path.stat().st_mtime)


def _prune() -> None:
    """Remove templates, by another name: one that was left half removed would be taken for whole, and the newest."""
    gone = templates().with_name("images-gone")
    gone.mkdir(exist_ok=True)
    for path in _by_last_use()[:-KEPT]:
        shutil.rmtree(gone / path.name, ignore_errors=True)
        path.rename(gone / path.name)
    shutil.rmtree(gone)


@contextmanager
def _locked() -> Iterator[None]:
    folder = cache_folder() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "images.lock").open("w") as file:
        flock(file, LOCK_EX)
        yield
