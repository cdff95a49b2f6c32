"""The provider's functions: getCluster and getEngineVersions."""

from __future__ import annotations

import collections.abc
import typing
from typing import Any

from pulumi import _types

from simulator.google.cloud import Cloud, cluster_id
from simulator.google.cluster_outputs import cluster_outputs
from simulator.google.errors import GoogleError
from simulator.google.pool_outputs import NODE_VERSION
from simulator.google.wire import Properties

GET_CLUSTER = "gcp:container/getCluster:getCluster"
GET_ENGINE_VERSIONS = "gcp:container/getEngineVersions:getEngineVersions"
_CHANNELS = ("EXTENDED", "RAPID", "REGULAR", "STABLE")


def known_functions() -> list[str]:
    """Functions that are simulated."""
    return [GET_CLUSTER, GET_ENGINE_VERSIONS]


def get_cluster(cloud: Cloud, arguments: Properties, configuration: Properties) -> Properties:
    """A cluster as the data source google_container_cluster gives it.

    Its properties are the resource's, but every block is a list and has a plural name.

    Args:
        cloud: The simulated cloud.
        arguments: name, location, project.
        configuration: The provider's, for what the arguments leave out.

    Raises:
        GoogleError: There is no such cluster: "projects/P/locations/L/clusters/C not found", the text of
            magic-modules' data_source_google_container_cluster.go.
    """
    from pulumi_gcp.container.get_cluster import GetClusterResult  # takes half a second

    project, location = place(arguments, configuration)
    name = str(arguments["name"])
    record = cloud.get_cluster(project, location, name)
    full_name = cluster_id(project, location, name)
    if record is None:
        raise GoogleError(f"{full_name} not found")
    outputs = cluster_outputs(cloud.compute, full_name, record)
    outputs["resourceLabels"] = outputs["effectiveLabels"]
    return as_data_source(GetClusterResult, outputs)


def get_engine_versions(arguments: Properties, configuration: Properties) -> Properties:
    """The one version that the simulated GKE has."""
    project, location = place(arguments, configuration)
    channels = dict.fromkeys(_CHANNELS, NODE_VERSION)
    return {
        "id": f"projects/{project}/locations/{location}",
        "project": project,
        "location": location,
        "versionPrefix": arguments.get("versionPrefix"),
        "defaultClusterVersion": NODE_VERSION,
        "latestMasterVersion": NODE_VERSION,
        "latestNodeVersion": NODE_VERSION,
        "validMasterVersions": [NODE_VERSION],
        "validNodeVersions": [NODE_VERSION],
        "releaseChannelDefaultVersion": channels,
        "releaseChannelLatestVersion": channels,
    }


def place(inputs: Properties, configuration: Properties) -> tuple[str, str]:
    """Project and location of a resource, from its inputs or the provider's configuration.

    Raises:
        GoogleError: Neither names one; the texts are the Terraform provider's (tpgresource, GetProject and
            GetLocation, from memory).
    """
    project = inputs.get("project") or configuration.get("project")
    location = inputs.get("location") or configuration.get("region") or configuration.get("zone")
    if not project:
        raise GoogleError("project: required field is not set")
    if not location:
        raise GoogleError("Cannot determine location: set location in this resource or at provider-level")
    return str(project), str(location)


def as_data_source(result: type, source: Properties) -> Properties:
    """Values of a resource in the shape of a data source's result class."""
    shaped: Properties = {}
    for name, annotation in _types.output_type_types(result).items():
        value = source.get(name)
        if value is None:
            value = next((one for key, one in source.items() if name in _plurals(key)), None)
        shaped[name] = _shape(annotation, value)
    return {name: value for name, value in shaped.items() if value is not None}


def _shape(annotation: Any, value: Any) -> Any:
    if typing.get_origin(annotation) in (collections.abc.Sequence, list):
        values = value if isinstance(value, list) else [] if value is None else [value]
        element = typing.get_args(annotation)[0]
        return [_shape(element, one) for one in values]
    if isinstance(annotation, type) and _types.is_output_type(annotation) and isinstance(value, dict):
        return as_data_source(annotation, value)
    return value


def _plurals(name: str) -> tuple[str, ...]:
    """What Pulumi may call a list of a thing."""
    ending = f"{name[:-1]}ies" if name.endswith("y") else f"{name}es"
    return f"{name}s", ending
