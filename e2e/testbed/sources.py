"""The two packages as text: a copy that something is added to, and what names stand where."""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("operator/src/swiftlet", "trainer_image/src/swiftlet_trainer")
SAID = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from swiftlet.cli.main import main

def said(*arguments):
    told = io.StringIO()
    with redirect_stdout(told), redirect_stderr(told if "json" not in arguments else sys.stderr):
        main(list(arguments))
    return told.getvalue()
"""
"""What a command prints, for programs that look at a copy."""


class SourceCopy:
    """Both packages below `folder`/sources, to be changed there."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.root = folder, folder / "sources"
        for package in PACKAGES:
            shutil.copytree(REPOSITORY / package, self.root / Path(package).name)
        self._before = {path: path.read_bytes() for path in self.root.rglob("*.py")}

    def touched(self) -> set[str]:
        """The files that are other ones by now, or new."""
        found = (path for path in self.root.rglob("*.py") if self._before.get(path) != path.read_bytes())
        return {str(path.relative_to(self.root)) for path in found}

    def look(self, code: str) -> Any:
        """The JSON that `code` prints last, run beside the copy with `said` at hand. Fails the test where it fails."""
        environment = {**os.environ, "PYTHONPATH": str(self.root), "NO_COLOR": "1", "COLUMNS": "200"}
        command = [sys.executable, "-c", SAID + code]
        done = subprocess.run(command, cwd=self._folder, env=environment, capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)


def mentions(named: Callable[[str], Iterable[str]]) -> Iterator[tuple[str, str]]:
    """(file, name) of each name that `named` finds in the text of a module."""
    for package in map(Path, PACKAGES):
        for path in (REPOSITORY / package).rglob("*.py"):
            for name in named(path.read_text(encoding="utf-8")):
                yield str(path.relative_to(REPOSITORY / package.parent)), name


def texts_of(nodes: Iterable[ast.AST]) -> list[str]:
    """The texts among the nodes of a module, docstrings aside."""
    known = list(nodes)
    words = {node.value for node in known if isinstance(node, ast.Expr)}
    constants = [node for node in known if isinstance(node, ast.Constant) and node not in words]
    return [node.value for node in constants if isinstance(node.value, str)]
