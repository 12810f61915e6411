import subprocess
from pathlib import Path

import pytest
from testbed.errors import TestBedError
from testbed.nodes import cgroups

VERSION_1 = """\
31 28 0:26 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:27 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
33 31 0:28 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
34 31 0:29 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
"""
VERSION_2 = "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"


def test_version_1_has_a_folder_per_controller() -> None:
    found = cgroups.folders("bed", VERSION_1)
    assert found == [Path("/sys/fs/cgroup/cpu/bed"), Path("/sys/fs/cgroup/memory/bed")]


def test_version_2_has_one_folder() -> None:
    assert cgroups.folders("bed", VERSION_2) == [Path("/sys/fs/cgroup/bed")]


def test_a_machine_without_cgroups_is_told() -> None:
    with pytest.raises(TestBedError, match="no cgroups are mounted"):
        cgroups.folders("bed", "22 1 254:0 / / rw - ext4 /dev/vda rw\n")


def test_version_2_hands_controllers_down(tmp_path: Path) -> None:
    node = tmp_path / "node"
    node.mkdir()
    for folder in (tmp_path, node):
        (folder / "cgroup.subtree_control").touch()
    cgroups.create([node])
    for folder in (tmp_path, node):
        assert (folder / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"


def test_removal_takes_the_whole_tree_and_nothing_beside(tmp_path: Path) -> None:
    (tmp_path / "node" / "pod" / "container").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    subprocess.run(cgroups.removal([tmp_path / "node"]), check=True)
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
