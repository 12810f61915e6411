"""What a new backend costs: it is added to a copy of the sources, and works from the document to the status."""

from pathlib import Path

from testbed.sources import SourceCopy

BACKEND = '''
"""A Gang: whatever makes Jobs called `<gang>.<role>` and says `phase`."""

from collections.abc import Iterable, Sequence

from swiftlet.api.v1alpha1.backends import GANG as FACTS
from swiftlet.kinds.attempts.backends.job import JobBackend, job_spec
from swiftlet.kinds.attempts.role import Manifest, Role
from swiftlet.kinds.frame.asked import Wish, asking
from swiftlet.kinds.observing.observed import of_kind
from swiftlet.kinds.owning.owners import owned_by


class GangBackend(JobBackend):
    facts = FACTS

    def render(self, metadata: Manifest, roles: Sequence[Role], wish: Wish) -> Manifest:
        members = {role.name: job_spec(role) for role in roles}
        gang = {"apiVersion": FACTS.api_version, "kind": FACTS.kind, "metadata": metadata, "spec": {"members": members}}
        return asking(gang, wish)

    def hostname(self, workload: str, role: str, index: int) -> str:
        return f"{role}-{index}-of-{workload}"

    def jobs(self, workload: Manifest, children: Iterable[Manifest]) -> list[Manifest]:
        return [job for job in of_kind(children, "Job") if owned_by(job, workload["metadata"]["uid"])]

    def told(self, workload: Manifest, jobs: Sequence[Manifest]) -> Manifest:
        members = workload["spec"]["members"].values()
        spec = {"parallelism": sum(one["parallelism"] for one in members), "suspend": workload["spec"].get("suspend")}
        status = {"ready": sum(job["status"].get("ready", 0) for job in jobs)}
        if workload.get("status", {}).get("phase") == "Done":
            status["conditions"] = [{"type": "Complete", "status": "True"}]
            status["completionTime"] = "2026-01-01T00:00:00Z"
        return {**workload, "spec": spec, "status": status}
'''
FACTS = """GANG = BackendFacts("gang", "gangs.example/v1", "Gang", "gangs", ("Failed", "gangs"), is_extra=True)
"""
JOB = """
apiVersion: swiftlet.dev/v1alpha1
kind: FineTuneJob
metadata: {name: bird, namespace: team, uid: u, generation: 1}
spec:
  model: {uri: "hf://org/model"}
  datasets: [{uri: "hf://org/rows/a.jsonl"}]
  parallelism: {nodes: 2}
  training: {globalBatchSize: 2}
  backend: gang
"""
LOOK = """
from datetime import UTC, datetime
from ruamel.yaml import YAML
from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec
from swiftlet.api.schema.defaulting import defaulted
from swiftlet.cli.acting.planning import Imagined
from swiftlet.kinds import RECONCILERS, Capabilities
from swiftlet.kinds.owning.owners import descendants
from swiftlet.kube.paths import TYPES

class World(Imagined):
    def children(self, namespace, uid):
        return descendants(self.objects.values(), namespace, uid)

    def put(self, item, **more):
        self.objects[item["kind"], "team", item["metadata"]["name"]] = {**item, **more}

world = World()
for name in ("swiftlet-artifacts", "models"):
    world.put({"kind": "PersistentVolumeClaim", "metadata": {"name": name}})
profile = {"images": {"trainer": "image"}, "storage": {"modelsClaim": "models"}}
capabilities = Capabilities(default_profile=ComputeProfileSpec.model_validate(profile))
run = defaulted(YAML(typ="safe").load(Path("bird.yaml")))

def looked():
    outcome = RECONCILERS["FineTuneJob"](run, world, datetime.now(UTC), capabilities)
    run["status"] = outcome.status
    return outcome, {found["type"]: [found["reason"], found["message"]] for found in outcome.status["conditions"]}

gang = looked()[0].desired[-1]
gang["metadata"]["uid"] = "g"
world.put(gang)
owner = {"kind": "Gang", "name": gang["metadata"]["name"], "uid": "g", "controller": True}
job = {"kind": "Job", "metadata": {"name": "j", "namespace": "team", "uid": "j", "ownerReferences": [owner]}}
world.put(job, spec=gang["spec"]["members"]["trainer"], status={"ready": 2})
while_running = looked()[1]
message = json.dumps({"artifact": {"uri": "pvc://a/b", "digest": "sha256:d", "type": "adapter"}})
ended = {"name": "train", "state": {"terminated": {"exitCode": 0, "message": message}}}
of_job = {**owner, "kind": "Job", "name": "j", "uid": "j"}
pod = {"name": "p", "namespace": "team", "uid": "p", "ownerReferences": [of_job]}
world.put({"kind": "Pod", "metadata": pod, "status": {"containerStatuses": [ended]}})
world.put(gang, status={"phase": "Done"})
said("crds", "--output", "crds")
print(json.dumps({
    "gang": gang,
    "running": while_running,
    "ended": looked()[1],
    "place": TYPES["Gang"].object("team", "bird"),
    "crd": Path("crds/swiftlet.dev_finetunejobs.yaml").read_text(),
}))
"""


def add_backend(root: Path) -> None:
    """Add the backend to the sources below `root`."""
    (root / "swiftlet/kinds/attempts/backends/gang.py").write_text(BACKEND)
    facts = root / "swiftlet/api/v1alpha1/backends.py"
    told = facts.read_text().replace("BACKENDS = ", f"{FACTS}BACKENDS = ", 1)
    facts.write_text(told.replace("JOB_SET)}", "JOB_SET, GANG)}"))
    registry = root / "swiftlet/kinds/attempts/backends/registry.py"
    imported = "from swiftlet.kinds.attempts.backends.gang import GangBackend\n"
    listed = registry.read_text().replace("JobSetBackend())", "JobSetBackend(), GangBackend())")
    first = "from swiftlet.kinds.attempts.backends.job "
    registry.write_text(listed.replace(first, f"{imported}{first}"))


def test_a_backend_is_a_module_a_line_of_facts_and_a_word_in_the_registry(tmp_path: Path) -> None:
    sources = SourceCopy(tmp_path)
    add_backend(sources.root)
    assert sources.touched() == {
        "swiftlet/api/v1alpha1/backends.py",
        "swiftlet/kinds/attempts/backends/gang.py",
        "swiftlet/kinds/attempts/backends/registry.py",
    }
    (tmp_path / "bird.yaml").write_text(JOB)
    seen = sources.look(LOOK)

    assert seen["gang"]["kind"] == "Gang" and seen["gang"]["metadata"]["name"] == "bird-train-0"
    member = seen["gang"]["spec"]["members"]["trainer"]
    env = member["template"]["spec"]["containers"][0]["env"]
    address = next(one["value"] for one in env if one["name"] == "PET_MASTER_ADDR")
    assert address == "trainer-0-of-bird-train-0.bird-train.team.svc"
    assert seen["running"]["PodsReady"] == ["AllPodsReady", "2 of 2 pods run"]
    assert seen["ended"]["Succeeded"][0] == "Trained"
    assert seen["place"] == "/apis/gangs.example/v1/namespaces/team/gangs/bird"
    assert "- gang\n" in seen["crd"], "a document may ask for it"
