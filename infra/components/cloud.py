"""Google Cloud: what `infra.cloud` declares becomes Pulumi resources."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pulumi

from infra.cloud.resource import CloudResource, IdOf, OutputOf

if TYPE_CHECKING:
    import pulumi_gcp as gcp

_PLUGIN_VERSION = version("pulumi-gcp")


class CloudResources(pulumi.ComponentResource):
    """The Google Cloud resources of one stack, in the order in which they are given.

    They are made by their type tokens: importing the SDK's classes takes longer than everything else in a preview. That
    their inputs are those of the classes is tested.

    Attributes:
        made: each resource by its name.
    """

    made: dict[str, pulumi.CustomResource]

    def __init__(self, name: str, resources: Sequence[CloudResource], provider: gcp.Provider) -> None:
        super().__init__("servestack:google:CloudResources", name)
        self.made = {}
        for one in resources:
            wanted: dict[str, Any] = dict.fromkeys(one.secrets)  # so that others of the stack can take them as inputs
            self.made[one.name] = pulumi.CustomResource(
                one.token, one.name, wanted | self._known(one.inputs), self._options(one, provider)
            )
        self.register_outputs({})

    def _known(self, value: Any) -> Any:
        """Inputs with the ids and outputs of resources that were made before."""
        if isinstance(value, IdOf):
            return self.made[value.name].id
        if isinstance(value, OutputOf):
            return getattr(self.made[value.name], value.output)
        if isinstance(value, dict):
            return {key: self._known(one) for key, one in value.items()}
        return [self._known(one) for one in value] if isinstance(value, list) else value

    def _options(self, one: CloudResource, provider: gcp.Provider) -> pulumi.ResourceOptions:
        limit = f"{one.timeout_seconds}s"
        limits = pulumi.CustomTimeouts(create=limit, update=limit, delete=limit) if one.timeout_seconds else None
        return pulumi.ResourceOptions(
            parent=self,
            provider=provider,
            version=_PLUGIN_VERSION,
            depends_on=[self.made[name] for name in one.after],
            protect=one.protect,
            delete_before_replace=one.delete_first or None,  # False would overrule the provider, which knows better
            ignore_changes=list(one.ignore),
            custom_timeouts=limits,
            additional_secret_outputs=list(one.secrets),
        )
