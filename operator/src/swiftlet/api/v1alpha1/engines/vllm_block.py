"""spec.engine.vllm: how vLLM uses its GPUs and its memory. Fields are named as vLLM's own arguments are."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from swiftlet.api.base import ApiModel, NamedRef, Positive, Rule, one_of
from swiftlet.api.v1alpha1.compute import GPUS
from swiftlet.api.v1alpha1.uris import MODEL_FORMS_MARKED, ModelUri

Size = Annotated[int, Field(ge=1, le=64)]
"""Of a group of GPUs: as many as compute.gpus may ask for."""
Items = Annotated[int, Field(ge=0, le=999)]

DRAFT_FIELD = "spec.engine.vllm.speculativeConfig.model"
KvCacheDtype = Literal["auto", "bfloat16", "float16", "fp8", "fp8_e4m3", "fp8_e5m2"]


class DraftModel(ApiModel):
    """The model that proposes tokens: smaller, with the same tokens, or an EAGLE head of the served model."""

    rules: ClassVar[tuple[Rule, ...]] = (one_of("fineTuneJobRef", "uri"),)

    fine_tune_job_ref: NamedRef | None = None
    uri: ModelUri | None = Field(None, description=f"{MODEL_FORMS_MARKED}.")


class SpeculativeConfig(ApiModel):
    """Several tokens are proposed cheaply, and the served model checks them in one step. Answers stay its own."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.method in ['ngram', 'mtp'] ? !has(self.model) : has(self.model)",
            "methods draft_model, eagle and eagle3 need a model, ngram and mtp have none: set or remove model",
            "model",
        ),
        Rule(
            "self.method == 'ngram' ? has(self.promptLookupMax) : !has(self.promptLookupMax)",
            "method ngram needs promptLookupMax, and no other has it: set or remove it",
            "promptLookupMax",
        ),
        Rule(
            "!has(self.promptLookupMin) || (has(self.promptLookupMax) && self.promptLookupMin <= self.promptLookupMax)",
            "promptLookupMin may be promptLookupMax at most, which must be set",
            "promptLookupMin",
        ),
    )

    method: Literal["ngram", "draft_model", "eagle", "eagle3", "mtp"] = Field(
        description="Who proposes: the text so far (ngram), a smaller model, an EAGLE head, or the prediction layers "
        "that the served model brings along (mtp)."
    )
    model: DraftModel | None = None
    num_speculative_tokens: Annotated[int, Field(ge=1, le=64)] = Field(description="Tokens that are proposed at once.")
    prompt_lookup_max: Annotated[int, Field(ge=1, le=64)] | None = Field(
        None, description="ngram: longest run of tokens that is looked up in the text so far."
    )
    prompt_lookup_min: Annotated[int, Field(ge=1, le=64)] | None = Field(
        None, description="ngram: shortest such run; as long as the longest when absent."
    )


