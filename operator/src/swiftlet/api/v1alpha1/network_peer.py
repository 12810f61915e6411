"""Who may connect to a server; as the peers of a Kubernetes NetworkPolicy."""

from typing import Annotated, ClassVar

from pydantic import Field

from swiftlet.api.base import ApiModel, Rule
from swiftlet.api.names import LabelValue

Cidr = Annotated[str, Field(pattern=r"^[0-9a-fA-F.:]+/[0-9]{1,3}$", max_length=49)]


class LabelSelector(ApiModel):
    """Objects by their labels; all of them when it is empty."""

    match_labels: Annotated[dict[str, LabelValue], Field(max_length=16)] = Field(
        default_factory=dict, description="Labels and their values, such as kubernetes.io/metadata.name: gateway."
    )


class IpBlock(ApiModel):
    """Addresses outside of the cluster."""

    cidr: Cidr = Field(description="Such as 10.0.0.0/8 or 2001:db8::/32.")
    except_: Annotated[list[Cidr], Field(max_length=32)] = Field(
        default_factory=list, alias="except", description="Parts of it that may not."
    )


class NetworkPeer(ApiModel):
    """Pods by labels of theirs, of their namespace, or of both; or addresses."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.ipBlock) != (has(self.namespaceSelector) || has(self.podSelector))",
            "set ipBlock, or namespaceSelector, podSelector or both",
        ),
    )

    namespace_selector: LabelSelector | None = Field(
        None, description="Namespaces; that of the deployment when absent."
    )
    pod_selector: LabelSelector | None = Field(None, description="Pods; all of the namespaces when absent.")
    ip_block: IpBlock | None = None
