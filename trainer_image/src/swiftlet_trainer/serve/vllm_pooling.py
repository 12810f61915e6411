"""What vLLM has to be told of a model that makes vectors or scores of texts. How hidden states become a vector it reads
from the files that sentence-transformers has, and what scores are from config.json."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from swiftlet.api.v1alpha1.tasks.block import HeadName
from swiftlet.api.v1alpha1.tasks.reranker import RerankerTask

from swiftlet_trainer.models.embedder import AS_DEFAULT, Embedder, matryoshka_dims, read_embedder
from swiftlet_trainer.models.made import MADE
from swiftlet_trainer.models.reranker import PairPrompt, read_pair_prompt
from swiftlet_trainer.models.scores import RELEVANCE, read_head


def head_problems(adapters: Mapping[str, Path], head: HeadName) -> list[str]:
    """Why vLLM cannot put adapters on a model that does not answer. Those of scores bring a layer that vLLM looks for
    in the base's files; vectors of one server are pooled in one way."""
    if head == "score":
        return [f"adapter {name}: vllm has none that {MADE[head]}" for name in adapters]
    ways = {name: read_embedder(folder) for name, folder in adapters.items()} if head == "pool" else {}
    first = next(iter(ways), "")
    return [
        f"adapter {name}: its vectors are pooled otherwise than those of adapter {first}, which vllm cannot do at once"
        for name, way in ways.items()
        if _pooling(way) != _pooling(ways[first])
    ]


def pooling_arguments(model: Path, head: HeadName, adapters: Sequence[Path] = ()) -> list[str]:
    """The arguments for the model in the folder with adapters of it, used by `head`; none for one that answers."""
    if head == "tokens":
        return []
    said: list[str] = []
    first = adapters[0] if adapters else model
    if head == "pool" and adapters:
        said += ["--pooler-config", json.dumps({"seq_pooling_type": _pooling(read_embedder(first))})]
    if head == "pool" and (dimensions := matryoshka_dims(first)):
        said += ["--hf-overrides", json.dumps({"matryoshka_dimensions": list(dimensions)})]
    if head == "score" and read_head(model) == RELEVANCE:
        said += ["--chat-template", pair_template((read_pair_prompt(model) or PairPrompt()).block)]
    return ["--runner", "pooling", *said]


def _pooling(way: Embedder | None) -> str:
    """As vLLM calls it."""
    return (way or AS_DEFAULT).pooling.upper()


def pair_template(block: RerankerTask) -> str:
    """The Jinja template that writes a query and a document as the reranker has learnt them. vLLM has the tokenizer
    begin and end what comes of it."""
    said = [json.dumps(one) for one in (block.query_prompt, block.document_prompt)]
    return "".join(f"{{{{ {prompt} }}}}{{{{ messages[{index}]['content'] }}}}" for index, prompt in enumerate(said))
