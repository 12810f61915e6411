"""A whole GGUF file, tiny and random, written by the reference writer and converted back."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from swiftlet_trainer.models.gguf import convert, read_metadata

HIDDEN, HEADS, LAYERS, INNER = 32, 4, 2, 64


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory, smollm2: Path) -> Path:
    """A llama of a few thousand weights with the real vocabulary's first tokens."""
    import json

    from gguf import GGUFWriter

    vocabulary = json.loads((smollm2 / "tokenizer.json").read_text())["model"]["vocab"]
    tokens = [token for token, number in sorted(vocabulary.items(), key=lambda item: item[1]) if number < 300]
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    writer = GGUFWriter(path, "llama")
    writer.add_block_count(LAYERS)
    writer.add_context_length(128)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if number < 17 else 1 for number in range(len(tokens))])
    writer.add_token_merges(["Ġ t", "h e"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(0)
    for name, shape in shapes(len(tokens)).items():
        writer.add_tensor(name, weights(name, shape))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def shapes(vocabulary: int) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {"token_embd.weight": (vocabulary, HIDDEN), "output_norm.weight": (HIDDEN,)}
    for layer in range(LAYERS):
        at = f"blk.{layer}."
        found |= {f"{at}{name}.weight": (HIDDEN, HIDDEN) for name in ("attn_q", "attn_k", "attn_v", "attn_output")}
        found |= {f"{at}{name}.weight": (HIDDEN,) for name in ("attn_norm", "ffn_norm")}
        found |= {f"{at}{name}.weight": (INNER, HIDDEN) for name in ("ffn_gate", "ffn_up")}
        found[f"{at}ffn_down.weight"] = (HIDDEN, INNER)
    return found


def weights(name: str, shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(sum(name.encode())).standard_normal(shape).astype(np.float32)


def test_conversion_keeps_weights_and_token_ids(file: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = tmp_path / "converted"
    metadata = convert(file, folder)
    assert (metadata.eos_token_id, metadata.padding_token_id, metadata.context_length) == (2, 0, 128)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    down = model.model.layers[1].mlp.down_proj.weight
    assert torch.equal(down, torch.from_numpy(weights("blk.1.ffn_down.weight", (HIDDEN, INNER))))
    assert not hasattr(model.config, "quantization_config")
    assert (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id) == (1, 2, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["converted"], "nothing half-made is left"


def test_failed_conversion_leaves_nothing(file: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(ValueError):
        convert(cut, tmp_path / "converted")
    assert [path.name for path in tmp_path.iterdir()] == ["cut.gguf"]


def test_file_without_a_tokenizer(tmp_path: Path) -> None:
    from gguf import GGUFWriter

    writer = GGUFWriter(tmp_path / "bare.gguf", "llama")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(ValueError, match="no tokenizer in this GGUF file"):
        read_metadata(tmp_path / "bare.gguf")
