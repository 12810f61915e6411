"""What keeps a command from the cluster. The message says what to do."""


class ClusterError(Exception):
    """The cluster cannot be reached, does not know the caller, or has not what was asked for."""


class RefusedError(ClusterError):
    """The API server answered no. `code`: HTTP status; `reason`: as in metav1.Status, `NotFound`, `Forbidden`, ..."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
