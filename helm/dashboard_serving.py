"""What the dashboard of servers shows: figures of both engines under one name."""

from dashboard_panels import Page, Shown
from grafana_foundation_sdk.builders.stat import Panel as Stat

MODEL = 'namespace=~"$namespace",name=~"$name"'
VLLM = "vllm[:_]"
"""vLLM's /metrics has _ for the colon where who asks does not say, by `escaping`, that it takes any name."""


def of_servers(series: str, by: str, form: str = "rate({}[5m])") -> str:
    """A figure of servers, summed by served name: of transformers and older pods under vLLM's name, of vLLM under ours,
    since vLLM's own count an adapter's requests as the base's. by: labels that are kept beside the name."""
    ours = form.format(f"swiftlet_{series}{{{MODEL}}}")
    vllm = form.format(f'{{__name__=~"{VLLM}{series}",{MODEL}}}')
    named = f"swiftlet_num_requests_running{{{MODEL}}}"
    return f"sum by (name, model_name{by}) ({ours} or ({vllm} unless on (namespace, pod) {named}))"


def waits(series: str) -> tuple[tuple[str, str], ...]:
    """Half and nine of ten of a histogram of servers, in seconds."""
    buckets = of_servers(f"{series}_bucket", ", le")
    return tuple(
        (f"histogram_quantile({share}, {buckets})", f"{{{{name}}}} {{{{model_name}}}} {legend}")
        for share, legend in ((0.5, "p50"), (0.9, "p90"))
    )


SERVING = Page(
    "serving",
    "Swiftlet / serving",
    {
        "Models": (
            Shown("State", ((f'swiftlet_state{{kind="ModelDeployment",{MODEL}}}', "{{name}}: {{state}}"),), form=Stat),
            Shown("Names", ((f"swiftlet_modeldeployment_served_names{{{MODEL}}}", "{{name}}"),), form=Stat),
            Shown(
                "Replicas",
                (
                    (f"swiftlet_modeldeployment_ready_replicas{{{MODEL}}}", "{{name}} ready"),
                    (f"swiftlet_modeldeployment_replicas{{{MODEL}}}", "{{name}} pods"),
                    (f"swiftlet_modeldeployment_desired_replicas{{{MODEL}}}", "{{name}} asked for"),
                ),
            ),
            Shown("Adapters", ((f"swiftlet_modeldeployment_adapters{{{MODEL}}}", "{{name}} {{state}}"),)),
        ),
        # Of the servers' own /metrics, which monitoring.podMonitor has scraped.
        "Requests": (
            Shown("Time to the first token", waits("time_to_first_token_seconds"), "s"),
            Shown("Time from token to token", waits("inter_token_latency_seconds"), "s"),
            Shown("Time in the queue", waits("request_queue_time_seconds"), "s"),
            Shown(
                "Requests that run and that wait",
                tuple(
                    (of_servers(f"num_requests_{stage}", "", "{}"), f"{{{{name}}}} {{{{model_name}}}} {stage}")
                    for stage in ("running", "waiting")
                ),
            ),
            Shown(
                "Requests that ended",
                (
                    (
                        of_servers("request_success_total", ", finished_reason"),
                        "{{name}} {{model_name}} {{finished_reason}}",
                    ),
                ),
                "reqps",
            ),
            Shown(
                "Tokens made a second",
                ((of_servers("generation_tokens_total", ""), "{{name}} {{model_name}}"),),
            ),
            Shown(
                "Key-value cache in use",
                ((f'max by (name, pod) ({{__name__=~"{VLLM}kv_cache_usage_perc",{MODEL}}})', "{{name}} {{pod}}"),),
                "percentunit",
                description="Of vLLM; the transformers engine keeps none between requests.",
            ),
        ),
    },
    (
        ("namespace", 'label_values(swiftlet_state{kind="ModelDeployment"}, namespace)'),
        ("name", 'label_values(swiftlet_state{kind="ModelDeployment",namespace=~"$namespace"}, name)'),
    ),
)
