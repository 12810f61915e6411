"""What the dashboards show: a panel is a line of these tables."""

from dataclasses import dataclass

from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries

CHOSEN = 'namespace=~"$namespace"'
RUN = 'kind="FineTuneJob",namespace=~"$namespace",name=~"$name"'
MODEL = 'namespace=~"$namespace",name=~"$name"'


CACHE = "vllm[:_]kv_cache_usage_perc"
"""vLLM's /metrics has _ for the colon where who asks does not say, by `escaping`, that it takes any name."""


def of_servers(series: str, by: str, form: str = "rate({}[5m])") -> str:
    """A figure of servers, summed by served name: of transformers and older pods under vLLM's name, of vLLM under ours,
    since vLLM's own count an adapter's requests as the base's. by: labels that are kept beside the name."""
    ours, vllm = (form.format(f"{prefix}{series}{{{MODEL}}}") for prefix in ("swiftlet_", "vllm:"))
    named = f"swiftlet_num_requests_running{{{MODEL}}}"
    return f"sum by (name, model_name{by}) ({ours} or ({vllm} unless on (namespace, pod) {named}))"


def waits(series: str) -> tuple[tuple[str, str], ...]:
    """Half and nine of ten of a histogram of servers, in seconds."""
    buckets = of_servers(f"{series}_bucket", ", le")
    return tuple(
        (f"histogram_quantile({share}, {buckets})", f"{{{{name}}}} {{{{model_name}}}} {legend}")
        for share, legend in ((0.5, "p50"), (0.9, "p90"))
    )


@dataclass(frozen=True)
class Shown:
    """A panel: what it asks Prometheus, each with the text of its legend. unit: Grafana's name of it."""

    title: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    form: type[Stat | Table | TimeSeries] = TimeSeries
    width: int = 12
    description: str = ""


@dataclass(frozen=True)
class Page:
    """A dashboard. variables: name and the query of its values, beside the source of data."""

    name: str
    title: str
    rows: dict[str, tuple[Shown, ...]]
    variables: tuple[tuple[str, str], ...] = ()


