"""Kernels refuse what they do not compute."""

from typing import Any

import pytest
import torch
from swiftlet_trainer.training.attention import ROW_BY_ROW, keep_rows_apart
from swiftlet_trainer.training.attention_options import require_plain
from swiftlet_trainer.training.row_by_row import row_by_row

ASKED: list[dict[str, Any]] = [
    {"softcap": 50.0},
    {"s_aux": torch.zeros(4)},
    {"sliding_window": 4},
    {"is_causal": False},
    {"dropout": 0.1},
    {"position_bias": torch.zeros(1)},
    {"of_a_later_version": "on"},
]
PLAIN: list[dict[str, Any]] = [
    {},
    {"softcap": None, "s_aux": None, "dropout": 0.0, "output_attentions": False, "is_causal": True},
    {"sliding_window": 6},
    {
        "cu_seq_lens_q": torch.tensor([0, 6]),
        "cu_seq_lens_k": torch.tensor([0, 6]),
        "max_length_q": 6,
        "use_cache": True,
    },
]


def attend(options: dict[str, Any], mask: torch.Tensor | None = None) -> Any:
    heads = torch.randn(1, 4, 6, 8)
    return row_by_row(torch.nn.Module(), heads, heads, heads, mask, position_ids=torch.arange(6)[None], **options)


@pytest.mark.parametrize("options", ASKED, ids=lambda options: next(iter(options)))
def test_what_is_not_computed_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"knows nothing of {next(iter(options))}"):
        attend(options)


@pytest.mark.parametrize("options", PLAIN)
def test_what_asks_for_nothing_is_not(options: dict[str, Any]) -> None:
    attend(options)


def test_a_mask_and_layers_that_see_ahead_are_refused() -> None:
    with pytest.raises(ValueError, match="knows nothing of attention_mask"):
        attend({}, mask=torch.ones(1, 1, 6, 6))
    ahead = torch.nn.Module()
    ahead.is_causal = False  # type: ignore[assignment]
    with pytest.raises(ValueError, match="is_causal"):
        require_plain(ahead, None, {}, 6)
    require_plain(ahead, None, {"is_causal": True}, 6)


SMALL = {
    "vocab_size": 300, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 8, "pad_token_id": 0, "num_local_experts": 4,
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("Gemma2", {"attn_logit_softcapping": 1000.0}),
        ("GptOss", {}),
        ("Cohere2", {"sliding_window": 16}),
    ],
)
def test_architectures_that_ask_for_more_keep_their_own_attention(name: str, settings: dict[str, Any]) -> None:
    """Whatever the few tokens of a trial show: a cap of 1000 changes nothing that is seen there."""
    import transformers

    torch.manual_seed(0)
    config = getattr(transformers, f"{name}Config")(**SMALL, **settings)
    model = transformers.AutoModelForCausalLM.from_config(config)
    own = model.config._attn_implementation
    assert not keep_rows_apart(model, ROW_BY_ROW, 64)
    assert model.config._attn_implementation == own


def test_a_models_own_cap_on_scores_is_computed(tmp_path: Any) -> None:
    import transformers
    from swiftlet_trainer.models.causal import load_causal

    config = transformers.Gemma2Config(**SMALL, attn_logit_softcapping=0.01, query_pre_attn_scalar=1)
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    for layer in model.model.layers:
        layer.self_attn.q_proj.weight.data *= 100
    model.save_pretrained(tmp_path)
    ids = torch.arange(3, 20)[None]
    with torch.no_grad():
        torch.testing.assert_close(load_causal(tmp_path, torch.float32)(ids).logits, model.eval()(ids).logits)
        plain = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, attn_implementation="sdpa")
        assert not torch.allclose(plain(ids).logits, model(ids).logits, atol=1e-3)
