"""Kubernetes objects for the callers of an endpoint that Google runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from infra.components.cluster_access import ClusterAccess
from infra.components.kubernetes import object_resource, provider_of


class CallerObjects(pulumi.ComponentResource):
    """The objects, in the order in which they are given."""

    def __init__(
        self,
        stack: str,
        objects: list[dict[str, Any]],
        told: Mapping[str, pulumi.Input[str]],
        cluster: ClusterAccess,
        depends_on: Sequence[pulumi.Resource],
    ) -> None:
        """Declare them.

        Args:
            stack: name of the stack.
            objects: as rendered.
            told: values of the ConfigMap that only Google knows, by key.
            cluster: where.
            depends_on: what comes before the objects that read with rights.
        """
        super().__init__("servestack:kubernetes:CallerObjects", stack)
        provider = provider_of(cluster, self)
        namespace: list[pulumi.Resource] = []
        for manifest in objects:
            kind = manifest["kind"]
            if kind == "ConfigMap":
                manifest = {**manifest, "data": {**manifest["data"], **told}}
            before = [*namespace, *(depends_on if kind == "SecretSync" else ())]
            resource = object_resource(manifest, self, provider, before)
            if kind == "Namespace":
                namespace = [resource]
        self.register_outputs({})
