"""The transformers engine with its model, adapters and head, from their files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from swiftlet.api.v1alpha1.engines.registry import other_engines
from swiftlet.api.v1alpha1.tasks.block import HeadName

from swiftlet_trainer.evaluate.generation import padding_token
from swiftlet_trainer.evaluate.scores import head_of
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.hardware import compute_dtype
from swiftlet_trainer.models.adapters import AdapterSource, with_adapters
from swiftlet_trainer.models.causal import load_backbone, load_causal, load_scored
from swiftlet_trainer.models.embedder import AS_DEFAULT, matryoshka_dims, read_embedder
from swiftlet_trainer.models.made import served_head
from swiftlet_trainer.models.reranker import PairPrompt, read_pair_prompt
from swiftlet_trainer.models.scores import RELEVANCE, ScoreHead, read_head
from swiftlet_trainer.serve.agents import agents_of
from swiftlet_trainer.serve.pooling_engine import PoolingEngine
from swiftlet_trainer.serve.pooling_heads import PoolingHead, Scores, Vectors
from swiftlet_trainer.serve.transformers_engine import TransformersEngine
from swiftlet_trainer.templates.prompt_template import UnsuitableTemplateError
from swiftlet_trainer.training.probe import agree, probe_tokens

BATCH_SIZE = 64
"""Texts of one pass at most."""
PROBE_TOKENS = 8


def load_engine(
    folder: Path,
    model_names: Sequence[str],
    adapters: Mapping[str, Path],
    max_length: int,
    use_gpu: bool,
    agent: str | None = None,
) -> TransformersEngine | PoolingEngine:
    """The engine with the model in `folder` and adapters by served name. agent: the agent template that was chosen for
    all of them. Raises InvalidInput where they do not fit."""
    from transformers import AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    head = served_head(folder, list(adapters.values()))
    scores = read_head(folder, next(iter(adapters.values()), None))
    model = _loaded(folder, head, scores, use_gpu)
    # PEFT's names are module names: they may not hold the dots that a served name may.
    keys = {name: f"adapter{number}" for number, name in enumerate(adapters)}
    sources = [AdapterSource(keys[name], path, f"adapter {name}") for name, path in adapters.items()]
    model = with_adapters(model, sources, base=str(folder)).eval()
    if head == "tokens":
        agents = agents_of(folder, list(model_names), adapters, agent)
        try:
            return TransformersEngine(model, tokenizer, model_names, keys, max_length, agents=agents)
        except UnsuitableTemplateError as error:
            raise InvalidInput([str(error)]) from None
    if tokenizer.pad_token is None:  # as training and evaluation have it
        tokenizer.pad_token = tokenizer.eos_token
    pooling = _head(folder, model_names, adapters, scores, model, tokenizer)
    return PoolingEngine(model, tokenizer, model_names, keys, max_length, pooling)


def _loaded(folder: Path, head: HeadName, scores: ScoreHead | None, use_gpu: bool) -> Any:
    dtype = compute_dtype(use_gpu)
    if head == "score":
        assert scores  # noqa: S101
        model = load_scored(folder, dtype, scores.labels, scores.problem_type)
        if head_of(model) is None:
            what = f"model in {folder}: {type(model).__name__} scores texts in a way that is not computed here"
            others = other_engines("transformers")
            raise InvalidInput([f"{what}; set spec.engine.name to {others}, or use another model"])
    else:
        model = (load_backbone if head == "pool" else load_causal)(folder, dtype)
    return model.to("cuda" if use_gpu else "cpu")


def _head(
    folder: Path,
    model_names: Sequence[str],
    adapters: Mapping[str, Path],
    scores: ScoreHead | None,
    model: Any,
    tokenizer: Any,
) -> PoolingHead:
    pad_id = padding_token(model, tokenizer)
    batch_size = BATCH_SIZE if _takes_padding(model) else 1
    folders = {**dict.fromkeys(model_names, folder), **adapters}
    if scores:
        prompts = {name: read_pair_prompt(one) or PairPrompt() for name, one in folders.items()}
        rerankers = prompts if scores == RELEVANCE else {}
        return Scores(tokenizer, scores, rerankers, pad_id, batch_size)
    # A base that says nothing is beside its adapters to be compared with them: it makes vectors in the first one's way.
    first = next(iter(adapters.values()), folder)
    ways = {name: read_embedder(one) or read_embedder(first) or AS_DEFAULT for name, one in folders.items()}
    dimensions = {name: matryoshka_dims(one) for name, one in folders.items()}
    return Vectors(tokenizer, ways, dimensions, pad_id, batch_size)


@torch.inference_mode()
def _takes_padding(model: Any) -> bool:
    """Whether what comes behind a text changes nothing of it: not where attention looks ahead."""
    backbone = (model.get_base_model() if hasattr(model, "get_base_model") else model).base_model
    tokens = probe_tokens(backbone, PROBE_TOKENS)
    half = tokens[:, : PROBE_TOKENS // 2]
    whole, alone = (backbone(input_ids=ids).last_hidden_state[:, : half.shape[1]].float() for ids in (tokens, half))
    return agree(backbone, whole, alone)
