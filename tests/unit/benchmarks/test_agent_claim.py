"""What is said of the arms of the claim."""

import json
from pathlib import Path

from agent_claim import ARMS, EXAMPLES, FIGURES, STEPS, Kept, documents, figures_of, over_seeds, table

RUN = {(steps, figure): [0.0, 1.0] * 20 for steps in STEPS for figure in FIGURES}
BETTER = {key: [1.0, 1.0] * 20 for key in RUN}


def test_an_arm_differs_from_the_others_by_its_data_or_its_template_only(tmp_path: Path) -> None:
    jobs = {arm: documents(arm, 3, 1, tmp_path)[0]["spec"] for arm in ARMS}
    assert len({json.dumps({**job, "template": None, "datasets": None}, sort_keys=True) for job in jobs.values()}) == 1
    assert jobs["chats"]["datasets"] != jobs["default"]["datasets"] == jobs["react"]["datasets"]
    assert [job.get("template", {}).get("lossScale") for job in jobs.values()] == [None, None, ["react"], ["agentflan"]]
    assert jobs["react"]["training"]["seed"] == 3


def test_documents_are_those_of_the_examples_with_rows_from_a_folder(tmp_path: Path) -> None:
    assert sorted(folder.name for folder in EXAMPLES.iterdir()) == sorted(ARMS)
    for arm in ARMS:
        job, run = documents(arm, 1, 0.16, tmp_path)
        uris = [one["uri"] for one in job["spec"]["datasets"]]
        uris += [suite["toolCalling"]["uri"] for suite in run["spec"]["suites"]]
        names = ["chats" if arm == "chats" else "train", *STEPS]
        assert uris == [str(tmp_path / f"{name}.jsonl") for name in names]
        assert run["spec"]["target"] == {"fineTuneJobRef": {"name": arm}} and job["metadata"]["name"] == arm


def test_figures_are_of_the_steps_that_they_are_about() -> None:
    rows = [
        {"suite": "tools", "metrics": {"act_em": 1, "plan_em": 1}},
        {"suite": "tools", "metrics": {"plan_em": 0, "rouge_l": 0.5}},
    ]
    found = figures_of([json.dumps(row) for row in rows])
    assert found == {("tools", "act_em"): [1.0], ("tools", "plan_em"): [1.0, 0.0]}


def test_seeds_are_averaged_step_by_step() -> None:
    assert over_seeds([{("tools", "act_em"): [0.0, 1.0]}, {("tools", "act_em"): [1.0, 1.0]}]) == {
        ("tools", "act_em"): [0.5, 1.0]
    }


def test_the_table_has_differences_with_their_intervals() -> None:
    lines = table({"default": [RUN, RUN], "react": [BETTER, RUN]}).splitlines()
    assert lines[0] == "| steps | figure | n | default | react |"
    assert len(lines) == 2 + len(STEPS) * len(FIGURES)
    assert lines[2].startswith("| phrases | act_em | 40 | 50.0 | 75.0 (+25.0; +")


def test_what_runs_gave_is_kept_by_their_settings_and_the_last_counts(tmp_path: Path) -> None:
    kept, others = (Kept(tmp_path / "figures.jsonl", settings) for settings in ("many rows", "few rows"))
    assert kept.of("react-1") is None
    kept.put("react-1", BETTER)
    kept.put("react-1", RUN)
    others.put("react-1", BETTER)
    assert (kept.of("react-1"), kept.of("react-2"), others.of("react-1")) == (RUN, None, BETTER)
