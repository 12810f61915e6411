"""The environment that a ComputeProfile gives to pods: variables, proxies, trusted authorities, and the hub."""

from typing import Annotated, ClassVar

from pydantic import Field

from swiftlet.api.base import ApiModel, Rule
from swiftlet.api.names import DataKey, ObjectName

ALLOWED_VARIABLES = (
    "HF_HUB_(DOWNLOAD_TIMEOUT|ETAG_TIMEOUT|VERBOSITY|DISABLE_XET|DISABLE_PROGRESS_BARS)",
    "HF_XET_[A-Z0-9_]+",
    "TRANSFORMERS_VERBOSITY|TOKENIZERS_PARALLELISM",
    "TORCH_(NCCL_[A-Z0-9_]+|DISTRIBUTED_DEBUG|CPP_LOG_LEVEL|SHOW_CPP_STACKTRACES)",
    "PYTORCH_(ALLOC_CONF|CUDA_ALLOC_CONF|HIP_ALLOC_CONF)",
    "CUDA_(DEVICE_MAX_CONNECTIONS|LAUNCH_BLOCKING|MODULE_LOADING)",
    "(UCX|FI|KMP|MKL)_[A-Z0-9_]+",
    "VLLM_(LOGGING_LEVEL|CPU_KVCACHE_SPACE|CPU_OMP_THREADS_BIND|ATTENTION_BACKEND|ENGINE_READY_TIMEOUT_S)",
    "OTEL_[A-Z0-9_]+",
    "TZ|LANG|LC_[A-Z]+",
)
"""Names that `env` may set. None of them is one that the operator or torchrun sets, and none names code to load
(LD_PRELOAD, PYTHONPATH, VLLM_PLUGINS)."""

URL = r"^https?://[^\s]+$"

VariableName = Annotated[str, Field(pattern=f"^({'|'.join(ALLOWED_VARIABLES)})$", max_length=128)]


class Variable(ApiModel):
    """A variable of every pod."""

    name: VariableName = Field(description="One of the names that are allowed; proxies, hub and NCCL have own fields.")
    value: Annotated[str, Field(max_length=4096)] = Field(description="Its value.")


class Proxy(ApiModel):
    """The way out of the cluster; set as HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in capitals and in small letters."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("has(self.http) || has(self.https)", "set http or https, or remove the proxy"),
    )

    http: Annotated[str, Field(pattern=URL, max_length=1024)] | None = Field(
        None, description="Proxy for http:// addresses."
    )
    https: Annotated[str, Field(pattern=URL, max_length=1024)] | None = Field(
        None, description="Proxy for https:// addresses."
    )
    no_proxy: Annotated[list[Annotated[str, Field(pattern=r"^[^,\s]+$", max_length=253)]], Field(max_length=128)] = (
        Field(
            default_factory=list,
            description="Hosts, domains and networks that are reached directly, besides the pod itself and the "
            "cluster's Services (.svc, .cluster.local).",
        )
    )


class KeyRef(ApiModel):
    """A key of a ConfigMap or Secret in the namespace of the resource."""

    name: ObjectName = Field(description="Name of the object.")
    key: DataKey = Field(description="Key in its data.")


class CaBundle(ApiModel):
    """Certificates of the authorities that pods trust, instead of those of their image; the public ones included."""

    config_map_ref: KeyRef = Field(
        description="ConfigMap with PEM, as trust-manager writes one into every namespace; in the resource's namespace."
    )


class Hub(ApiModel):
    """Where `hf://` models come from when there is no mirror."""

    endpoint: Annotated[str, Field(pattern=URL, max_length=1024)] | None = Field(
        None, description="Address of a hub of one's own (HF_ENDPOINT); https://huggingface.co when absent."
    )
    token_secret_ref: KeyRef | None = Field(
        None,
        description="Secret with a token for gated and private models, in the resource's namespace; only the kubelet "
        "reads it.",
    )
