"""What vLLM's server is told of a document's `spec.engine.vllm`."""

from swiftlet.api.v1alpha1.engines.vllm_block import Vllm
from swiftlet.wire.documents import ResolvedModel, ResolvedVllm


def resolved_vllm(asked: Vllm | None, gpus: int, draft: ResolvedModel | None) -> ResolvedVllm | None:
    """Without a word about it, all GPUs of a pod share each layer."""
    if asked is None and gpus <= 1:
        return None
    resolved = ResolvedVllm.model_validate(asked.document() if asked else {})
    if gpus > 1 and resolved.tensor_parallel_size is None:
        groups = (resolved.pipeline_parallel_size or 1) * (resolved.data_parallel_size or 1)
        resolved.tensor_parallel_size = gpus // groups
    resolved.draft = draft
    return resolved
