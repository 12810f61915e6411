"""Lists as the API server answers them."""

import msgspec
from swiftlet.kube.answers import ObjectList, listed
from swiftlet.kube.paths import TYPES

ANSWER = b"""{"kind": "JobList", "metadata": {"resourceVersion": "12", "continue": "next"}, "items": [
  {"metadata": {"name": "a", "namespace": "default", "resourceVersion": "7", "managedFields": [{"manager": "x"}]},
   "spec": {"parallelism": 2}}]}"""


def test_an_item_tells_who_it_is_and_is_read_as_a_whole_on_request() -> None:
    answer = msgspec.json.decode(ANSWER, type=ObjectList)
    assert (answer.metadata.resource_version, answer.metadata.continue_) == ("12", "next")
    item = listed(TYPES["Job"], "Job", answer.items[0])
    assert (item.namespace, item.name, item.version) == ("default", "a", 7)
    whole = item.read()
    assert (whole["apiVersion"], whole["kind"], whole["spec"]) == ("batch/v1", "Job", {"parallelism": 2})
    assert whole["metadata"]["managedFields"] == [{"manager": "x"}]


def test_the_last_page_of_a_list_of_cluster_scoped_objects() -> None:
    answer = msgspec.json.decode(
        b'{"metadata": {"resourceVersion": "9"}, "items": [{"metadata": {"name": "p", "resourceVersion": "3"}}]}',
        type=ObjectList,
    )
    assert answer.metadata.continue_ == ""
    assert listed(TYPES["ComputeProfile"], "ComputeProfile", answer.items[0]).namespace == ""
