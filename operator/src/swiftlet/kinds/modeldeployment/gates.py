"""Gates in front of a server: an EvalRun speaks for the very bytes that it measured, and for nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from swiftlet.api.base import NamedRef
from swiftlet.api.v1alpha1.evalrun import EvalRun
from swiftlet.api.v1alpha1.modeldeployment import Adapter, ModelDeployment, Requirement
from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.conditions.verdict import Verdict, combine
from swiftlet.kinds.modeldeployment.models import ServedModel
from swiftlet.kinds.surroundings import Surroundings


@dataclass(frozen=True)
class Slot:
    """A model or an adapter that the document names. digest: None where only a URI is known."""

    field: str
    ref: NamedRef | None
    uri: str | None
    digest: str | None
    is_exempt: bool
    is_adapter: bool

    def words(self) -> str:
        return f"FineTuneJob {self.ref.name}, {self.digest}" if self.ref else str(self.uri)


@dataclass(frozen=True)
class Measurement:
    """What an EvalRun whose gates hold has measured."""

    name: str
    run: EvalRun

    @property
    def digest(self) -> str | None:
        """The adapter's, or that of a model without one; None where nobody has recorded it."""
        status, measured = self.run.status, self.run.status and self.run.status.measured
        found = (measured.adapter_digest or measured.model_digest) if measured else None
        return (status.target_digest if status else None) or found

    @property
    def base(self) -> str | None:
        """Digest of the model that was loaded, beside an adapter or alone."""
        measured = self.run.status and self.run.status.measured
        return measured.model_digest if measured else None

    def is_about(self, slot: Slot) -> bool:
        """Whether it measured the slot's bytes. Those of a URI are known when they are loaded: the server is told the
        digest, and refuses others."""
        if slot.digest is not None:
            return slot.digest == self.digest
        named = self.run.spec.target.model
        if named is None or self.digest is None:
            return False
        return slot.uri == (named.adapter_uri if slot.is_adapter else None if named.adapter_uri else named.uri)

    def words(self) -> str:
        return f"{self.name} measured {self.digest or 'bytes of which it recorded no digest'}"


def gates(
    deployment: ModelDeployment, served: ServedModel | Verdict, around: Surroundings
) -> tuple[Verdict | None, ServedModel | Verdict]:
    """All that stands against promotion; and what is served, with the digests that were measured."""
    found = [_judged(requirement, around) for requirement in deployment.spec.requires]
    verdict = combine(one for one in found if isinstance(one, Verdict))
    if verdict or isinstance(served, Verdict):
        return verdict, served
    measured = [one for one in found if isinstance(one, Measurement)]
    slots = _slots(deployment, served)
    verdict = combine([*_strangers(measured, slots), *_unmeasured(measured, slots), _two_bases(measured, slots)])
    return verdict, served if verdict else _pinned(served, measured, slots)


def _judged(requirement: Requirement, around: Surroundings) -> Measurement | Verdict:
    name = requirement.eval_run_ref.name
    found = around.reader.get("EvalRun", around.namespace, name)
    who = f"EvalRun {around.namespace}/{name}"
    if found is None:
        return Verdict("ReferenceNotFound", f"spec.requires: {who} does not exist", waits=True)
    unset = {"status": "Unknown", "reason": "NotObserved", "message": ""}
    gate, summary = find_condition(found, "GatePassed") or unset, find_condition(found, "Succeeded") or unset
    if gate["status"] == "False":
        return Verdict("GateFailed", f"{who}: {gate['message']}")
    if gate["status"] == "Unknown" and summary["status"] == "False":
        return Verdict("EvalRunFailed", f"{who} failed: {summary['reason']}: {summary['message']}")
    if gate["status"] == "Unknown":
        return Verdict("WaitingForEvalRun", f"waiting for {who}: {summary['reason']}", waits=True)
    return Measurement(who, EvalRun.model_validate(found))


