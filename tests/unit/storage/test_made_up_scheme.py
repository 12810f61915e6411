"""What a new URI scheme costs: it is added to a copy of the sources, and works from the document to the pod."""

from pathlib import Path

from swiftlet.kinds.attempts.told_document import told_document
from testbed.sources import SourceCopy

SCHEME = '''
"""tape://shelf/path: data mounted from a shelf, models fetched from it."""

from swiftlet.storage.mount import Mount
from swiftlet.storage.scheme import Asked, Form, Located, Obstacle, Scheme, Slot, Volumes
from swiftlet.storage.uri import Uri


class Tape(Scheme):
    name = "tape"
    authority = "[a-z]+"
    data = model = Form("/.+", "tape://shelf/path")

    def locate(self, uri: Uri, slot: Slot, volumes: Volumes) -> Located | None:
        if slot.is_model:
            return None
        mount = Mount(slot.name, {"nfs": {"server": uri.authority, "path": "/"}}, slot.folder)
        return Located(f"{slot.folder}/{uri.path}", mount)

    def obstacle(self, asked: Asked) -> Obstacle | None:
        if asked.uri.authority == "burnt":
            return Obstacle("ReferenceNotFound", f"{asked.field} {asked.text}: the shelf has burnt")
        return None
'''
FETCH = '''
"""tape://: found below a folder."""

from pathlib import Path

from swiftlet.api.v1alpha1.uris import parse_uri
from swiftlet.wire.documents import ResolvedModel


def fetch(model: ResolvedModel) -> Path:
    return Path("/shelves") / parse_uri(model.uri).authority / parse_uri(model.uri).path
'''
JOB = """
apiVersion: swiftlet.dev/v1alpha1
kind: FineTuneJob
metadata: {name: bird}
spec:
  model: {uri: "tape://SHELF/model"}
  datasets: [{uri: "tape://SHELF/rows.jsonl"}]
  tuner: {lora: {rank: 4}}
"""
LOOK = """
from swiftlet.wire.documents import ResolvedModel
from swiftlet_trainer.models.loading import model_folder

planned = json.loads(said("plan", "north.yaml", "-o", "json"))
said("crds", "--output", "crds")
print(json.dumps({
    "objects": planned["resources"][0]["objects"],
    "folder": str(model_folder(ResolvedModel(uri="tape://north/model"))),
    "burnt": said("plan", "burnt.yaml"),
    "unknown": said("plan", "unknown.yaml"),
    "crd": Path("crds/swiftlet.dev_finetunejobs.yaml").read_text(),
}))
"""


def add_scheme(root: Path) -> None:
    """Add the scheme to the sources below `root`."""
    (root / "swiftlet/storage/tape.py").write_text(SCHEME)
    (root / "swiftlet_trainer/storage/tape.py").write_text(FETCH)
    registry = root / "swiftlet/storage/registry.py"
    listed = registry.read_text().replace(", LOCAL)", ", Tape(), LOCAL)")
    imported = "from swiftlet.storage.tape import Tape\n"
    registry.write_text(listed.replace("from swiftlet.storage.uri", f"{imported}from swiftlet.storage.uri"))


def test_a_scheme_is_two_modules_and_a_word_in_the_registry(tmp_path: Path) -> None:
    sources = SourceCopy(tmp_path)
    add_scheme(sources.root)
    assert sources.touched() == {
        "swiftlet/storage/registry.py",
        "swiftlet/storage/tape.py",
        "swiftlet_trainer/storage/tape.py",
    }
    for shelf in ("north", "burnt"):
        (tmp_path / f"{shelf}.yaml").write_text(JOB.replace("SHELF", shelf))
    (tmp_path / "unknown.yaml").write_text(JOB.replace("tape://SHELF", "drum://x"))
    seen = sources.look(LOOK)

    document = told_document(seen["objects"]) or {}
    assert document["model"] == {"uri": "tape://north/model"}
    assert document["datasets"][0]["path"] == "/swiftlet/data/0/rows.jsonl"
    pod = next(item for item in seen["objects"] if item["kind"] == "Job")["spec"]["template"]["spec"]
    assert {"name": "data-0", "nfs": {"server": "north", "path": "/"}} in pod["volumes"]
    assert seen["folder"] == "/shelves/north/model", "fetched by the pod"
    assert "spec.model.uri tape://burnt/model: the shelf has burnt" in seen["burnt"]
    assert "tape://shelf/path" in seen["unknown"], "people are told of it"
    assert "|tape://[a-z]+/.+|" in seen["crd"] and "`tape://shelf/path`" in seen["crd"]
