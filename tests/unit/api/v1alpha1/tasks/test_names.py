"""No name of a task stands outside the tasks' own modules: what is asked of tasks, their blocks are asked."""

import ast
import re

import pytest
from swiftlet.api.v1alpha1.tasks import Task
from testbed.sources import mentions, texts_of

OWN = ("swiftlet/api/v1alpha1/tasks/", "swiftlet_trainer/tasks/")
NAMES = "|".join(Task.model_fields)
WORDS = re.compile(rf"^({NAMES})$|\btask\.({NAMES})\b|\btasks? ({NAMES})\b")

EXCEPTIONS = {
    ("swiftlet/api/v1alpha1/loss_scale.py", "sft"),  # weights of answers' tokens, which are its own
    ("swiftlet/api/v1alpha1/finetunejob.py", "sft"),  # in the description of those
    ("swiftlet/api/v1alpha1/dataset.py", "rm"),  # whose rows a field is about, in its description
    ("swiftlet/api/v1alpha1/dataset.py", "sft"),
    ("swiftlet_trainer/data/keys.py", "dpo"),  # which task reads a column that others do not: remedies
    ("swiftlet_trainer/data/keys.py", "embedding"),
    ("swiftlet_trainer/data/keys.py", "kto"),
    ("swiftlet_trainer/data/keys.py", "rm"),
    ("swiftlet_trainer/artifact/writing.py", "embedding"),  # prompts and pooling, which only its artifacts keep
    ("swiftlet_trainer/preview/rows.py", "embedding"),  # what targets of rows are called
    ("swiftlet_trainer/preview/rows.py", "kto"),
    ("swiftlet_trainer/preview/rows.py", "reranker"),
    ("swiftlet_trainer/preview/rows.py", "rm"),
    ("swiftlet_trainer/preview/rows.py", "seq_cls"),
    ("swiftlet_trainer/models/reranker.py", "reranker"),  # the field to blame for its words
    ("swiftlet_trainer/serve/pooling_routes.py", "embedding"),  # OpenAI's word
}


def test_every_name_of_a_task_stands_in_its_own_modules() -> None:
    assert {(file, name) for file, name in mentions(named) if not file.startswith(OWN)} == EXCEPTIONS


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ('"""About task dpo in words."""', set()),
        ("block = document.task.dpo", {"dpo"}),
        ('kinds = ("kto", "rm")', {"kto", "rm"}),
        ('cel = "has(self.task.pretrain)"', {"pretrain"}),
        ('text = "use task sft for turns"', {"sft"}),
        ("from swiftlet.api.v1alpha1.tasks.dpo import Beta", set()),
    ],
)
def test_names_are_found_as_code_writes_them(code: str, names: set[str]) -> None:
    assert named(code) == names


def named(code: str) -> set[str]:
    """Tasks that the texts of a module name, docstrings aside, or whose block it takes."""
    nodes = list(ast.walk(ast.parse(code)))
    said = {name for text in texts_of(nodes) for found in WORDS.findall(text) for name in found if name}
    blocks = [node for node in nodes if isinstance(node, ast.Attribute) and node.attr in Task.model_fields]
    return said | {node.attr for node in blocks if getattr(node.value, "attr", getattr(node.value, "id", "")) == "task"}
