"""What the machinery tells about its work. The metrics listen; by default nobody does."""


class Telemetry:
    """Every method is called once for each occurrence. Durations are in seconds."""

    def requested(self, verb: str, kind: str, code: int, seconds: float) -> None:
        """A request to the API server was answered; code 0: it was not."""

    def reconciled(self, kind: str, result: str, seconds: float) -> None:
        """A reconcile ended: `unchanged`, `written`, `waiting`, `invalid`, `refused`, `gone`, `conflict` or `error`."""

    def first_write(self, kind: str, seconds: float) -> None:
        """Time from the event that asked for a reconcile to its first write."""

    def queued(self, depth: int) -> None:
        """The number of keys that wait changed."""

    def started(self, kind: str, waited: float) -> None:
        """A key left the queue after it had waited for this long."""

    def retried(self, kind: str) -> None:
        """A key is put back after an error."""

    def watched(self, kind: str, type_: str) -> None:
        """An event of a watch: ADDED, MODIFIED, DELETED or LISTED."""

    def relisted(self, kind: str, repaired: int, seconds: float) -> None:
        """A kind was listed anew; `repaired`: objects of the cache that differed from the list."""

    def event_dropped(self) -> None:
        """An Event could not be written and was given up."""


SILENT = Telemetry()
