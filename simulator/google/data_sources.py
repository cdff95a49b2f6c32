"""The provider's functions: what a program looks up rather than makes."""

from __future__ import annotations

import collections.abc
import importlib
import typing
from typing import Any

from pulumi import _types

from simulator.google import networks
from simulator.google.cloud import Cloud, cluster_id
from simulator.google.cluster_outputs import cluster_outputs
from simulator.google.errors import GoogleError
from simulator.google.named_resource import NamedResource
from simulator.google.pool_outputs import NODE_VERSION
from simulator.google.projects import CONTAINER, RESOURCE_MANAGER, check_call, number
from simulator.google.resource_ids import made_id, project_of
from simulator.google.resource_type import Request, relative
from simulator.google.resource_types import RESOURCE_TYPES
from simulator.google.wire import Properties

GET_CLUSTER = "gcp:container/getCluster:getCluster"
GET_PROJECT = "gcp:organizations/getProject:getProject"
GET_ENGINE_VERSIONS = "gcp:container/getEngineVersions:getEngineVersions"
_CHANNELS = ("EXTENDED", "RAPID", "REGULAR", "STABLE")


_LOOKED_UP = {
    "gcp:artifactregistry/getRepository:getRepository": "gcp:artifactregistry/repository:Repository",
    "gcp:compute/getNetwork:getNetwork": networks.NETWORK,
    "gcp:compute/getSubnetwork:getSubnetwork": networks.SUBNETWORK_TOKEN,
    "gcp:secretmanager/getSecret:getSecret": "gcp:secretmanager/secret:Secret",
    "gcp:serviceaccount/getAccount:getAccount": "gcp:serviceaccount/account:Account",
    "gcp:storage/getBucket:getBucket": "gcp:storage/bucket:Bucket",
}
"""Functions that read one thing of a type."""


def known_functions() -> list[str]:
    """Functions that are simulated."""
    return sorted([GET_CLUSTER, GET_ENGINE_VERSIONS, GET_PROJECT, *_LOOKED_UP])


def call(cloud: Cloud, token: str, arguments: Properties, configuration: Properties) -> Properties:
    """The answer of a function that is simulated.

    Raises:
        GoogleError: An argument is missing, the thing is not there, or its API does not answer.
    """
    if token == GET_ENGINE_VERSIONS:
        return get_engine_versions(arguments, configuration)
    if token == GET_PROJECT:
        return _get_project(cloud, arguments, configuration)
    if token in _LOOKED_UP:
        return _look_up(cloud, token, arguments, configuration)
    if not arguments.get("name"):
        raise GoogleError('Missing required argument: The argument "name" is required')
    return get_cluster(cloud, arguments, configuration)


def _get_project(cloud: Cloud, arguments: Properties, configuration: Properties) -> Properties:
    """Every project is there; its number always is the same."""
    project = arguments.get("projectId") or configuration.get("project")
    if not project:
        raise GoogleError("project: required field is not set")
    project = str(project).removeprefix("projects/")
    check_call(cloud.state.read(), project, RESOURCE_MANAGER, "project", "get", f"projects/{project}")
    return {
        "id": f"projects/{project}",
        "projectId": project,
        "name": project,
        "number": number(project),
        "autoCreateNetwork": True,
        "billingAccount": "",
        "deletionPolicy": "PREVENT",
        "effectiveLabels": {},
        "folderId": "",
        "labels": {},
        "orgId": "",
        "pulumiLabels": {},
        "tags": {},
    }


def _look_up(cloud: Cloud, token: str, arguments: Properties, configuration: Properties) -> Properties:
    """One thing; "ID not found" when there is none (transport_tpg.HandleDataSourceNotFoundError)."""
    module, _, name = token.split(":")[1].partition("/")
    result = getattr(importlib.import_module(f"pulumi_gcp.{module}"), f"{name[0].upper()}{name[1:]}Result")
    kind = RESOURCE_TYPES[_LOOKED_UP[token]]
    given = dict(arguments)
    if given.get("selfLink"):
        given["name"] = given["selfLink"]
        place_of = relative(str(given["selfLink"])).split("/")
        given |= {"project": place_of[1], "region": place_of[3]} if "regions" in place_of else {"project": place_of[1]}
    account = relative(str(given.get("accountId") or "")).rpartition("/")[2]
    if account:
        given["accountId"] = account.partition("@")[0]
    project = project_of(given, configuration)
    identifier = made_id(kind, Request(cloud.state.read(), project, given, configuration=configuration))
    resource = NamedResource(cloud.state, kind)
    found = resource.read(identifier, configuration)
    if found is None:
        made_up = _default_network(identifier, project)
        if made_up is None:
            raise GoogleError(f"{identifier} not found")
        return as_data_source(result, made_up)
    return as_data_source(result, {**found[0], "id": identifier})


def _default_network(identifier: str, project: str) -> Properties | None:
    """The network that every project has, and its subnetworks."""
    parts = identifier.split("/")
    if parts[0] != "projects" or parts[-1] != "default" or parts[-2] not in ("networks", "subnetworks"):
        return None
    found = {"id": identifier, "name": "default", "project": project, "selfLink": networks.LINK + identifier}
    if parts[-2] == "networks":
        return {**found, "networkId": int(networks.numeric_id(identifier)[:15]), "gatewayIpv4": "", "description": ""}
    network = f"{networks.LINK}projects/{project}/global/networks/default"
    return {**found, "region": parts[3], "network": network, "ipCidrRange": "10.128.0.0/20"}


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
    full_name = cluster_id(project, location, name)
    check_call(cloud.state.read(), project, CONTAINER, "cluster", "get", full_name)
    record = cloud.get_cluster(project, location, name)
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
