"""A real S3 server over a folder: versitygw, with one account."""

from testbed.beds import Bed
from testbed.certificates import Pair
from testbed.listening import LOOPBACK, Place, wait_for
from testbed.processes import Command, Process
from testbed.programs import program

ACCESS_KEY = "testbed"
SECRET_KEY = "testbed-secret"  # noqa: S105


class ObjectStorage:
    """A running server, whose folder is gone with the bed."""

    def __init__(
        self, bed: Bed, name: str = "versitygw", certificate: Pair | None = None, place: Place = LOOPBACK
    ) -> None:
        """With a certificate of its own it speaks TLS. Raises MissingProgramError, and TestBedError when it ends."""
        self.port = bed.free_port()
        self.url = f"{'https' if certificate else 'http'}://{place.address}:{self.port}"
        content, sidecar = bed.folder / f"{name}-content", bed.folder / f"{name}-sidecar"
        content.mkdir()
        sidecar.mkdir()
        options = ["--port", f"{place.address}:{self.port}", "--sidecar", str(sidecar), "--content", str(content)]
        if certificate:
            written = certificate.write(bed.folder, name)
            options += ["--cert", str(written[0]), "--key", str(written[1])]
        environment = {"ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY}
        self.process = Process(bed, Command(name, [str(program("versitygw")), *options], environment, place.prefix))
        self.folder = content
        wait_for(self.process, self.port, address=place.address)

    def bucket(self, name: str) -> None:
        """Make a bucket: a folder of the server's."""
        (self.folder / name).mkdir()
