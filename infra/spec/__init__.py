"""The two kinds of stack file: `Endpoint` (what is served) and `Platform` (where).

Only the shape is checked here: keys, types, ranges, characters. Whether a model or an accelerator exists is the
catalogue's business, and whether it fits is the plan's.
"""

from infra.spec.endpoint import Accelerator, Capacity, EndpointSpec, Engine, Replicas
from infra.spec.exposure import Client, Expose, Gateway
from infra.spec.fields import CAPACITIES, NAME_PATTERN
from infra.spec.platform import Cluster, Gke, Host, Local, PlatformSpec
from infra.spec.problems import Spec, spec_problems
from infra.spec.weights import Weights

__all__ = [
    "CAPACITIES",
    "NAME_PATTERN",
    "Accelerator",
    "Capacity",
    "Client",
    "Cluster",
    "EndpointSpec",
    "Engine",
    "Expose",
    "Gateway",
    "Gke",
    "Host",
    "Local",
    "PlatformSpec",
    "Replicas",
    "Spec",
    "Weights",
    "spec_problems",
]