def _slots(deployment: ModelDeployment, served: ServedModel) -> list[Slot]:
    spec = deployment.spec
    model = spec.model
    main = Slot("spec.model", model.fine_tune_job_ref, model.uri, served.digest, _exempt(model.gate), is_adapter=False)
    named = served.adapters[len(served.adapters) - len(spec.adapters) :]
    both = enumerate(zip(spec.adapters, named, strict=True))
    return [main, *(_adapter(f"spec.adapters[{index}]", one, known.digest) for index, (one, known) in both)]


def _adapter(field: str, adapter: Adapter, digest: str | None) -> Slot:
    return Slot(field, adapter.fine_tune_job_ref, adapter.uri, digest, _exempt(adapter.gate), is_adapter=True)


def _exempt(gate: str | None) -> bool:
    return gate == "Exempt"


def _strangers(measured: Sequence[Measurement], slots: Sequence[Slot]) -> list[Verdict | None]:
    """EvalRuns that measured nothing of what is served. One that measures the job's next artifact too is waited for."""
    return [_stranger(one, slots) for one in measured if not _is_about_any(one, slots)]


def _is_about_any(one: Measurement, slots: Sequence[Slot]) -> bool:
    return any(one.is_about(slot) for slot in slots)


def _stranger(one: Measurement, slots: Sequence[Slot]) -> Verdict:
    ref = one.run.spec.target.fine_tune_job_ref
    trained_again = next((slot for slot in slots if ref is not None and slot.ref == ref), None)
    if trained_again:
        return Verdict("WaitingForEvalRun", f"{one.words()}, but the artifact is {trained_again.digest}", waits=True)
    serving = "; ".join(f"{slot.field}: {slot.words()}" for slot in slots)
    remedy = "name an EvalRun of what is served in spec.requires"
    if one.digest is None:
        remedy = "delete it and evaluate again, since an earlier release did not record it"
    return Verdict("GateForAnotherModel", f"{one.words()}, which is not served here ({serving}); {remedy}")


def _unmeasured(measured: Sequence[Measurement], slots: Sequence[Slot]) -> list[Verdict | None]:
    """What is served, behind gates, without a gate of its own. The base of a measured adapter was measured with it."""
    if not measured:
        return []
    awaited = [one.run.spec.target.fine_tune_job_ref for one in measured if not _is_about_any(one, slots)]
    has_base = any(
        slot.is_adapter and ((slot.ref and slot.ref in awaited) or (one.base and one.is_about(slot)))
        for one in measured
        for slot in slots
    )
    return [
        Verdict(
            "GateForAnotherModel",
            f"{slot.field} ({slot.words()}) was measured by no EvalRun of spec.requires"
            f" ({'; '.join(one.words() for one in measured)}); add one that measures it, or set {slot.field}.gate to"
            " Exempt",
        )
        for slot in slots
        if not slot.is_exempt
        and not any(one.is_about(slot) for one in measured)
        and not (has_base and slot.ref is None and not slot.is_adapter)
        and not (slot.ref is not None and slot.ref in awaited)
    ]


def _two_bases(measured: Sequence[Measurement], slots: Sequence[Slot]) -> Verdict | None:
    """Whatever is served beside each other is served on one base, which was the same in every measurement."""
    bases = {one.name: one.base for one in measured if one.base and _is_about_any(one, slots)}
    if len(set(bases.values())) <= 1:
        return None
    listed = ", ".join(f"{name} on {digest}" for name, digest in bases.items())
    return Verdict(
        "GateForAnotherModel", f"measured on different models ({listed}); evaluate again on the one of today"
    )


def _pinned(served: ServedModel, measured: Sequence[Measurement], slots: Sequence[Slot]) -> ServedModel:
    """`served` with the digests of what only a URI names, so that the server loads what was measured, or nothing."""
    main, *others = slots
    base = None if main.is_exempt else next((one.base for one in measured if one.base), None)
    digests = [
        next((one.digest for one in measured if one.is_about(slot)), None) if not slot.is_exempt else None
        for slot in others
    ]
    own = len(served.adapters) - len(others)
    adapters = [
        replace(adapter, digest=adapter.digest or digest)
        for adapter, digest in zip(served.adapters, [None] * own + digests, strict=True)
    ]
    return replace(served, model_digest=served.model_digest or base, adapters=tuple(adapters))
