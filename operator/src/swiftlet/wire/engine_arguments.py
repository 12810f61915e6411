"""Arguments of vLLM's command line that no document may carry, whoever allows them."""

import re
from collections.abc import Mapping, Sequence

from swiftlet.api.vllm import Vllm

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


def flags_of(arguments: Sequence[str]) -> list[str]:
    """The flags among `arguments` as vLLM's parser knows them: with dashes, without `=VALUE` or `.KEY`."""
    given = [one for one in arguments if one.startswith("-") and not re.fullmatch(r"-[\d.].*", one)]
    return [re.split(r"[=.+]", one, maxsplit=1)[0].replace("_", "-") for one in given]


def refused_argument_problems(arguments: Sequence[str]) -> list[str]:
    """Which of a document's engine arguments are not its to set, and what to do instead."""
    keys = {flag: flag if flag in REFUSED else f"--{flag.removeprefix('--no-')}" for flag in flags_of(arguments)}
    return [f"engine.args: {flag} is not yours to set: {REFUSED[key]}" for flag, key in keys.items() if key in REFUSED]
