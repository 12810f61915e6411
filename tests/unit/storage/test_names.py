"""No name of a URI scheme stands outside the scheme's own module: what is asked of schemes, the registry is asked."""

import ast
import re

import pytest
from swiftlet.storage.registry import LOCAL, SCHEMES
from testbed.sources import mentions, texts_of

MENTION = re.compile(rf"({'|'.join(SCHEMES)})://|[\"']({'|'.join(SCHEMES)})[\"']")

EXCEPTIONS = {
    (
        "swiftlet/api/v1alpha1/computeprofile.py",
        "hf",
    ),  # what mirror and hub are for, in their descriptions
    ("swiftlet/cli/reading/resourcekinds.py", "pvc"),  # kubectl's short name of the kind
    ("swiftlet/documents/kustomization.py", "configmap"),  # what kustomize does not rename when it renames ConfigMaps
    ("swiftlet/storage/file.py", "configmap"),  # where else to put what a cluster's pods cannot read: a remedy
    ("swiftlet/storage/file.py", "pvc"),
}


def test_every_name_of_a_scheme_stands_in_its_own_module() -> None:
    own = {f"{package}/storage/{name}.py": name for package in ("swiftlet", "swiftlet_trainer") for name in SCHEMES}
    assert set(mentions(named)) - own.items() == EXCEPTIONS


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ('"""About pvc:// in words."""', set()),
        ('if uri.scheme == "file": pass', {"file"}),
        ('text = f"hf://{name}"', {"hf"}),
        ('kinds = {"configmap": 1}', {"configmap"}),
        ('mode = "file"', set()),
    ],
)
def test_names_are_found_as_code_writes_them(code: str, names: set[str]) -> None:
    assert named(code) == names


def named(code: str) -> set[str]:
    """Schemes that the texts of a module name, docstrings aside, or that it compares a URI's with: `file` alone is also
    a word."""
    if not MENTION.search(code):
        return set()
    nodes = list(ast.walk(ast.parse(code)))
    sides = [[node.left, *node.comparators] for node in nodes if isinstance(node, ast.Compare)]
    compared = [
        side.value
        for pair in sides
        for side in pair
        if isinstance(side, ast.Constant)
        and any(isinstance(one, ast.Attribute) and one.attr == "scheme" for one in pair)
    ]
    return {
        name
        for name in SCHEMES
        for text in texts_of(nodes)
        if f"{name}://" in text or text == name
        if text != LOCAL.name or text in compared
    }
