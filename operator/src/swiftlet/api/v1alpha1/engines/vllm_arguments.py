"""Arguments of vLLM's command line that documents may carry, and those that none may, whoever allows them."""

from collections.abc import Mapping

from swiftlet.api.v1alpha1.engines.vllm_block import Vllm

ALLOWED = frozenset(
    {
        "--async-scheduling",
        "--attention-backend",
        "--block-size",
        "--cpu-offload-gb",
        "--cudagraph-capture-sizes",
        "--disable-cascade-attn",
        "--disable-custom-all-reduce",
        "--disable-fastapi-docs",
        "--disable-log-stats",
        "--disable-sliding-window",
        "--dtype",
        "--enable-auto-tool-choice",
        "--enable-force-include-usage",
        "--enable-prompt-tokens-details",
        "--enable-request-id-headers",
        "--enforce-eager",
        "--exclude-tools-when-tool-choice-none",
        "--fully-sharded-loras",
        "--kv-cache-memory-bytes",
        "--language-model-only",
        "--logprobs-mode",
        "--long-prefill-token-threshold",
        "--lora-dtype",
        "--max-cudagraph-capture-size",
        "--max-log-len",
        "--max-logprobs",
        "--max-num-queued-reqs",
        "--mm-processor-cache-gb",
        "--num-gpu-blocks-override",
        "--optimization-level",
        "--override-generation-config",
        "--prefix-caching-hash-algo",
        "--quantization",
        "--reasoning-parser",
        "--response-role",
        "--return-tokens-as-token-ids",
        "--scheduling-policy",
        "--seed",
        "--stream-interval",
        "--tool-call-parser",
        "--uvicorn-log-level",
    }
)
"""How fast it computes, how much memory it takes, how it answers. None names code, a file or a host."""

_CODE = "it loads program code, which is never taken from a document"
_PARTS = "it holds an import path among other things, so that it loads program code"
_FILE = "it reads a file of the pod that may name program code"

FIELDS = {
    f"--{name.replace('_', '-')}": f"set spec.engine.vllm.{field.alias}" for name, field in Vllm.model_fields.items()
}
"""Flags that the document has fields for, which are named alike."""

REFUSED: Mapping[str, str] = {
    **FIELDS,
    "--model": "set spec.model",
    "--tokenizer": "the model's own is used",
    "--hf-config-path": "the model's own is used",
    "--generation-config": "the model's own is used",
    "--host": "the pod's address is used",
    "--port": "set spec.api.port",
    "--uds": "clients and probes connect by spec.api.port",
    "--root-path": "clients and probes know the API by its own paths",
    "--api-key": "set spec.api.apiKey, which keeps the key out of documents and logs",
    "--hf-token": "set spec.hub of the ComputeProfile, which keeps the token out of documents and logs",
    "--served-model-name": "set spec.api.servedName and spec.api.baseServedName",
    "--lora-modules": "set spec.adapters",
    "--default-mm-loras": "set spec.adapters",
    "--enable-lora": "it follows from spec.adapters",
    "--max-lora-rank": "it follows from the adapters",
    "--max-loras": "it follows from spec.adapters",
    "--max-cpu-loras": "it follows from spec.adapters",
    "--max-model-len": "set spec.engine.maxModelLength",
    "--shutdown-timeout": "it follows from the pod's grace period",
    "--config": "write its arguments into spec.engine.args",
    "--headless": "the pod serves the API",
    "--grpc": "clients and probes speak HTTP",
    "--ssl-keyfile": "probes speak plain HTTP; terminate TLS in front of the Service",
    "--ssl-certfile": "probes speak plain HTTP; terminate TLS in front of the Service",
    "--trust-remote-code": "program code of a model is never run",
    "--code-revision": "program code of a model is never run",
    "--trust-request-chat-template": "templates of requests are never run",
    "--trust-request-mm-kwargs": "requests choose no program code",
    "--tokenizer-mode": "the model's own is used",
    "--hf-overrides": "it may name program code; the model's configuration is used as it is",
    "--model-class-overrides": _CODE,
    "--model-impl": "vllm chooses the implementation",
    "--config-format": "the model's own is used",
    "--load-format": "weights are read from safetensors; other formats run code when they are read",
    "--pt-load-map-location": "weights are read from safetensors; other formats run code when they are read",
    "--model-loader-extra-config": "weights are read from safetensors; other formats run code when they are read",
    "--middleware": _CODE,
    "--tool-parser-plugin": _CODE,
    "--reasoning-parser-plugin": _CODE,
    "--io-processor-plugin": _CODE,
    "--logits-processors": _CODE,
    "--worker-cls": _CODE,
    "--worker-extension-cls": _CODE,
    "--scheduler-cls": _CODE,
    "--distributed-executor-backend": _CODE,
    "--compilation-config": _PARTS,
    "--structured-outputs-config": _PARTS,
    "--kv-transfer-config": _PARTS,
    "--ec-transfer-config": _PARTS,
    "--ec-manager-config": _PARTS,
    "--weight-transfer-config": _PARTS,
    "--additional-config": _PARTS,
    "--logging-config": _PARTS,
    "--log-config-file": _FILE,
    "--tool-server": "the server asks no other",
}
"""Flag to why not, or what to do instead: what follows from the document, and whatever can load code."""
