"""A real registry of containers: distribution, over a folder, with one account."""

import base64
import json

from testbed.beds import Bed
from testbed.listening import LOOPBACK, Place, wait_for
from testbed.processes import Command, Process
from testbed.programs import program

USER = "testbed"
PASSWORD = "testbed-secret"  # noqa: S105
HASH = "$2b$05$aaaaaaaaaaaaaaaaaaaaau1vf5G7pQ/3X5iKAvabMjdKfxkEJgcFm"
"""bcrypt of the password, the only kind of hash that distribution reads."""


class ArtifactRegistry:
    """A running server without TLS, whose folder is gone with the bed."""

    def __init__(self, bed: Bed, place: Place = LOOPBACK) -> None:
        """Raises MissingProgramError, and TestBedError when it ends."""
        self.port = bed.free_port()
        self.host = f"{place.address}:{self.port}"
        accounts, config = bed.folder / "registry-accounts", bed.folder / "registry.json"
        accounts.write_text(f"{USER}:{HASH}\n")
        content = {
            "version": 0.1,
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(bed.folder / "registry-content")}},
            "http": {"addr": self.host, "secret": "testbed"},
            "auth": {"htpasswd": {"realm": "testbed", "path": str(accounts)}},
        }
        config.write_text(json.dumps(content))
        command = Command("registry", [str(program("registry")), "serve", str(config)], {}, place.prefix)
        self.process = Process(bed, command)
        wait_for(self.process, self.port, address=place.address)

    def login(self, password: str = PASSWORD, host: str | None = None) -> str:
        """Content of a Docker config.json."""
        auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
        return json.dumps({"auths": {host or self.host: {"auth": auth}}})
