"""The two kinds of stack file: `Endpoint` (what is served) and `Platform` (where).

Only the shape is checked here: keys, types, ranges, characters. Whether a model or an accelerator exists is the
catalogue's business, and whether it fits is the plan's.
"""

from infra.spec.endpoint import Accelerator, Adapter, Capacity, EndpointSpec, Engine, Media, Replicas
from infra.spec.exposure import Client, Expose, Gateway
from infra.spec.fields import CAPACITIES, NAME_PATTERN
from infra.spec.gke import Budget, Cluster, Gke, WeightsBucket
from infra.spec.google import Google
from infra.spec.job import Job, Place
from infra.spec.kubernetes import Kubernetes, NodeGroup
from infra.spec.machine import Host, Local
from infra.spec.managed import MANAGED_FRAMEWORKS, Caller, Vertex, VertexAutoscaling, needs_accelerator
from infra.spec.monitoring import Monitoring
from infra.spec.network import Network
from infra.spec.node_pool import NodePool
from infra.spec.platform import PlatformSpec, Prometheus
from infra.spec.problems import Spec, spec_problems
from infra.spec.scaling import Hours, Scaling
from infra.spec.secrets import ManagedKeys, ManagedSecret
from infra.spec.weights import Weights

__all__ = [
    "CAPACITIES",
    "MANAGED_FRAMEWORKS",
    "NAME_PATTERN",
    "Accelerator",
    "Adapter",
    "Budget",
    "Caller",
    "Capacity",
    "Client",
    "Cluster",
    "EndpointSpec",
    "Engine",
    "Expose",
    "Gateway",
    "Gke",
    "Google",
    "Host",
    "Hours",
    "Job",
    "Kubernetes",
    "Local",
    "ManagedKeys",
    "ManagedSecret",
    "Media",
    "Monitoring",
    "Network",
    "NodeGroup",
    "NodePool",
    "Place",
    "PlatformSpec",
    "Prometheus",
    "Replicas",
    "Scaling",
    "Spec",
    "Vertex",
    "VertexAutoscaling",
    "Weights",
    "WeightsBucket",
    "needs_accelerator",
    "spec_problems",
]
