"""Ids that a tokenizer has and the embedding has not."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.models.vocabulary import embedding_rows, id_problem, padding_id


@pytest.fixture
def longer(tokenizer: Any) -> Any:
    """The tokenizer with two tokens more than the model has rows."""
    own = copy.deepcopy(tokenizer)
    own.add_tokens(["<sql>", "</sql>"])
    return own


@pytest.mark.parametrize(
    ("config", "rows"),
    [({"vocab_size": 7}, 7), ({"vocab_size": 7, "text_config": {"vocab_size": 9}}, 9), ({"text_config": {}}, None)],
)
def test_rows_are_those_of_the_text_model(tmp_path: Path, config: dict[str, Any], rows: int | None) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert embedding_rows(tmp_path) == rows


def test_both_sizes_are_named(longer: Any) -> None:
    problem = str(id_problem(49152, 49152, longer))
    assert "'<sql>' of id 49152" in problem and "ids up to 49153" in problem and "49152 rows" in problem
    assert id_problem(49151, 49152, longer) is None, "tokens that no text has do no harm"
    assert id_problem(49152, None, longer) is None


def test_padding_is_never_beyond_the_embedding(longer: Any) -> None:
    assert padding_id(longer, 49152) == longer.pad_token_id
    longer.pad_token = "<sql>"
    assert padding_id(longer, 49152) == 0
    assert padding_id(longer, 49154) == 49152


@pytest.fixture
def added(pod: Any, smollm2: Path, longer: Any, chat: Any) -> Any:
    """A document of that tokenizer, and a chat that uses one of its tokens."""
    folder = pod.root / "swiftlet/models/longer"
    folder.mkdir()
    for file in smollm2.iterdir():
        (folder / file.name).symlink_to(file)
    for file in folder.glob("tokenizer*"):
        file.unlink()
    longer.save_pretrained(folder)
    data = pod.data("rows.jsonl", [chat("Hi", "Yes."), chat("Count them.", "<sql>select 1</sql>")])
    return pod.document(data, model={"uri": "hf://org/longer", "path": "/swiftlet/models/longer"})


@pytest.mark.parametrize("verb", ["prepare", "validate"])
def test_training_data_with_such_a_token_is_refused_before_training(pod: Any, added: Any, verb: str) -> None:
    from importlib import import_module

    with pytest.raises(InvalidInput, match=r"hf://org/longer: the text has token '</sql>' of id 49153, .*49152 rows"):
        import_module(f"swiftlet_trainer.verbs.{verb}").run(pod.job(added))
