"""The release checks itself, as `helm test` does for a person who has just installed it."""

from installation import CHART, RELEASE, helm
from watching import Cluster

LOGS_IN = """
import sys, urllib.request
headers = {"Authorization": "Bearer " + sys.stdin.read().strip()}
print(urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:8080/", headers=headers)).read().decode())
"""


def test_the_release_passes_its_own_test(cluster: Cluster, installed: str) -> None:
    printed = helm(cluster, "test", RELEASE, "--namespace", installed, "--timeout=10m")
    assert "Phase:          Succeeded" in printed


def test_the_page_knows_whose_token_it_is_shown(cluster: Cluster, installed: str) -> None:
    """In the image that is built: with a root that is read-only, and no token of its own."""
    here = ("--namespace", installed)
    helm(cluster, "upgrade", RELEASE, str(CHART), *here, "--reuse-values", "--set=ui.enabled=true", "--wait")
    token = cluster.kubectl("create", "token", "default", "--namespace", "default").stdout
    inside = ("exec", "--stdin", "deploy/swiftlet-ui", *here, "--")
    page = cluster.kubectl(*inside, "python", "-c", LOGS_IN, stdin=token).stdout
    assert "system:serviceaccount:default:default" in page
    assert cluster.kubectl(*inside, "ls", "/var/run/secrets/kubernetes.io", check=False).returncode != 0
