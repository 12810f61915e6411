"""What the dashboards show: a panel is a line of these tables."""

from dashboard_panels import Page, Shown
from dashboard_serving import SERVING
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.table import Panel as Table

CHOSEN = 'namespace=~"$namespace"'
RUN = 'kind="FineTuneJob",namespace=~"$namespace",name=~"$name"'
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
    SERVING,
)
