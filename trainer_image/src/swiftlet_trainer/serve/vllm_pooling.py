"""What vLLM has to be told of a model that makes vectors or scores of texts. How hidden states become a vector it reads
from the files that sentence-transformers has, and what scores are from config.json."""

import json
from pathlib import Path

from swiftlet.api.tasks import HeadName
from swiftlet.api.tasks.reranker import RerankerTask

from swiftlet_trainer.models.embedder import matryoshka_dims
from swiftlet_trainer.models.reranker import PairPrompt, read_pair_prompt
from swiftlet_trainer.models.scores import RELEVANCE, read_head


def pooling_arguments(model: Path, head: HeadName) -> list[str]:
    """The arguments for the model in the folder, which is used by `head`; none for one that answers."""
    if head == "tokens":
        return []
    dimensions = list(matryoshka_dims(model)) if head == "pool" else []
    overrides = ["--hf-overrides", json.dumps({"matryoshka_dimensions": dimensions})] if dimensions else []
    is_reranker = head == "score" and read_head(model) == RELEVANCE
    block = (read_pair_prompt(model) or PairPrompt()).block
    template = ["--chat-template", pair_template(block)] if is_reranker else []
    return ["--runner", "pooling", *overrides, *template]


def pair_template(block: RerankerTask) -> str:
    """The Jinja template that writes a query and a document as the reranker has learnt them. vLLM has the tokenizer
    begin and end what comes of it."""
    said = [json.dumps(one) for one in (block.query_prompt, block.document_prompt)]
    return "".join(f"{{{{ {prompt} }}}}{{{{ messages[{index}]['content'] }}}}" for index, prompt in enumerate(said))
