"""Mistakes in a rendered endpoint, each with the one rule that it breaks; and changes that break none."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from infra.policy.security import ROOT_REASON, TOKEN_REASON
from tests.unit.policy_case import (
    SIDECAR,
    Case,
    args,
    autoscaler,
    budget,
    compute_class,
    context,
    cut,
    engine,
    env,
    limits,
    namespace,
    node,
    pod,
    pods_context,
    policy,
    put,
    requests,
    sidecar,
    unfixed,
    volume,
)
from tests.unit.policy_mistakes_exposure import EXPOSURE_ALLOWED, EXPOSURE_MISTAKES
from tests.unit.policy_mistakes_jobs import JOB_MISTAKES, JOBS_ALLOWED
from tests.unit.policy_mistakes_secrets import SECRET_MISTAKES, SECRETS_ALLOWED
from tests.unit.policy_mistakes_watching import WATCHING_ALLOWED, WATCHING_MISTAKES
from tests.unit.test_golden import MORE

GPU, LABEL = "nvidia.com/gpu", "servestack.dev/endpoint"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl"
TOKEN_VOLUME = {"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
HUB_TOKEN = {"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "hub", "key": "token"}}}
PROBE_OF_AN_HOUR = {"httpGet": {"path": "/health", "port": 1}, "periodSeconds": 10, "failureThreshold": 360}
SCALING = MORE["gemma4-31b-h100-busy"].plan.scaling
MUTATIONS: dict[str, tuple[str, Callable[[Case], object]]] = {
    "latest tag": ("image-pinned", put(engine, "image", "vllm/vllm-openai:latest")),
    "nightly tag": ("image-pinned", put(engine, "image", "vllm/vllm-openai:nightly-cu130")),
    "no tag": ("image-pinned", put(engine, "image", "vllm/vllm-openai")),
    "a port is no tag": ("image-pinned", put(engine, "image", "registry:5000/vllm")),
    "short digest": ("image-pinned", put(sidecar, "image", "caddy@sha256:00")),
    "sidecar of latest": ("image-pinned", put(sidecar, "image", "caddy:latest")),
    "no cpu request": ("sized", cut(requests, "cpu")),
    "no memory request": ("sized", cut(requests, "memory")),
    "no memory limit": ("sized", cut(limits, "memory")),
    "limit below request": ("sized", put(limits, "memory", "1Gi")),
    "accelerators only requested": ("sized", cut(limits, GPU)),
    "sidecar without resources": ("sized", cut(sidecar, "resources")),
    "more accelerators": ("accelerators-used", lambda case: case.accelerators("2")),
    "no accelerators": (
        "accelerators-used",
        lambda case: [which.pop(GPU) for which in case.resources.values()],
    ),
    "accelerators of another maker": (
        "accelerators-used",
        lambda case: [which.update({"amd.com/gpu": "1"}) for which in case.resources.values()],
    ),
    "plan leaves one idle": ("accelerators-used", lambda case: case.replan("parallelism", tensor=2)),
    "pool with more": ("accelerators-used", lambda case: node(case)["guestAccelerators"][0].update(count=2)),
    "another accelerator": (
        "on-its-pool",
        put(lambda case: case.pod["nodeSelector"], "cloud.google.com/gke-accelerator", "nvidia-l4"),
    ),
    "any pool": ("on-its-pool", cut(lambda case: case.pod["nodeSelector"], LABEL)),
    "another endpoint's pool": ("on-its-pool", put(lambda case: case.pod["nodeSelector"], LABEL, "other")),
    "a label that no node has": ("on-its-pool", put(lambda case: case.pod["nodeSelector"], "disk", "fast")),
    "spot pod, pool on demand": ("on-its-pool", put(node, "spot", False)),
    "pool of another type": ("on-its-pool", lambda case: node(case)["guestAccelerators"][0].update(type="nvidia-l4")),
    "another zone": (
        "on-its-pool",
        put(lambda case: case.pod["nodeSelector"], "topology.kubernetes.io/zone", "mars-a"),
    ),
    "GPU taint not tolerated": ("on-its-pool", lambda case: case.pod["tolerations"].pop(0)),
    "own taint not tolerated": ("on-its-pool", lambda case: case.pod["tolerations"].pop(1)),
    "wrong value tolerated": ("on-its-pool", put(lambda case: case.pod["tolerations"][1], "value", "other")),
    "wrong effect tolerated": ("on-its-pool", put(lambda case: case.pod["tolerations"][1], "effect", "NoExecute")),
    "everything tolerated": ("on-its-pool", lambda case: case.pod["tolerations"].append({"operator": "Exists"})),
    "taint added to the pool": (
        "on-its-pool",
        lambda case: node(case)["taints"].append({"key": "a", "value": "b", "effect": "NO_EXECUTE"}),
    ),
    "a class that names another pool": ("class-and-pools", lambda case: compute_class(case, "other")),
    "a class whose pool has no such label": ("class-and-pools", lambda case: compute_class(case, case.pool["name"])),
    "a class that takes any machine": (
        "class-and-pools",
        lambda case: case.add("ComputeClass", spec={"whenUnsatisfiable": "ScaleUpAnyway", "priorities": []}),
    ),
    "surge without a machine": (
        "roll-out-fits",
        put(lambda case: case.deployment["strategy"]["rollingUpdate"], "maxSurge", 1),
    ),
    "surge by default": ("roll-out-fits", cut(lambda case: case.deployment, "strategy")),
    "more replicas than machines": ("roll-out-fits", put(lambda case: case.deployment, "replicas", 2)),
    "more replicas in time than machines": ("roll-out-fits", lambda case: (unfixed(case), autoscaler(case, 1, 3))),
    "an autoscaler beside a fixed number": ("scaled-by-one", lambda case: autoscaler(case, 1, 1)),
    "KEDA beside a fixed number": (
        "scaled-by-one",
        lambda case: case.add(
            "ScaledObject",
            spec={"scaleTargetRef": {"name": case.plan.stack}, "minReplicaCount": 1, "maxReplicaCount": 1},
        ),
    ),
    "an autoscaler of nothing": ("scaled-by-one", lambda case: (unfixed(case), autoscaler(case, 1, 1, "other"))),
    "bounds upside down": ("scaled-by-one", lambda case: (unfixed(case), autoscaler(case, 3, 1))),
    "two autoscalers": (
        "scaled-by-one",
        lambda case: (unfixed(case), autoscaler(case, 1, 1), autoscaler(case, 1, 1)),
    ),
    "a plan that scales, and nothing that does": (
        "scaled-by-one",
        lambda case: (unfixed(case), setattr(case, "plan", dataclasses.replace(case.plan, scaling=SCALING))),
    ),
    "priority that nothing makes": ("priority-made", put(pod, "priorityClassName", "other")),
    "priority for all": ("priority-made", put(lambda case: case.one("PriorityClass"), "globalDefault", True)),
    "deadline without minReadySeconds": (
        "start-up-budget",
        lambda case: case.deployment.update(progressDeadlineSeconds=case.plan.timing.startup_seconds + 9),
    ),
    "probe gives up early": ("start-up-budget", put(lambda case: case.engine["startupProbe"], "failureThreshold", 3)),
    "probe by defaults": ("start-up-budget", put(engine, "startupProbe", {"httpGet": {"path": "/", "port": 1}})),
    "no start-up probe": ("start-up-budget", cut(engine, "startupProbe")),
    "roll-out gives up early": ("start-up-budget", put(lambda case: case.deployment, "progressDeadlineSeconds", 60)),
    "default deadline": ("start-up-budget", cut(lambda case: case.deployment, "progressDeadlineSeconds")),
    "slower start-up": ("start-up-budget", lambda case: case.replan("timing", startup_seconds=9000)),
    "short grace period": ("grace-period", put(pod, "terminationGracePeriodSeconds", 10)),
    "longer pre-stop": ("grace-period", put(lambda case: case.engine["lifecycle"]["preStop"]["sleep"], "seconds", 60)),
    "sidecar sleeps longer": (
        "grace-period",
        put(sidecar, "lifecycle", {"preStop": {"exec": {"command": ["sh", "-c", "sleep 20; true"]}}}),
    ),
    "longer drain": ("grace-period", lambda case: case.replan("timing", drain_seconds=60)),
    "hub token": ("no-secret-value", env("HF_TOKEN", "abc")),
    "api key": ("no-secret-value", env("VLLM_API_KEY", "abc")),
    "token by its form": ("no-secret-value", env("ANYTHING", "hf_" + "a" * 30)),
    "token in an argument": ("no-secret-value", args("--note", JWT)),
    "key as argument": ("no-secret-value", args("--api-key", "abc")),
    "key joined to its option": ("no-secret-value", args("--api-key=abc")),
    "password in a URL": ("no-secret-value", env("PROXY", "http://me:pass@proxy:3128")),
    "sidecar's key": ("no-secret-value", put(lambda case: case.sidecar["env"][0], "value", "abc")),
    "secret in an annotation": (
        "no-secret-value",
        put(lambda case: case.one("Service")["metadata"]["annotations"], "note", "sk-" + "a" * 40),
    ),
    "secret in a ConfigMap": (
        "no-secret-value",
        put(lambda case: case.one("ConfigMap")["data"], "OPENAI_API_KEY", "abc"),
    ),
    "private key in a ConfigMap": (
        "no-secret-value",
        put(lambda case: case.one("ConfigMap")["data"], "tls", "-----BEGIN PRIVATE KEY-----\nMII"),
    ),
    "a Secret with data": ("no-secret-value", lambda case: case.add("Secret", data={"key": "YWJj"})),
    "a Secret in plain": ("no-secret-value", lambda case: case.add("Secret", stringData={"key": "abc"})),
    "privileged": ("no-privilege", put(context, "privileged", True)),
    "escalation": ("no-privilege", put(context, "allowPrivilegeEscalation", True)),
    "escalation by default": ("no-privilege", cut(context, "allowPrivilegeEscalation")),
    "capabilities kept": ("no-privilege", cut(context, "capabilities")),
    "some capabilities dropped": ("no-privilege", put(context, "capabilities", {"drop": ["NET_RAW"]})),
    "capability added": ("no-privilege", put(lambda case: context(case)["capabilities"], "add", ["SYS_ADMIN"])),
    "whole /proc": ("no-privilege", put(context, "procMount", "Unmasked")),
    "SELinux type": ("no-privilege", put(pods_context, "seLinuxOptions", {"type": "spc_t"})),
    "AppArmor off": (
        "no-privilege",
        put(sidecar, "securityContext", SIDECAR["securityContext"] | {"appArmorProfile": {"type": "Unconfined"}}),
    ),
    "Windows host": ("no-privilege", put(pods_context, "windowsOptions", {"hostProcess": True})),
    "sysctl": ("no-privilege", put(pods_context, "sysctls", [{"name": "kernel.msgmax", "value": "1"}])),
    "sidecar without a context": ("no-privilege", put(sidecar, "securityContext", {"readOnlyRootFilesystem": True})),
    "host network": ("no-host", put(pod, "hostNetwork", True)),
    "host processes": ("no-host", put(pod, "hostPID", True)),
    "host IPC": ("no-host", put(pod, "hostIPC", True)),
    "host path": ("no-host", volume(hostPath={"path": "/"})),
    "NFS": ("no-host", volume(nfs={"server": "a", "path": "/"})),
    "host port": ("no-host", put(lambda case: sidecar(case)["ports"][0], "hostPort", 80)),
    "probe of another host": (
        "no-host",
        put(lambda case: case.engine["readinessProbe"]["httpGet"], "host", "169.254.169.254"),
    ),
    "hook to another host": (
        "no-host",
        put(sidecar, "lifecycle", {"postStart": {"httpGet": {"host": "a", "port": 1}}}),
    ),
    "root allowed": ("not-root", cut(pods_context, "runAsNonRoot")),
    "root wanted": ("not-root", put(pods_context, "runAsUser", 0)),
    "one container as root": ("not-root", put(context, "runAsNonRoot", False)),
    "one container with uid 0": ("not-root", put(context, "runAsUser", 0)),
    "writable root": ("read-only-root", put(context, "readOnlyRootFilesystem", False)),
    "root by default": ("read-only-root", cut(context, "readOnlyRootFilesystem")),
    "no seccomp": ("seccomp", cut(pods_context, "seccompProfile")),
    "seccomp off": ("seccomp", put(pods_context, "seccompProfile", {"type": "Unconfined"})),
    "seccomp off in one": ("seccomp", put(context, "seccompProfile", {"type": "Unconfined"})),
    "token mounted": ("no-token", put(pod, "automountServiceAccountToken", True)),
    "token by default": ("no-token", cut(pod, "automountServiceAccountToken")),
    "account gives tokens": ("no-token", cut(lambda case: case.one("ServiceAccount"), "automountServiceAccountToken")),
    "token in a volume": ("no-token", volume(**TOKEN_VOLUME)),
    "not restricted": ("namespace-restricted", put(namespace, "pod-security.kubernetes.io/enforce", "baseline")),
    "no Pod Security": ("namespace-restricted", cut(namespace, "pod-security.kubernetes.io/enforce")),
    "no NetworkPolicy": ("namespace-closed", lambda case: case.drop("NetworkPolicy")),
    "policy elsewhere": (
        "namespace-closed",
        put(lambda case: case.one("NetworkPolicy")["metadata"], "namespace", "other"),
    ),
    "policy for some pods": ("namespace-closed", put(policy, "podSelector", {"matchLabels": {"a": "b"}})),
    "egress open": ("namespace-closed", put(policy, "policyTypes", ["Ingress"])),
    "everyone comes in": ("namespace-closed", put(policy, "ingress", [{}])),
    "everyone is reached": ("namespace-closed", cut(lambda case: policy(case)["egress"][0], "to")),
    "budget of one": (
        "drain-possible",
        lambda case: budget(case).pop("maxUnavailable") and budget(case).update(minAvailable=1),
    ),
    "budget of all": (
        "drain-possible",
        lambda case: budget(case).pop("maxUnavailable") and budget(case).update(minAvailable="100%"),
    ),
    "no disruption": ("drain-possible", put(budget, "maxUnavailable", 0)),
    "no share of disruption": ("drain-possible", put(budget, "maxUnavailable", "0%")),
    "waits for unhealthy pods": ("drain-possible", cut(budget, "unhealthyPodEvictionPolicy")),
    "a claim to write to": (
        "weights-read-only",
        lambda case: (
            case.pod["volumes"].append({"name": "models", "persistentVolumeClaim": {"claimName": "models"}}),
            case.engine["volumeMounts"].append({"name": "models", "mountPath": "/models"}),
        ),
    ),
    "a bucket to write to": (
        "weights-read-only",
        lambda case: (
            case.pod["volumes"].append({"name": "models", "csi": {"driver": "gcsfuse.csi.storage.gke.io"}}),
            case.engine["volumeMounts"].append({"name": "models", "mountPath": "/models", "readOnly": False}),
        ),
    ),
    "an engine with the hub's token": ("hub-token-apart", lambda case: case.engine["env"].append(HUB_TOKEN)),
    "a sidecar with the hub's token": ("hub-token-apart", lambda case: case.sidecar["env"].append(HUB_TOKEN)),
    **EXPOSURE_MISTAKES,
    **JOB_MISTAKES,
    **SECRET_MISTAKES,
    **WATCHING_MISTAKES,
}
ALLOWED: dict[str, Callable[[Case], object]] = {
    "nothing changed": lambda _: None,
    "a claim to read from": lambda case: (
        case.pod["volumes"].append({"name": "models", "persistentVolumeClaim": {"claimName": "models"}}),
        case.engine["volumeMounts"].append({"name": "models", "mountPath": "/models", "readOnly": True}),
    ),
    "an init container with the hub's token": lambda case: case.pod["initContainers"].append(
        {k: v for k, v in SIDECAR.items() if k != "restartPolicy"} | {"name": "weights", "env": [HUB_TOKEN]}
    ),
    "digest and tag": put(engine, "image", f"a:5000/b:v1@sha256:{'a' * 64}"),
    "init container before the sidecar": lambda case: case.pod["initContainers"].insert(
        0, {k: v for k, v in SIDECAR.items() if k != "restartPolicy"} | {"name": "first"}
    ),
    "a key by reference": env("API_KEY", "$(KEY_OF_A_SECRET)"),
    "a key file": args("--api-key-file", "/keys/api-key", "--max-tokens=5", "--tokenizer", "x"),
    "a key as argument by reference": args("--api-key", "$(API_KEY)"),
    "a port below 1024": put(lambda case: context(case)["capabilities"], "add", ["NET_BIND_SERVICE"]),
    "a declared token": lambda case: (
        (
            case.pod.update(automountServiceAccountToken=True),
            case.deployment["template"]["metadata"].update(annotations={TOKEN_REASON: "reads its own pod"}),
        )
    ),
    "a declared writable root": lambda case: (
        (
            context(case).update(readOnlyRootFilesystem=False),
            case.deployment["template"]["metadata"].update(annotations={ROOT_REASON: "the image writes to itself"}),
        )
    ),
    "recreate": put(lambda case: case.deployment, "strategy", {"type": "Recreate"}),
    "a spare machine": lambda case: (
        (case.pool["autoscaling"].update(totalMaxNodeCount=2), case.deployment.pop("strategy"))
    ),
    "one of two available": lambda case: (
        (
            case.deployment.update(replicas=2),
            case.pool["autoscaling"].update(totalMaxNodeCount=2),
            budget(case).pop("maxUnavailable"),
            budget(case).update(minAvailable="50%"),
        )
    ),
    "seccomp in each container": lambda case: (
        (
            case.pod["securityContext"].pop("seccompProfile"),
            [
                one["securityContext"].update(seccompProfile={"type": "RuntimeDefault"})
                for one in (case.engine, case.sidecar)
            ],
        )
    ),
    "an autoscaler": lambda case: (unfixed(case), autoscaler(case, 1, 1)),
    "a longer probe": put(engine, "startupProbe", PROBE_OF_AN_HOUR),
    **EXPOSURE_ALLOWED,
    **JOBS_ALLOWED,
    **SECRETS_ALLOWED,
    **WATCHING_ALLOWED,
}