NAMESPACE = ("namespace", "label_values(swiftlet_state, namespace)")
PAGES = (
    Page(
        "operator",
        "Swiftlet / operator",
        {
            "Work": (
                Shown("Replicas that lead (1 is right)", (("sum(swiftlet_leader)", "leaders"),), form=Stat, width=6),
                Shown("Resources that wait for a look", (("max(swiftlet_queue_depth)", "queue"),), form=Stat, width=6),
                Shown("Resources", (("max by (kind) (swiftlet_resources)", "{{kind}}"),), form=Stat),
                Shown(
                    "Looks by result",
                    (("sum by (kind, result) (rate(swiftlet_reconciles_total[5m]))", "{{kind}} {{result}}"),),
                    "ops",
                ),
                Shown(
                    "From event to first write",
                    tuple(
                        (
                            f"histogram_quantile({share},"
                            " sum by (le) (rate(swiftlet_event_to_write_seconds_bucket[5m])))",
                            legend,
                        )
                        for share, legend in ((0.5, "p50"), (0.99, "p99"))
                    ),
                    "s",
                ),
                Shown(
                    "What stands in the way",
                    (
                        (
                            'max by (kind, condition, reason) (swiftlet_resource_conditions{status="False"}) > 0',
                            "{{kind}} {{condition}} {{reason}}",
                        ),
                    ),
                    form=Table,
                ),
                Shown(
                    "FineTuneJobs by summary",
                    (
                        (
                            "max by (status, reason)"
                            ' (swiftlet_resource_conditions{kind="FineTuneJob", condition="Succeeded"})',
                            "{{reason}}",
                        ),
                    ),
                ),
            ),
            "API server": (
                Shown(
                    "Requests",
                    (("sum by (verb, code) (rate(swiftlet_api_requests_total[5m]))", "{{verb}} {{code}}"),),
                    "reqps",
                ),
                Shown(
                    "Time to an answer, p99",
                    (
                        (
                            "histogram_quantile(0.99,"
                            " sum by (le, verb) (rate(swiftlet_api_request_seconds_bucket[5m])))",
                            "{{verb}}",
                        ),
                    ),
                    "s",
                ),
            ),
            "Process": (
                Shown(
                    "Memory",
                    (('process_resident_memory_bytes{job="swiftlet-operator"}', "{{pod}}"),),
                    "bytes",
                ),
                Shown(
                    "Processor time",
                    (('rate(process_cpu_seconds_total{job="swiftlet-operator"}[5m])', "{{pod}}"),),
                ),
            ),
        },
    ),
    Page(
        "fleet",
        "Swiftlet / fleet",
        {
            "Now": (
                Shown(
                    "Runs by state", ((f"count by (kind, state) (swiftlet_state{{{CHOSEN}}})", "{{kind}} {{state}}"),)
                ),
                Shown(
                    "Devices held",
                    (
                        (
                            f"sum by (namespace, resource) (swiftlet_run_devices{{{CHOSEN}}})",
                            "{{namespace}} {{resource}}",
                        ),
                    ),
                ),
                Shown(
                    "Tokens a second",
                    (
                        (
                            f"sum by (namespace) (swiftlet_run_tokens_per_second{{{CHOSEN}}})",
                            "{{namespace}}",
                        ),
                    ),
                ),
                Shown(
                    "Without series of their own",
                    (("max by (kind) (swiftlet_resources_without_series)", "{{kind}}"),),
                    form=Stat,
                ),
            ),
            "Runs": (
                Shown(
                    "Share that is done",
                    ((f"swiftlet_run_progress_ratio{{{CHOSEN}}}", "{{namespace}}/{{name}}"),),
                    "percentunit",
                ),
                Shown("Time that is left", ((f"swiftlet_run_eta_seconds{{{CHOSEN}}}", "{{namespace}}/{{name}}"),), "s"),
                Shown(
                    "Restarts",
                    ((f"swiftlet_run_restarts{{{CHOSEN}}}", "{{namespace}}/{{name}} {{cause}}"),),
                    form=Table,
                    width=24,
                ),
            ),
        },
        (NAMESPACE,),
    ),
    Page(
        "run",
        "Swiftlet / one run",
        {
            "Where it is": (
                Shown("State", ((f"swiftlet_state{{{RUN}}}", "{{name}}: {{state}}"),), form=Stat, width=8),
                Shown(
                    "Step",
                    ((f"swiftlet_run_step{{{RUN}}}", "step"), (f"swiftlet_run_total_steps{{{RUN}}}", "of")),
                    form=Stat,
                    width=8,
                ),
                Shown("Time that is left", ((f"swiftlet_run_eta_seconds{{{RUN}}}", "{{name}}"),), "s", Stat, 8),
            ),
            "Learning": (
                Shown(
                    "Loss",
                    (
                        (f"swiftlet_run_loss{{{RUN}}}", "{{name}}"),
                        (f"swiftlet_run_eval_loss{{{RUN}}}", "{{name}}, held out"),
                    ),
                    description="A gap is a loss that is no number.",
                ),
                Shown("Norm of the gradient", ((f"swiftlet_run_grad_norm{{{RUN}}}", "{{name}}"),)),
                Shown("Learning rate", ((f"swiftlet_run_learning_rate{{{RUN}}}", "{{name}}"),), "sci"),
                Shown("Epoch", ((f"swiftlet_run_epoch{{{RUN}}}", "{{name}}"),)),
            ),
            "Running": (
                Shown("Tokens a second", ((f"swiftlet_run_tokens_per_second{{{RUN}}}", "{{name}}"),)),
                Shown(
                    "Share of the GPUs' arithmetic",
                    ((f"swiftlet_run_model_flops_utilization_ratio{{{RUN}}}", "{{name}}"),),
                    "percentunit",
                    description="Model FLOPs utilisation in bf16; none on CPUs and on GPUs without a known peak.",
                ),
                Shown(
                    "Restarts, and those that are left",
                    (
                        (f"swiftlet_run_restarts{{{RUN}}}", "{{name}} {{cause}}"),
                        (f"swiftlet_run_restarts_left{{{RUN}}}", "{{name}} {{cause}}, left"),
                    ),
                ),
                Shown("Devices", ((f"swiftlet_run_devices{{{RUN}}}", "{{resource}}"),), form=Stat),
                Shown("Rows", ((f"swiftlet_run_rows{{{RUN}}}", "{{use}}"),), form=Stat),
            ),
        },
        (NAMESPACE, ("name", 'label_values(swiftlet_state{kind="FineTuneJob",namespace=~"$namespace"}, name)')),
    ),
    Page(
        "evaluations",
        "Swiftlet / evaluations",
        {
            "Results": (
                Shown(
                    "Gates that are not passed",
                    (
                        (
                            f"swiftlet_evalrun_gate_passed{{{CHOSEN}}} == 0",
                            "{{namespace}}/{{name}} {{suite}} {{metric}}",
                        ),
                    ),
                    form=Table,
                    width=24,
                ),
                Shown(
                    "Figures",
                    ((f"swiftlet_evalrun_result{{{CHOSEN}}}", "{{name}} {{suite}} {{metric}} {{subject}}"),),
                    form=Table,
                    width=24,
                ),
                Shown(
                    "EvalRuns by summary",
                    (
                        (
                            "max by (status, reason)"
                            ' (swiftlet_resource_conditions{kind="EvalRun", condition="Succeeded"})',
                            "{{reason}}",
                        ),
                    ),
                    width=24,
                ),
            )
        },
        (("namespace", "label_values(swiftlet_evalrun_result, namespace)"),),
    ),
    Page(
        "serving",
        "Swiftlet / serving",
        {
            "Models": (
                Shown(
                    "State", ((f'swiftlet_state{{kind="ModelDeployment",{MODEL}}}', "{{name}}: {{state}}"),), form=Stat
                ),
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
                    ((f'max by (name, pod) ({{__name__=~"{CACHE}",{MODEL}}})', "{{name}} {{pod}}"),),
                    "percentunit",
                    description="Of vLLM; the transformers engine keeps none between requests.",
                ),
            ),
        },
        (
            ("namespace", 'label_values(swiftlet_state{kind="ModelDeployment"}, namespace)'),
            ("name", 'label_values(swiftlet_state{kind="ModelDeployment",namespace=~"$namespace"}, name)'),
        ),
    ),
)
