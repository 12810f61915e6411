from collections.abc import Callable
from pathlib import Path

import pytest
from swiftlet.documents import read_documents

Write = Callable[[str, str], Path]
Refusal = Callable[..., list[str]]

CHAIN = """
apiVersion: swiftlet.dev/v1alpha1
kind: FineTuneJob
metadata: {{name: dpo}}
spec:
  {child}
  datasets: [{{uri: "pvc://c/a.jsonl"}}]
---
apiVersion: swiftlet.dev/v1alpha1
kind: FineTuneJob
metadata: {{name: sft}}
spec:
  {parent}
  datasets: [{{uri: "pvc://c/a.jsonl"}}]
"""
FROM = "model: {fineTuneJobRef: {name: sft}}"
MERGED = "model: {fineTuneJobRef: {name: sft}, mergeAdapter: true}"
FIRST = 'model: {uri: "hf://o/n"}'
EIGHT = f"{FIRST}\n  tuner: {{lora: {{rank: 8}}}}"
FULL = f"{FIRST}\n  tuner: {{full: {{}}}}"


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        (FROM, EIGHT),
        (f"{FROM}\n  tuner: {{lora: {{rank: 8, alpha: 16, dropout: 0.1}}}}", EIGHT),
        (
            f"{FROM}\n  tuner: {{lora: {{targetModules: [v, k]}}}}",
            f"{FIRST}\n  tuner: {{lora: {{targetModules: [k, v]}}}}",
        ),
        (f"{MERGED}\n  tuner: {{full: {{}}}}", EIGHT),
        (f"{MERGED}\n  tuner: {{lora: {{rank: 4}}}}", EIGHT),
        (f"{FROM}\n  tuner: {{lora: {{rank: 4}}}}", FULL),
        (f"{FROM}\n  tuner: {{full: {{}}}}", FULL),
        (f"{MERGED}\n  task: {{rm: {{}}}}", EIGHT),
    ],
)
def test_what_goes_together(write: Write, child: str, parent: str) -> None:
    assert len(read_documents([write("a.yaml", CHAIN.format(child=child, parent=parent))])) == 2


@pytest.mark.parametrize(
    ("child", "parent", "said"),
    [
        (
            f"{FROM}\n  tuner: {{lora: {{rank: 4, alpha: 32}}}}",
            EIGHT,
            [
                "a.yaml:6: spec.tuner.lora.rank: is 4, the adapter's 8, and an adapter that is trained further keeps"
                " its shape; leave tuner out, or set spec.model.mergeAdapter to true for a new adapter",
                "a.yaml:6: spec.tuner.lora.alpha: is 32, the adapter's 16, and an adapter that is trained further keeps"
                " its shape; leave tuner out, or set spec.model.mergeAdapter to true for a new adapter",
            ],
        ),
        (
            f"{FROM}\n  tuner: {{lora: {{useDora: true, targetModules: [q]}}}}",
            FIRST,
            [
                "a.yaml:6: spec.tuner.lora.targetModules: is q, the adapter's all-linear, and an adapter that is"
                " trained further keeps its shape; leave tuner out, or set spec.model.mergeAdapter to true for a new"
                " adapter",
                "a.yaml:6: spec.tuner.lora.useDora: is true, the adapter's false, and an adapter that is trained"
                " further keeps its shape; leave tuner out, or set spec.model.mergeAdapter to true for a new adapter",
            ],
        ),
        (
            f"{FROM}\n  tuner: {{full: {{}}}}",
            EIGHT,
            [
                "a.yaml:5: spec.model.fineTuneJobRef.name: names a job that makes an adapter, and tuner.full trains all"
                " weights of a model; set spec.model.mergeAdapter to true, or leave tuner out"
            ],
        ),
        (
            FROM,
            f"{FIRST}\n  task: {{rm: {{}}}}",
            [
                'a.yaml:5: spec.model.fineTuneJobRef.name: "sft" makes scores of texts (task rm), and task sft needs'
                " log-probabilities; start from the model that it was made from"
            ],
        ),
        (
            MERGED,
            FULL,
            [
                "a.yaml:5: spec.model.mergeAdapter: is about an adapter, and FineTuneJob sft trains all weights"
                " (tuner.full); leave it out"
            ],
        ),
    ],
)
def test_what_does_not_is_told_at_the_document(
    write: Write, refusal: Refusal, child: str, parent: str, said: list[str]
) -> None:
    assert refusal(write("a.yaml", CHAIN.format(child=child, parent=parent))) == said


def test_the_shape_is_handed_down_a_chain(write: Write, refusal: Refusal) -> None:
    third = 'model: {fineTuneJobRef: {name: dpo}}\n  tuner: {lora: {rank: 4}}\n  datasets: [{uri: "pvc://c/a.jsonl"}]'
    job = f"---\napiVersion: swiftlet.dev/v1alpha1\nkind: FineTuneJob\nmetadata: {{name: last}}\nspec:\n  {third}\n"
    (rank, alpha) = refusal(write("a.yaml", CHAIN.format(child=FROM, parent=EIGHT) + job))
    assert "rank: is 4, the adapter's 8" in rank and "alpha: is 8, the adapter's 16" in alpha


def test_nothing_of_a_whole_model_is_taken_over(write: Write) -> None:
    third = 'model: {fineTuneJobRef: {name: dpo}}\n  tuner: {lora: {rank: 16}}\n  datasets: [{uri: "pvc://c/a.jsonl"}]'
    job = f"---\napiVersion: swiftlet.dev/v1alpha1\nkind: FineTuneJob\nmetadata: {{name: last}}\nspec:\n  {third}\n"
    assert len(read_documents([write("a.yaml", CHAIN.format(child=FROM, parent=FULL) + job)])) == 3


def test_a_ring_is_refused_and_named(write: Write, refusal: Refusal) -> None:
    back = "model: {fineTuneJobRef: {name: dpo}}"
    assert refusal(write("a.yaml", CHAIN.format(child=FROM, parent=back))) == [
        "a.yaml:5: spec.model.fineTuneJobRef.name: is part of a reference cycle: FineTuneJob/dpo → FineTuneJob/sft →"
        " FineTuneJob/dpo; take one reference out"
    ]


def test_a_job_that_starts_from_itself_is_refused(write: Write, refusal: Refusal) -> None:
    own = CHAIN.format(child="model: {fineTuneJobRef: {name: dpo}}", parent=FIRST)
    assert any("is the job's own" in line for line in refusal(write("a.yaml", own)))


def test_a_job_that_does_not_exist_is_told_with_the_nearest_name(write: Write, refusal: Refusal) -> None:
    (said,) = refusal(write("a.yaml", CHAIN.format(child="model: {fineTuneJobRef: {name: sfd}}", parent=FIRST)))
    assert 'spec.model.fineTuneJobRef.name: "sfd" names a FineTuneJob that does not exist; did you mean sft?' in said
