"""Hand-made custom resources: good ones, and for each a mistake that must be found."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import yaml

GOOD: dict[str, dict[str, Any]] = {
    one["kind"] if "coreos" not in one["apiVersion"] else f"coreos-{one['kind']}": one
    for one in yaml.safe_load_all("""
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: x}
spec: {controllerName: networking.gke.io/gateway}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: x}
spec:
  gatewayClassName: gke-l7-rilb
  listeners:
  - {name: https, port: 443, protocol: HTTPS, hostname: x.io, tls: {mode: Terminate, certificateRefs: [{name: x}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: x, labels: {app: x}}
spec:
  parentRefs: [{name: x, sectionName: https}]
  hostnames: [llm.example.com]
  rules:
  - matches: [{path: {type: PathPrefix, value: /v1}}]
    timeouts: {request: 300s}
    backendRefs: [{group: inference.networking.k8s.io, kind: InferencePool, name: x, weight: 1}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {name: x}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: web}]
  to: [{group: "", kind: Service}]
---
apiVersion: networking.gke.io/v1
kind: GCPBackendPolicy
metadata: {name: x}
spec:
  default: {timeoutSec: 600, connectionDraining: {drainingTimeoutSec: 60}, logging: {enabled: true, sampleRate: 10}}
  targetRef: {group: "", kind: Service, name: x}
---
apiVersion: networking.gke.io/v1
kind: GCPGatewayPolicy
metadata: {name: x}
spec:
  default: {sslPolicy: modern}
  targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: x}
---
apiVersion: networking.gke.io/v1
kind: HealthCheckPolicy
metadata: {name: x}
spec:
  default:
    checkIntervalSec: 15
    timeoutSec: 15
    config: {type: HTTP, httpHealthCheck: {requestPath: /health, port: 8000}}
  targetRef: {group: inference.networking.k8s.io, kind: InferencePool, name: x}
---
apiVersion: networking.gke.io/v1alpha1
kind: FQDNNetworkPolicy
metadata: {name: x}
spec:
  podSelector: {matchLabels: {app: x}}
  egress: [{matches: [{name: huggingface.co}, {pattern: "*.hf.co"}], ports: [{protocol: TCP, port: 443}]}]
---
apiVersion: inference.networking.k8s.io/v1
kind: InferencePool
metadata: {name: x}
spec:
  selector: {matchLabels: {app: x}}
  targetPorts: [{number: 8000}]
  endpointPickerRef: {name: x-epp, port: {number: 9002}, failureMode: FailOpen}
---
apiVersion: monitoring.googleapis.com/v1
kind: PodMonitoring
metadata: {name: x}
spec:
  selector: {matchLabels: {app: x}}
  endpoints: [{port: metrics, path: /metrics, interval: 30s, scheme: http}]
---
apiVersion: monitoring.googleapis.com/v1
kind: Rules
metadata: {name: x}
spec:
  groups:
  - name: x
    interval: 60s
    rules: [{alert: Slow, expr: "vector(1) > 0", for: 5m, labels: {severity: page}, annotations: {summary: slow}}]
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: x}
spec:
  scaleTargetRef: {name: x}
  minReplicaCount: 1
  maxReplicaCount: 4
  fallback: {failureThreshold: 3, replicas: 2, behavior: currentReplicasIfHigher}
  triggers:
  - {type: prometheus, metricType: AverageValue, metadata: {serverAddress: "http://p:9090", query: q, threshold: "4"}}
---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata: {name: x}
spec: {podIdentity: {provider: gcp}}
---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: {name: x}
spec:
  selector: {matchLabels: {app: x}}
  podMetricsEndpoints: [{port: metrics, path: /metrics, interval: 30s}]
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: x}
spec:
  selector: {matchLabels: {app: x}}
  endpoints: [{port: metrics, targetPort: 8000}]
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: x}
spec:
  groups: [{name: x, rules: [{alert: Slow, expr: vector(1), for: 5m}]}]
---
apiVersion: leaderworkerset.x-k8s.io/v1
kind: LeaderWorkerSet
metadata: {name: x}
spec:
  replicas: 1
  startupPolicy: LeaderCreated
  leaderWorkerTemplate:
    size: 2
    restartPolicy: RecreateGroupOnPodRestart
    leaderTemplate:
      metadata: {labels: {role: leader}}
      spec: {containers: [{name: c, image: i, resources: {limits: {cpu: "1"}}, ports: [{containerPort: 8000}]}]}
    workerTemplate: {spec: {containers: [{name: c, image: i}]}}
