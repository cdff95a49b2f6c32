"""JSON Schema of stack files, for editors: generated, so that it cannot disagree with the checks."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter

from infra.catalog.loader import load_catalog
from infra.spec import CAPACITIES, MANAGED_FRAMEWORKS, EndpointSpec, PlatformSpec
from infra.spec.monitoring import MONITORING_KINDS
from infra.spec.platform import PLATFORM_KINDS

# What an editor shows beside a key. Keys that mean the same everywhere stand once.
_MEANINGS = {
    "adapters": "LoRA adapters, each asked for by its name in place of the model's.",
    "accessMode": "pvc: how the claim's volume may be mounted. ReadWriteOnce: one replica.",
    "file": "file: GGUF file of this machine, by its whole path.",
    "sha256": "file: SHA-256 that the file has to have. Default: not compared.",
    "keep": "local: downloaded weights stay when the stack is destroyed. Default: true.",
    "port": "local: port of the service on loopback. Default: 8080.",
    "processors": "Processors of the machine, on which the threads of accelerator cpu rest. Default: one thread.",
    "bucket": "gcs, job: Cloud Storage bucket. Of a created platform: the one it makes for weights, {name}.",
    "claim": "pvc, job: PersistentVolumeClaim in the stack's namespace.",
    "path": "Folder with the checkpoint's files, below the root of volume or bucket. Of a job: file or folder.",
    "privateGoogleAccess": "gcs: pods reach Google at private.googleapis.com alone. Default: false.",
    "serviceAccount": "gcs: Google account to act as. Default: the endpoint's own identity. Of callers: of their pods.",
    "tokenSecret": "hugging-face: Secret in the endpoint's namespace with a hub token, or a secret of Secret Manager.",
    "address": "SSH address of the machine, such as me@mac-studio.",
    "addresses": "In place of address: SSH addresses of several machines of one kind, one replica each.",
    "accelerator": "Accelerator of one replica: a type, or {type, count}.",
    "apiKeySecret": "NIM: Secret in the endpoint's namespace that holds NGC_API_KEY, or a secret of Secret Manager.",
    "authentication": "key: callers show a key. none: every client that the network admits may call. Default: key.",
    "apiVersion": "Version of this format.",
    "args": "Long flags for the engine, such as --seed=7. Those that the plan owns are refused.",
    "budgetUsdPerMonth": "A plan that can cost more is refused. USD per month, all replicas.",
    "capacity": "How the machines are bought, in the order in which it is tried. Default: the cheapest that fits.",
    "certificate": "Certificate of the gateway: {secret: NAME} in the endpoint's namespace, or {map: NAME}.",
    "channel": "experimental: run a framework that is experimental, with its open faults. Default: stable.",
    "checkpoint": "Another checkpoint of the same precision: its repository.",
    "cluster": "GKE cluster: made by this stack, or adopted with create: false.",
    "clients": "Pods that may call beside those with the endpoint's client label, such as {namespace: search}.",
    "concurrency": "Full-length requests that must fit at once, guaranteed by the memory proof. Default: 1.",
    "context": "Context of the cluster in the kubeconfig of whoever runs this.",
    "contextLength": "Tokens of one request. Default: the longest of 32768, 16384 and 8192 that fits.",
    "controlPlane": "Range of the cluster's API as pods see it. Default: not known; needed for endpoint pickers alone.",
    "dataParallelSize": "Copies of the model in one replica. Default: the fewest that leave no accelerator idle.",
    "count": "Accelerators of one replica, or of one node. Default of a replica: the fewest that fit.",
    "create": "true: this stack makes the cluster or network. false: it is there already. Default: true.",
    "deletionProtection": "While true, cluster and bucket cannot be deleted. Default: true.",
    "domains": "Public names from which the engine may fetch media. Default: none; data: addresses always work.",
    "engine": "Overrides of what the plan would choose for the engine.",
    "expose": "Who may call the endpoint.",
    "framework": "Serving framework.",
    "image": "Image of the engine in place of the catalogue's: registry/repository:tag, or better @sha256:digest.",
    "host": "A Mac or Linux machine that is there.",
    "hostname": "DNS name of the endpoint, such as gemma.example.com.",
    "gke": "Google Kubernetes Engine.",
    "gateway": "Entrance from outside the cluster, TLS only. Default: none, the endpoint is called inside the cluster.",
    "gpuMemoryUtilization": "Share of each accelerator's memory that the engine may fill.",
    "instanceType": "Machine type of the nodes, where their labels name no GPU: aks and eks.",
    "inputs": "What requests may hold. Default: image and text.",
    "keySecret": "Secret with the keys `current` and `next`, or both in Secret Manager. Default: X-keys for X.",
    "current": "Key of callers.",
    "next": "Key of callers that opens as well, while they change to it.",
    "secretManager": "Secret of Secret Manager: NAME in the platform's project, or projects/P/secrets/NAME.",
    "kind": "Endpoint: what is served. Platform: where.",
    "kvCacheDtype": "Number format of the KV cache. Default: auto, that of the weights.",
    "labels": "On every object and billable resource, such as {team: search}. Of clients, nodes: how they are found.",
    "listener": "Name of the shared Gateway's HTTPS listener. Default: https.",
    "local": "This machine.",
    "interface": "Network interface of the machines, such as en0, on which callers come. Default: loopback alone.",
    "keepWeights": "Whether downloaded weights outlive the stacks. Default: true.",
    "reverseProxy": "https address of your own proxy before the machines. Default: none, callers use an SSH tunnel.",
    "kubernetes": "Any cluster, by kubeconfig context: nothing is made but the endpoints' objects.",
    "machines": "How many such nodes there are.",
    "vcpus": "Processors of one node.",
    "longestAnswerSeconds": "Longest answer that a planned stop lets finish. Default: 60.",
    "location": "Region, such as us-central1, or zone, such as us-central1-a.",
    "map": "Certificate map of Certificate Manager.",
    "max": "Most replicas. Default: as many as min.",
    "maxNumBatchedTokens": "Tokens per engine step. Default: the largest that leaves room for the guaranteed requests.",
    "media": "Where the engine may fetch images, video and audio from that requests name by address.",
    "memoryGiB": "Memory of the machine, for accelerator cpu; of one node of a group.",
    "microBatchTokens": "llama.cpp: tokens per step. Default: 512.",
    "min": "Fewest replicas; 0 only where KEDA's HTTP add-on holds requests.",
    "model": "Instruction-tuned Gemma 4 model.",
    "monitoring": "Who reads metrics and evaluates alerts, or {kind, namespace, labels}. gke: managed-prometheus.",
    "name": "Name of the GKE cluster, network or bucket, of the shared Gateway, or of an adapter.",
    "namespace": "Namespace of a client's or caller's pods, of the shared Gateway, or of the operator's Prometheus.",
    "nodeServiceAccount": "Google account of the nodes. Default: one that a created platform makes; else Google's.",
    "pipelineParallelSize": "Stages into which the layers are cut. Default: 1.",
    "platform": "Name of a stack of kind Platform: X for X.yaml in the same folder.",
    "precision": "Number format of the weights: picks the checkpoint. Default: the best at the lowest price that fits.",
    "project": "Google Cloud project id.",
    "proxyOnlySubnet": "Range of the region's proxy-only subnet, such as 10.129.0.0/23. Needed for regional gateways.",
    "rank": "Rank of an adapter, as its adapter_config.json says it (r). Of a job in mode lora; default: 8.",
    "readOnlyRoot": "Containers with GPUs start with a read-only root on these nodes, as you tried. Default: false.",
    "reason": "Why no key is needed: who keeps strangers out instead. Required with authentication none.",
    "reasoning": "Reasoning parser. Default: false.",
    "reservation": "Name of a Compute Engine reservation.",
    "repository": "Hub repository of an adapter.",
    "revision": "Hub commit. Of the weights, default: the catalogue's; without one, branch main.",
    "registrySecret": "NIM: Secret in the endpoint's namespace that pulls its image, or a secret of Secret Manager.",
    "releaseChannel": "GKE release channel. Default: REGULAR.",
    "replicas": "How many copies run. Default: 1.",
    "routing": "service, or inference-pool: an endpoint picker chooses the replica. Default: service.",
    "scope": "internal: reached inside the network. external: reached from the internet.",
    "secret": "Secret of type kubernetes.io/tls in the endpoint's namespace.",
    "shared": "Gateway of the platform to which the route is attached, in place of one of its own.",
    "source": "Where the weights come from. Default: hugging-face.",
    "spare": "Machines that the pool may add above max for a roll-out, so that nothing stops answering. Default: 0.",
    "speculativeDecoding": "The model's drafter proposes tokens. Default: false.",
    "startupTimeoutSeconds": "Seconds after which a start has failed. Default: twice the estimate.",
    "tensorParallelSize": "Accelerators that share every layer. Default: all of a replica.",
    "tools": "Tool-call parser. Default: false.",
    "type": "Accelerator type.",
    "unifiedSlots": "llama.cpp: one KV cache for all slots. Default: false.",
    "version": "Of the engine: default the newest known to serve Gemma 4. Of a secret: a number; default latest.",
    "weights": "Which of several checkpoints, and from where.",
    "bootDiskGb": "Size of the machines' boot disk, GB. Default: the smallest for image and weights.",
    "driverVersion": "GPU driver that GKE installs: default, or latest. Default: default.",
    "imageStreaming": "Images are read while they start. Default: true where the image is in Artifact Registry.",
    "localSsds": "Local SSDs of 375 GiB per machine. Default: those that the machine type brings.",
    "maxRunSeconds": "Seconds after which a machine is taken away. Default: as long as it is paid for.",
    "mode": "Whether GKE makes the nodes by itself; default: standard. Of a job: generate, evaluate or lora.",
    "nodePool": "Driver, disks and lifetime of the machines.",
    "zones": "Zones of the region in which accelerators may run. Default: all that offer them.",
    "autoscaler": "Sets the number of replicas: hpa, Kubernetes' own; keda, where KEDA is installed. Default: hpa.",
    "end": "When it ends: a cron expression of five fields.",
    "httpAddOn": "KEDA's HTTP add-on is installed, so that endpoints may have no replica. Default: false.",
    "requireLock": "Refuse stacks of which servestack.lock does not fix every repository and image. Default: false.",
    "metric": "What the number of replicas follows. Default: queue. Of Vertex AI: accelerator, cpu or requests.",
    "prometheus": "Where KEDA asks for the engines' metrics.",
    "scaling": "How the number of replicas moves between min and max. Default: by the queue.",
    "schedule": "Times with more replicas than min, for autoscaler keda.",
    "start": "When it begins: a cron expression of five fields, such as 0 7 * * 1-5.",
    "target": "Per replica. Default: queue 4, running 0.7 of concurrency, kv-cache 0.9. Of Vertex AI: %, or requests.",
    "timezone": "IANA time zone, such as Europe/Berlin.",
    "authorizedNetworks": "Ranges from which the cluster's API is reached by address. Default: none, by DNS alone.",
    "billingAccount": "Billing account of the project, such as 0A1B2C-3D4E5F-678901.",
    "budget": "Budget whose alerts go out by e-mail. Default: none.",
    "covers": "What counts: project, or platform for what has its label. Default: project.",
    "emails": "Who is told. Default: the billing account's administrators alone.",
    "lacks": "What an adopted cluster has not; `servestack check` prints this line. Default: it has all.",
    "maxNodes": "Nodes that the ranges must have room for. Default: 100.",
    "maxPodsPerNode": "Pods of a node, 8 to 256. Default: 110.",
    "network": "Network of a created cluster. Default: one of its own; create: false names one that is there.",
    "nodes": "gke: range of the nodes, default 10.0.0.0/20. kubernetes: what plans count on (servestack nodes).",
    "pods": "Range of the pods; default: 10.4.0.0/14. Of a job: pods that share the records; default: 1.",
    "podsRange": "Name of the subnet's secondary range for pods.",
    "registry": "Images are pulled through repositories that a created platform makes. Default: true.",
    "services": "Range of the Services. Default: 10.8.0.0/20.",
    "servicesRange": "Name of the subnet's secondary range for Services.",
    "subnetwork": "Name of the nodes' subnet.",
    "usdPerMonth": "USD per month, of which 50, 90 and 100 % and a forecast of 100 % raise alerts.",
    "acceptLicence": "Accept the model's licence in the project's name. Default: false.",
    "autoscaling": "Model Garden: {metric, target} to which replicas are held. Default: Vertex AI's own.",
    "callers": "Pods that call a managed endpoint beside those of its namespace: {namespace, serviceAccount}.",
    "container": "Whose arguments serve: planned, those of the proof; verified, Model Garden's. Default: planned.",
    "expectedRequestsPerMinute": "Requests per minute that callers will send: the plan warns of known limits.",
    "google": "A Google Cloud project, for managed endpoints alone.",
    "provider": "What makes the endpoint: sdk reads back and cleans up; native is Pulumi's own. Default: sdk.",
    "reservationZone": "Zone of the reservation that capacity names.",
    "serverless": "On Google's own machines, without a deployment. Default: false.",
    "vertex": "How framework vertex serves.",
    "adapter": "LoRA weights that a job of mode generate or evaluate loads: a place.",
    "batchSize": "Records of a job's step. Default: 1.",
    "budgetUsd": "A job that can cost more until its deadline is refused. USD.",
    "deadlineSeconds": "Seconds after which the whole job is ended. Default: 86400.",
    "epochs": "Passes over the records, of mode lora. Default: 1.",
    "input": "JSON lines with prompt, and response: a file, or a folder of such files.",
    "job": "keras: a batch that ends, in place of an endpoint that serves.",
    "learningRate": "Of Adam, of mode lora. Default: 0.0001.",
    "output": "Folder of a job's results.",
    "parallel": "Pods of a job that run at once. Default: all.",
    "preset": "A preset of keras-hub that is there: a place. Default: the model's, from Kaggle.",
    "retries": "How often a job's pod is tried again; the end of its machine does not count. Default: 3.",
    "saveSeconds": "Longest time between two saves of a job's progress. Default: 300.",
    "seed": "Of a job's random numbers. Default: 0.",
    "sequenceLength": "Tokens of a record, prompt and answer. Default: 1024.",
    "temperature": "Of mode generate; 0 takes the likeliest token. Default: 0.",
    "url": "Address of a Prometheus, such as http://frontend.gmp-system.svc:9090.",
}


def schema_text() -> str:
    """The schema as JSON text; words of the catalogue become enumerations, so that editors complete them."""
    endpoint: dict[str, Any] = TypeAdapter(EndpointSpec).json_schema()
    platform: dict[str, Any] = TypeAdapter(PlatformSpec).json_schema()
    catalog = load_catalog()
    definitions = endpoint.pop("$defs") | platform.pop("$defs") | {"EndpointSpec": endpoint, "PlatformSpec": platform}
    accelerators = _words(catalog.accelerators)
    precisions = {one.precision for model in catalog.models.values() for one in model.checkpoints}
    definitions["Accelerator"]["properties"]["type"] = accelerators
    words = {"type": "string", "enum": [word for word in CAPACITIES if word != "reservation"]}
    capacity = endpoint["properties"]["capacity"]["anyOf"][0]
    capacity["items"] = {"anyOf": [words, {"$ref": "#/$defs/Capacity"}]}
    named = definitions["Capacity"]
    named["properties"] = {"reservation": named["properties"]["reservation"]["anyOf"][0]}
    named["required"] = ["reservation"]
    endpoint["properties"] |= {
        "accelerator": {"anyOf": [accelerators, {"$ref": "#/$defs/Accelerator"}]},
        "model": _words(catalog.models),
        "framework": _words(catalog.frameworks),
        "precision": _words(precisions),
    }
    # Google's own machines serve some endpoints; which, only the checks know.
    managed = {"properties": {"framework": {"enum": list(MANAGED_FRAMEWORKS)}}, "required": ["framework"]}
    endpoint |= {"if": {"not": managed}, "then": {"required": ["accelerator"]}}
    monitoring = [_words(MONITORING_KINDS), {"$ref": "#/$defs/Monitoring"}]
    platform["properties"]["monitoring"] = {"anyOf": monitoring}
    platform["oneOf"] = [{"required": [place]} for place in PLATFORM_KINDS]
    carried = [one.id for one in catalog.accelerators.values() if one.kind in {"cpu", "gpu"}]
    definitions["NodeGroup"]["properties"]["accelerator"] = _words(carried)
    for definition in definitions.values():
        definition.pop("title", None)
        for key, value in definition["properties"].items():
            definition["properties"][key] = _described(key, value)
    # Not `oneOf`: an editor would report a mistake in an Endpoint as "matches neither".
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Servestack stack file",
        "description": "Generated by `servestack schema`.",
        "type": "object",
        "if": {"properties": {"kind": {"const": "Platform"}}, "required": ["kind"]},
        "then": {"$ref": "#/$defs/PlatformSpec"},
        "else": {"$ref": "#/$defs/EndpointSpec"},
        "$defs": definitions,
    }
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def _words(words: Any) -> dict[str, Any]:
    return {"type": "string", "enum": sorted(words)}


def _described(key: str, value: dict[str, Any]) -> dict[str, Any]:
    """A property with its meaning, without the null that only stands for an absent key."""
    alternatives = [one for one in value.get("anyOf", ()) if one != {"type": "null"}]
    described = {name: one for name, one in value.items() if name not in {"title", "anyOf", "default"}}
    described |= alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives} if alternatives else {}
    if "patternProperties" in described:
        described["additionalProperties"] = False
    if value.get("default") is not None and "$ref" not in value:
        described["default"] = value["default"]
    return described | {"description": _MEANINGS[key]}
