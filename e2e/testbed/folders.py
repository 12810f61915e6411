"""A folder of object storage, played by one on disk."""

import hashlib
import shutil
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class DiskFolder:
    """`swiftlet_trainer.storage.upload.Folder`. uploads: names in the order in which their bytes went."""

    root: Path
    uploads: list[str] = field(default_factory=list)

    def names(self) -> set[str]:
        return {path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file()}

    def read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def upload(self, name: str, file: Path, sha256: str) -> None:
        target = self.root / name
        if target.is_file() and self.sha256(name) == sha256:
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        self.uploads.append(name)

    def sha256(self, name: str) -> str:
        return hashlib.sha256(self.read(name)).hexdigest()

    def download(self, name: str, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.root / name, file)

    def remove(self, name: str) -> None:
        (self.root / name).unlink()