class LimitMmPerPrompt(ApiModel):
    """How many items of each kind a request may hold, of a model that takes them."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("has(self.image) || has(self.video) || has(self.audio)", "set at least one of image, video, audio"),
    )

    image: Items | None = Field(None, description="Images.")
    video: Items | None = Field(None, description="Videos.")
    audio: Items | None = Field(None, description="Recordings.")


class Vllm(ApiModel):
    """What vLLM is started with. tensorParallelSize x pipelineParallelSize x dataParallelSize is compute.gpus."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.maxNumBatchedTokens) || !has(self.maxNumSeqs) || self.maxNumSeqs <= self.maxNumBatchedTokens",
            "maxNumSeqs may be maxNumBatchedTokens at most, since each sequence computes a token of a step",
            "maxNumSeqs",
        ),
    )

    tensor_parallel_size: Size | None = Field(
        None, description="GPUs that share each layer; what the other two sizes leave of compute.gpus when absent."
    )
    pipeline_parallel_size: Size | None = Field(
        None, description="Groups of GPUs that each hold a part of the layers; 1 when absent."
    )
    data_parallel_size: Size | None = Field(
        None, description="Copies of the model, each on GPUs of its own, that share the requests; 1 when absent."
    )
    enable_expert_parallel: bool | None = Field(
        None, description="Experts are spread over tensor and data parallel GPUs as a whole, instead of each in slices."
    )
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="Share of each GPU's memory for weights, activations and cache; vLLM's default when absent."
    )
    kv_cache_dtype: KvCacheDtype | None = Field(
        None, description="Number format of the key-value cache; the model's own when absent or auto."
    )
    enable_prefix_caching: bool | None = Field(
        None, description="Whether requests that begin alike share what was computed; vLLM's default when absent."
    )
    enable_chunked_prefill: bool | None = Field(
        None, description="Whether long prompts are computed in pieces beside answers; vLLM's default when absent."
    )
    max_num_batched_tokens: Positive | None = Field(
        None, description="Tokens that one step computes at most; vLLM's default when absent."
    )
    max_num_seqs: Annotated[int, Field(ge=1, le=65536)] | None = Field(
        None, description="Answers that one step works on at most; vLLM's default when absent."
    )
    speculative_config: SpeculativeConfig | None = None
    limit_mm_per_prompt: LimitMmPerPrompt | None = None


_VLLM = "has(self.engine) && has(self.engine.vllm)"
_PARTS = ("tensorParallelSize", "pipelineParallelSize", "dataParallelSize")
_T, _P, _D = (f"(has(self.engine.vllm.{part}) ? self.engine.vllm.{part} : 1)" for part in _PARTS)
_ON_GPUS = (*_PARTS, "enableExpertParallel", "gpuMemoryUtilization", "kvCacheDtype")
_HAS_SIZE = "has(self.engine.vllm.tensorParallelSize)"

GPU_RULES: tuple[Rule, ...] = (
    Rule(
        f"{GPUS} > 0 || !({_VLLM}) || !({' || '.join(f'has(self.engine.vllm.{name})' for name in _ON_GPUS)})",
        f"{', '.join(_ON_GPUS)} of engine.vllm are for GPUs: set compute.gpus, or remove them",
        "engine.vllm",
    ),
    Rule(
        f"{GPUS} == 0 || !({_VLLM}) || ({_HAS_SIZE} ? {_T} * {_P} * {_D} == {GPUS} : {GPUS} % ({_P} * {_D}) == 0)",
        f"{' x '.join(_PARTS)} of engine.vllm must be compute.gpus; without tensorParallelSize, the other two must"
        " divide it",
        "engine.vllm",
        figures=f"({_HAS_SIZE} ? string({_T}) + ' x ' : '') + string({_P}) + ' x ' + string({_D}) + ' is '"
        f" + string({_T} * {_P} * {_D}) + ', compute.gpus is ' + string({GPUS})",
    ),
    Rule(
        f"{GPUS} == 0 || !({_VLLM}) || !has(self.engine.vllm.enableExpertParallel)"
        f" || !self.engine.vllm.enableExpertParallel || {GPUS} > {_P}",
        "enableExpertParallel of engine.vllm spreads experts over tensor and data parallel GPUs: there must be two or"
        " more, so set compute.gpus above pipelineParallelSize, or remove it",
        "engine.vllm",
    ),
)
"""Of a ModelDeployment's spec: what engine.vllm and compute.gpus say of each other."""

ENGINE_RULES: tuple[Rule, ...] = (
    Rule(
        "!has(self.vllm) || !has(self.vllm.enableChunkedPrefill) || self.vllm.enableChunkedPrefill"
        " || !has(self.vllm.maxNumBatchedTokens) || !has(self.maxModelLength)"
        " || self.maxModelLength <= self.vllm.maxNumBatchedTokens",
        "vllm.maxNumBatchedTokens must be maxModelLength or more without chunked prefill, since a prompt is"
        " computed in one step",
        "vllm",
    ),
)
"""Of `spec.engine`."""
