"""The verb serve. Environment: DOCUMENT, a ServeDocument; SWIFTLET_ROOT, a folder that can be written."""

import os
import sys
from pathlib import Path

from swiftlet_trainer.__main__ import main

Path(os.environ["SWIFTLET_ROOT"], "job.json").write_text(os.environ["DOCUMENT"])
sys.exit(main(["serve", "--job", "/job.json"]))
