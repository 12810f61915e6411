from typing import Any

from swiftlet.api.v1alpha1.compute import Compute
from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec
from swiftlet.kinds import Capabilities
from swiftlet.kinds.references.profiles import devices_verdict, pod_resources, resolve_profile

PROFILE = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ComputeProfile"}


def test_named_then_default_then_the_engines_own(world: Any) -> None:
    own = ComputeProfileSpec.model_validate({"storage": {"artifactsClaim": "own"}})
    capabilities = Capabilities(default_profile=own)
    assert resolve_profile(Compute(), world, capabilities).spec is own
    world.add({**PROFILE, "metadata": {"name": "default"}}, storage={"artifactsClaim": "usual"})
    assert resolve_profile(Compute(), world, capabilities).spec.storage.artifacts_claim == "usual"
    world.add({**PROFILE, "metadata": {"name": "fast"}}, storage={"artifactsClaim": "fast"})
    fast = Compute.model_validate({"profileRef": {"name": "fast"}})
    assert resolve_profile(fast, world, capabilities).spec.storage.artifacts_claim == "fast"


def test_a_missing_profile_is_waited_for(world: Any) -> None:
    found = resolve_profile(Compute.model_validate({"profileRef": {"name": "no"}}), world, Capabilities())
    assert found.verdict is not None and found.verdict.waits
    assert "ComputeProfile no does not exist" in found.verdict.message


def test_resources_of_the_document_else_of_the_profile() -> None:
    profile = ComputeProfileSpec.model_validate({"resources": {"requests": {"cpu": 4}}, "gpuResourceName": "x/gpu"})
    own = Compute.model_validate({"resources": {"limits": {"memory": "1Gi"}}, "gpus": 2})
    assert pod_resources(Compute(), profile, with_gpus=True) == {"requests": {"cpu": "4"}}
    usual = {"requests": {"cpu": "4"}}
    assert pod_resources(own, profile, with_gpus=True) == {**usual, "limits": {"memory": "1Gi", "x/gpu": "2"}}
    assert pod_resources(own, profile, with_gpus=False) == {**usual, "limits": {"memory": "1Gi"}}


def test_a_name_that_the_document_mentions_is_its_own() -> None:
    usual = {"requests": {"memory": "8Gi"}, "limits": {"memory": "16Gi"}}
    profile = ComputeProfileSpec.model_validate({"resources": usual})
    for own in ({"requests": {"memory": "32Gi"}}, {"limits": {"memory": "4Gi"}}):
        assert pod_resources(Compute.model_validate({"resources": own}), profile, with_gpus=False) == own


def test_the_default_profile_needs_no_object(world: Any) -> None:
    own = ComputeProfileSpec.model_validate({"storage": {"artifactsClaim": "own"}})
    named = Compute.model_validate({"profileRef": {"name": "default"}})
    found = resolve_profile(named, world, Capabilities(default_profile=own))
    assert (found.spec, found.verdict) == (own, None)


def test_resources_and_gpus_count_the_same() -> None:
    profile = ComputeProfileSpec.model_validate({"gpuResourceName": "x/gpu"})

    def verdict(**compute: Any) -> str:
        found = devices_verdict("the profile", Compute.model_validate(compute), profile)
        return found.message if found else ""

    same = {"limits": {"x/gpu": 2, "x/fpga": 1}, "requests": {"x/gpu": 2}}
    assert verdict(gpus=2, resources=same) == ""
    assert "name x/gpu 2, and spec.compute.gpus is 0" in verdict(resources=same)
    assert "name x/gpu 2, and spec.compute.gpus is 1" in verdict(gpus=1, resources=same)