---
apiVersion: http.keda.sh/v1beta1
kind: InterceptorRoute
metadata: {name: x}
spec:
  target: {service: x, port: 8000}
  rules: [{hosts: [llm.example.com], paths: [{value: /v1}]}]
  scalingMetric: {concurrency: {targetValue: 8}}
  coldStart: {maxPendingRequests: 100}
  timeouts: {readiness: 600s}
---
apiVersion: llm-d.ai/v1alpha2
kind: InferenceObjective
metadata: {name: x}
spec: {priority: -1, poolRef: {group: inference.networking.k8s.io, name: x}}
---
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata: {name: x}
spec: {provider: gke, parameters: {secrets: "[]"}}
---
apiVersion: cloud.google.com/v1
kind: ComputeClass
metadata: {name: x}
spec:
  nodePoolAutoCreation: {enabled: true}
  nodePoolConfig: {imageStreaming: {enabled: true}, workloadMetadata: GKE_METADATA}
  priorities:
  - {machineType: g4-standard-48, gpu: {type: nvidia-rtx-pro-6000, count: 1, driverVersion: default}, spot: false}
  - machineType: g4-standard-48
    flexStart: {enabled: true, nodeRecycling: {leadTimeSeconds: 3600}}
    maxRunDurationSeconds: 604800
    capacityCheckWaitTimeSeconds: 1800
  - {machineType: g4-standard-48, spot: true, location: {zones: [us-central1-b], locationPolicy: ANY}}
  whenUnsatisfiable: DoNotScaleUp
---
apiVersion: secret-sync.gke.io/v1
kind: SecretSync
metadata: {name: x}
spec:
  serviceAccountName: x
  secretProviderClassName: x
  secretObject:
    type: kubernetes.io/dockerconfigjson
    data: [{sourcePath: dockerconfigjson, targetKey: .dockerconfigjson}, {sourcePath: a, targetKey: NGC_API_KEY}]
