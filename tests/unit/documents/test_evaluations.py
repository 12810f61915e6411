from collections.abc import Callable
from pathlib import Path

import pytest
from swiftlet.documents import read_documents

Write = Callable[[str, str], Path]
Refusal = Callable[..., list[str]]

RUN = """
apiVersion: swiftlet.dev/v1alpha1
kind: EvalRun
metadata: {{name: run}}
spec:
  target: {{model: {{uri: "hf://org/name"}}}}
  suites:
    - generation: {{uri: "pvc://c/a.jsonl", metrics: [contains, rouge_l]}}
    - {{name: second, generation: {{uri: "pvc://c/b.jsonl"}}}}
    - perplexity: {{uri: "pvc://c/c.jsonl"}}
    - multipleChoice: {{uri: "pvc://c/d.jsonl"}}
  gates: [{gate}]
"""


@pytest.mark.parametrize(
    "gate",
    [
        "{metric: contains, suite: second, min: 1}",
        "{metric: rouge_l, min: 1}",
        "{metric: perplexity, suite: perplexity, max: 1}",
        "{metric: accuracy, suite: multiple-choice, min: 1}",
    ],
)
def test_a_gate_that_names_one_figure_is_fine(write: Write, gate: str) -> None:
    assert read_documents([write("a.yaml", RUN.format(gate=gate))])


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        (
            "{metric: contains, min: 1}",
            'metric: "contains" is reported by several suites: generation, second; set suite to one of them',
        ),
        (
            "{metric: exact_match, min: 1}",
            'metric: "exact_match" is not reported by any suite; reported are accuracy, contains, perplexity, rouge_l',
        ),
        (
            "{metric: rouge_l, suite: second, min: 1}",
            'metric: "rouge_l" is not reported by suite second; reported are contains; add the metric',
        ),
        ("{metric: contains, suite: secnd, min: 1}", 'suite: "secnd" names no suite; did you mean second?'),
        (
            "{metric: contains, suite: zzz, min: 1}",
            'suite: "zzz" names no suite; the suites are generation, second, perplexity, multiple-choice',
        ),
    ],
)
def test_a_gate_that_names_no_figure_or_several_is_refused(
    write: Write, refusal: Refusal, gate: str, said: str
) -> None:
    (line,) = refusal(write("a.yaml", RUN.format(gate=gate)))
    assert line.startswith(f"a.yaml:11: spec.gates[0].{said}")


def test_two_suites_of_one_name_are_refused(write: Write, refusal: Refusal) -> None:
    text = RUN.format(gate="{metric: contains, min: 1}").replace("name: second, ", "")
    assert refusal(write("a.yaml", text)) == [
        "a.yaml:8: spec.suites[1]: is the second suite called generation; set name, so that results can tell them apart"
    ]
