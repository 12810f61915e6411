from pathlib import Path

from swiftlet.cli.acting.planning import plan_documents
from swiftlet.cli.acting.planreport import text_of
from swiftlet.documents import read_documents

EXAMPLE = Path(__file__).parents[4] / "examples" / "chain"


def test_a_chain_is_planned_from_its_first_job_on_whatever_comes_first_in_the_files() -> None:
    files = [EXAMPLE / f"{name}.yaml" for name in ("modeldeployment", "evalrun", "dpo", "sft", "data")]
    planned, _ = plan_documents(read_documents(files), [])
    assert [one.name for one in planned] == [
        "finetunejob/polly-sft",
        "finetunejob/polly",
        "evalrun/polly",
        "modeldeployment/polly",
    ]
    assert not any(one.refusal for one in planned)
    first = "hf://HuggingFaceTB/SmolLM2-135M-Instruct"
    assert planned[1].job_document["model"]["uri"] == first
    said = text_of(planned[1], None)
    assert "after       finetunejob/polly-sft" in said
    assert f"starts from the adapter of polly-sft, trained further, made from {first}" in said