""")
}


class Mistake(NamedTuple):
    """A value put into a good object, and what the offline check says of it.

    Attributes:
        sample: Key in GOOD.
        path: Where; numbers are places in lists.
        value: What to put there; `...` removes what is there.
        said: Part of the message.
    """

    sample: str
    path: tuple[str | int, ...]
    value: Any
    said: str

    def applied(self) -> dict[str, Any]:
        bad = copy.deepcopy(GOOD[self.sample])
        *way, last = self.path
        place: Any = bad
        for step in way:
            place = place[step]
        if self.value is ...:
            del place[last]
        else:
            place[last] = self.value
        return bad


MISTAKES = (
    Mistake("GatewayClass", ("spec", "controllerName"), "no-domain", "spec.controllerName: 'no-domain' does not match"),
    Mistake("Gateway", ("spec", "listeners"), [], "spec.listeners: "),
    Mistake("Gateway", ("spec", "listeners", 0, "port"), 70000, "70000 is greater than the maximum of 65535"),
    Mistake("Gateway", ("spec", "listeners", 0, "tls", "mode"), "terminate", "'terminate' is not one of"),
    Mistake("HTTPRoute", ("spec", "rules", 0, "matches", 0, "path", "type"), "Prefix", "'Prefix' is not one of"),
    Mistake("HTTPRoute", ("spec", "rules", 0, "timeout"), "1s", "spec.rules.0: Additional properties are not allowed"),
    Mistake("HTTPRoute", ("spec", "rules", 0, "timeouts", "request"), "5 min", "'5 min' does not match"),
    Mistake("ReferenceGrant", ("spec", "to"), ..., "'to' is a required property"),
    Mistake("GCPBackendPolicy", ("spec", "default", "timeoutSeconds"), 1, "('timeoutSeconds' was unexpected)"),
    Mistake("GCPBackendPolicy", ("spec", "default", "timeoutSec"), "600", "'600' is not of type 'integer'"),
    Mistake(
        "GCPBackendPolicy", ("spec", "default", "connectionDraining", "drainingTimeoutSec"), 3601, "3601 is greater"
    ),
    Mistake("GCPGatewayPolicy", ("spec", "default", "sslPolicy"), 1, "1 is not of type 'string'"),
    Mistake("HealthCheckPolicy", ("spec", "default", "config", "type"), "http", "'http' is not one of"),
    Mistake("HealthCheckPolicy", ("spec", "targetRef"), ..., "'targetRef' is a required property"),
    Mistake("FQDNNetworkPolicy", ("spec", "egress", 0, "to"), [], "('to' was unexpected)"),
    Mistake(
        "FQDNNetworkPolicy", ("apiVersion",), "networking.gke.io/v1alpha3", "is served as v1alpha1, not as v1alpha3"
    ),
    Mistake("InferencePool", ("spec", "targetPorts"), [{"number": n} for n in range(1, 10)], "spec.targetPorts: "),
    Mistake("InferencePool", ("spec", "targetPortNumber"), 1, "('targetPortNumber' was unexpected)"),
    Mistake("InferencePool", ("spec", "endpointPickerRef", "failureMode"), "Open", "'Open' is not one of"),
    Mistake("PodMonitoring", ("spec", "endpoints", 0, "port"), ..., "'port' is a required property"),
    Mistake("PodMonitoring", ("spec", "endpoints", 0, "scrape"), "1s", "('scrape' was unexpected)"),
    Mistake("Rules", ("spec", "groups", 0, "rules", 0, "expr"), ..., "'expr' is a required property"),
    Mistake("ScaledObject", ("spec", "minReplicaCount"), 1.5, "1.5 is not of type 'integer'"),
    Mistake("ScaledObject", ("spec", "fallback", "behavior"), "higher", "'higher' is not one of"),
    Mistake("ScaledObject", ("spec", "triggers", 0, "metadata", "threshold"), 4, "4 is not of type 'string'"),
    Mistake("TriggerAuthentication", ("spec", "podIdentity", "provider"), "google", "'google' is not one of"),
    Mistake("coreos-PodMonitor", ("spec", "podMetricsEndpoints", 0, "interval"), "soon", "'soon' does not match"),
    Mistake("coreos-ServiceMonitor", ("spec", "selector"), ..., "'selector' is a required property"),
    Mistake("coreos-PrometheusRule", ("spec", "groups"), [{"name": "a"}, {"name": "a"}], "two items have name"),
    Mistake("LeaderWorkerSet", ("spec", "startupPolicy"), "Leader", "'Leader' is not one of"),
    Mistake(
        "LeaderWorkerSet",
        ("spec", "leaderWorkerTemplate", "workerTemplate", "spec", "containers", 0, "resource"),
        {},
        "('resource' was unexpected)",
    ),
    Mistake("InterceptorRoute", ("spec", "target", "port"), 0, "0 is less than the minimum of 1"),
    Mistake("InterceptorRoute", ("spec", "rules", 0, "hosts"), ["a", "a"], "has non-unique elements"),
    Mistake("InferenceObjective", ("spec", "poolRef", "name"), ..., "'name' is a required property"),
    Mistake("SecretProviderClass", ("spec", "parameters", "secrets"), [], "[] is not of type 'string'"),
    Mistake("ComputeClass", ("spec", "whenUnsatisfiable"), "Wait", "'Wait' is not one of"),
    Mistake("ComputeClass", ("spec", "priorities", 1, "flexStart"), True, "True is not of type 'object'"),
    Mistake("ComputeClass", ("spec", "priorities", 0, "gpus"), 1, "('gpus' was unexpected)"),
    Mistake("SecretSync", ("spec", "serviceAccountName"), ..., "'serviceAccountName' is a required property"),
    Mistake("SecretSync", ("spec", "secretObject", "data", 0, "targetKey"), "a b", "'a b' does not match"),
    Mistake("SecretSync", ("spec", "secretObject", "data", 0, "value"), "v", "('value' was unexpected)"),
    Mistake("HTTPRoute", ("metadata", "name"), "Not_a_name", "metadata.name: 'Not_a_name' does not match"),
    Mistake("HTTPRoute", ("metadata", "labels", "app"), 1, "metadata.labels.app: 1 is not of type 'string'"),
    Mistake("HTTPRoute", ("metadata", "label"), {}, "('label' was unexpected)"),
    Mistake("HTTPRoute", ("specs",), {}, "('specs' was unexpected)"),
    Mistake("HTTPRoute", ("kind",), "HttpRoute", 'no matches for kind "HttpRoute"'),
)
