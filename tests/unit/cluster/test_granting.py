"""A 403 says the verb, the resource and the command that grants it."""

import pytest
from swiftlet.cluster.granting import forbidden


def said(user: str, verb: str, resource: str, group: str = "", namespace: str | None = "team") -> str:
    """Words of Kubernetes 1.36's API server."""
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    whole = f"{resource}.{group}" if group else resource
    return f'{whole} is forbidden: User "{user}" cannot {verb} resource "{resource}" in API group "{group}" {where}'


@pytest.mark.parametrize(
    ("message", "who", "command"),
    [
        (
            said("jane", "list", "finetunejobs", "swiftlet.dev"),
            "jane may not list finetunejobs.swiftlet.dev in namespace team",
            "kubectl create rolebinding swiftlet-view -n team --clusterrole=swiftlet-view --user=jane",
        ),
        (
            said("jane", "delete", "evalruns", "swiftlet.dev"),
            "jane may not delete evalruns.swiftlet.dev in namespace team",
            "kubectl create rolebinding swiftlet-edit -n team --clusterrole=swiftlet-edit --user=jane",
        ),
        (
            said("system:serviceaccount:ci:bot", "get", "pods/log"),
            "system:serviceaccount:ci:bot may not get pods/log in namespace team",
            "kubectl create rolebinding view -n team --clusterrole=view --serviceaccount=ci:bot",
        ),
        (
            said("jane", "create", "services/proxy"),
            "jane may not create services/proxy in namespace team",
            "kubectl create rolebinding edit -n team --clusterrole=edit --user=jane",
        ),
        (
            said("jane", "list", "computeprofiles", "swiftlet.dev", None),
            "jane may not list computeprofiles.swiftlet.dev in all namespaces",
            "kubectl create clusterrolebinding swiftlet-view --clusterrole=swiftlet-view --user=jane",
        ),
        (
            said("jane", "list", "nodes", "", None),
            "jane may not list nodes in all namespaces",
            "kubectl create clusterrole swiftlet-list-nodes --verb=list --resource=nodes && kubectl create"
            " clusterrolebinding swiftlet-list-nodes --clusterrole=swiftlet-list-nodes --user=jane",
        ),
        (
            said("jane", "get", "secrets"),
            "jane may not get secrets in namespace team",
            "kubectl create rolebinding edit -n team --clusterrole=edit --user=jane",
        ),
    ],
)
def test_the_right_and_how_it_is_granted(message: str, who: str, command: str) -> None:
    assert forbidden(message) == f"{who}; an administrator grants it with:\n  {command}"


def test_what_a_policy_refuses_is_told_as_it_stands() -> None:
    assert forbidden('pods "a" is forbidden: exceeded quota: gpus') == 'pods "a" is forbidden: exceeded quota: gpus'
