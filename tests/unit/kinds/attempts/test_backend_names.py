"""No name of a backend that is not Kubernetes' own stands outside its module and its facts: backends are asked."""

import ast
import re

from swiftlet.api.v1alpha1.backends import BACKENDS
from testbed.sources import mentions, texts_of

EXTRA = {word for facts in BACKENDS.values() if facts.is_extra for word in (facts.name, facts.kind, facts.plural)}
MENTION = re.compile("|".join(sorted(EXTRA)))
OWN = {"swiftlet/api/v1alpha1/backends.py", "swiftlet/kinds/attempts/backends/jobset.py"}
IN_WORDS = {"swiftlet/api/v1alpha1/finetunejob.py", "swiftlet/api/v1alpha1/computeprofile.py"}
"""What people are told of the field."""


def named(code: str) -> set[str]:
    """Names in the texts of a module, docstrings aside."""
    if not MENTION.search(code):
        return set()
    return {name for text in texts_of(ast.walk(ast.parse(code))) for name in MENTION.findall(text)}


def test_every_name_of_a_backend_stands_in_its_own_module() -> None:
    assert {file for file, _ in mentions(named)} - OWN == IN_WORDS


def test_names_are_found_as_code_writes_them() -> None:
    assert named('"""About JobSets."""') == set()
    assert named('if kind == "JobSet": pass') == {"JobSet"}
    assert named('text = f"{name} of jobsets"') == {"jobsets"}
