"""No name of a serving engine stands outside its own modules: what is asked of engines, the registry is asked."""

import ast
import re
from pathlib import Path

import pytest
from swiftlet.api.v1alpha1.engines.registry import ENGINES
from testbed.sources import mentions, texts_of

LIBRARIES = {"transformers"}
"""Engines named as a library is, which much else uses: found where they are compared, or named as engines."""

EXCEPTIONS = {
    ("swiftlet/api/v1alpha1/modeldeployment.py", "transformers"),  # whom toolParser is not for, in its description
    ("swiftlet/documents/kustomization.py", "transformers"),  # what kustomize calls a part of its files
    ("swiftlet/kinds/references/profile_policies.py", "vllm"),  # the image that has all engines
    ("swiftlet_trainer/artifact/model_card.py", "transformers"),  # what opens an artifact without Swiftlet
    ("swiftlet_trainer/artifact/model_card.py", "vllm"),
    ("swiftlet_trainer/artifact/writing.py", "transformers"),  # versions of packages
    ("swiftlet_trainer/data/digest.py", "transformers"),
    ("swiftlet_trainer/serve/openai_requests.py", "transformers"),  # who speaks, in answers of its own server
    ("swiftlet_trainer/serve/transformers_metrics.py", "vllm"),  # one dashboard shows both
}


def test_every_name_of_an_engine_stands_in_its_own_modules() -> None:
    found = {(file, name) for file, name in mentions(named) if not re.match(rf"{name}(_|\.py$)", Path(file).name)}
    assert found == EXCEPTIONS


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ('"""About vllm in words."""', set()),
        ('if name == "vllm": pass', {"vllm"}),
        ('name: Literal["auto", "transformers"]', {"transformers"}),
        ("cel = \"self.name != 'transformers'\"", {"transformers"}),
        ('text = f"set engine.name to transformers, or {other}"', {"transformers"}),
        ('text = f"{field}: set spec.engine.vllm.{name}"', {"vllm"}),
        ('text = "open it by transformers"', set()),
        ('text = "pictures need vllm"', set()),
        ('text = "serve the model by vllm"', set()),
        ("from vllm import envs", set()),
    ],
)
def test_names_are_found_as_code_writes_them(code: str, names: set[str]) -> None:
    assert named(code) == names


def named(code: str) -> set[str]:
    """Engines that the texts of a module name, docstrings aside, and answers that say which engine can do a thing."""
    if not any(name in code for name in ENGINES):
        return set()
    nodes = list(ast.walk(ast.parse(code)))
    return {name for name in ENGINES for text in texts_of(nodes) if _names(text, name)}


def _names(text: str, name: str) -> bool:
    if name not in LIBRARIES:
        return re.search(rf"(?<!need )(?<!needs )(?<!by )\b{name}\b", text) is not None
    named_as_engine = rf"'{name}'|engine(\.name)? {name}|name (to|is) {name}|{name} engine"
    return text == name or re.search(named_as_engine, text) is not None
