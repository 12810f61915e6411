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


def test_what_still_runs_is_imagined_to_reach_its_end() -> None:
    job = read_documents([EXAMPLE / "sft.yaml", EXAMPLE / "data.yaml"])
    running = next(one.object for one in job if one.kind == "FineTuneJob")
    metadata = {"namespace": "default", "generation": 1, "uid": "u", **running["metadata"]}
    stored = [{**running, "metadata": metadata, "status": {"observedGeneration": 1}}, job[-1].object]
    stored += [one.object for one in job if one.kind != "FineTuneJob"]
    next_ = read_documents([EXAMPLE / "dpo.yaml"], existing=stored)
    planned, _ = plan_documents(next_, stored)
    assert [(one.name, one.refusal) for one in planned] == [("finetunejob/polly", None)]
    assert planned[0].lineage[0]["fineTuneJob"] == "polly-sft"
