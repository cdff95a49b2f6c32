"""No rights: Pod Security `restricted`, told field by field, and no token of the cluster's API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infra.policy.subject import Object, Pod, Rule, Subject, Violation, violation

TOKEN_REASON = "servestack.dev/service-account-token"
ROOT_REASON = "servestack.dev/writable-root"
_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
_SAFE_SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
}
_SELINUX_TYPES = {None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
_HANDLERS = (
    ("startupProbe",),
    ("readinessProbe",),
    ("livenessProbe",),
    ("lifecycle", "preStop"),
    ("lifecycle", "postStart"),
)


def _contexts(pod: Pod) -> Iterator[tuple[str, Object]]:
    """Security contexts of the pod and of every container, with their paths."""
    yield "securityContext", pod.security
    for one in pod.containers:
        yield f"{one.path}.securityContext", one.security


def _no_privilege(subject: Subject) -> Iterator[Violation]:
    for pod in subject.pods:
        for one in pod.containers:
            path, context = f"{one.path}.securityContext", one.security
            if context.get("privileged"):
                yield pod.violation(f"{path}.privileged", "must be false")
            if context.get("allowPrivilegeEscalation") is not False:
                yield pod.violation(f"{path}.allowPrivilegeEscalation", "must be false")
            capabilities = context.get("capabilities") or {}
            if "ALL" not in (capabilities.get("drop") or []):
                yield pod.violation(f"{path}.capabilities.drop", "must have ALL")
            added = sorted(set(capabilities.get("add") or []) - {"NET_BIND_SERVICE"})
            if added:
                yield pod.violation(f"{path}.capabilities.add", f"has {', '.join(added)}; only NET_BIND_SERVICE may be")
            if context.get("procMount") not in (None, "Default"):
                yield pod.violation(f"{path}.procMount", "must be Default")
        for path, context in _contexts(pod):
            yield from _no_special_profile(pod, path, context)


def _no_special_profile(pod: Pod, path: str, context: Object) -> Iterator[Violation]:
    selinux = context.get("seLinuxOptions") or {}
    if selinux.get("type") not in _SELINUX_TYPES or selinux.get("user") or selinux.get("role"):
        yield pod.violation(f"{path}.seLinuxOptions", "no user, role or special type")
    if (context.get("appArmorProfile") or {}).get("type") == "Unconfined":
        yield pod.violation(f"{path}.appArmorProfile", "must not be Unconfined")
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        yield pod.violation(f"{path}.windowsOptions.hostProcess", "must be false")
    for sysctl in context.get("sysctls") or []:
        if sysctl.get("name") not in _SAFE_SYSCTLS:
            yield pod.violation(f"{path}.sysctls", f"{sysctl.get('name')} is not a safe one")


def _no_host(subject: Subject) -> Iterator[Violation]:
    for pod in subject.pods:
        for field in ("hostNetwork", "hostPID", "hostIPC"):
            if pod.spec.get(field):
                yield pod.violation(field, "must be false")
        for volume in pod.spec.get("volumes") or []:
            kinds = sorted(key for key in volume if key != "name" and key not in _VOLUMES)
            if kinds:
                yield pod.violation(f"volumes[{volume.get('name')}].{kinds[0]}", "this kind of volume may not be")
        for one in pod.containers:
            for port in one.body.get("ports") or []:
                if port.get("hostPort"):
                    yield pod.violation(f"{one.path}.ports.hostPort", "must not be set")
            for steps in _HANDLERS:
                if _names_a_host(one.body, steps):
                    yield pod.violation(f"{one.path}.{'.'.join(steps)}", "must not name a host")


def _names_a_host(container: Object, steps: tuple[str, ...]) -> bool:
    handler: Any = container
    for step in steps:
        handler = handler.get(step) or {}
    return any((handler.get(way) or {}).get("host") for way in ("httpGet", "tcpSocket"))


def _not_root(subject: Subject) -> Iterator[Violation]:
    for pod in subject.pods:
        pods_own = pod.security.get("runAsNonRoot")
        if pods_own is False:
            yield pod.violation("securityContext.runAsNonRoot", "must be true")
        for one in pod.containers:
            own = one.security.get("runAsNonRoot")
            if own is False or (own is None and not pods_own):
                yield pod.violation(f"{one.path}.securityContext.runAsNonRoot", "must be true, here or on the pod")
        for path, context in _contexts(pod):
            if context.get("runAsUser") == 0:
                yield pod.violation(f"{path}.runAsUser", "must not be 0")


def _seccomp(subject: Subject) -> Iterator[Violation]:
    allowed = ("RuntimeDefault", "Localhost")
    for pod in subject.pods:
        pods_own = (pod.security.get("seccompProfile") or {}).get("type")
        if pods_own not in (None, *allowed):
            yield pod.violation("securityContext.seccompProfile", "must be RuntimeDefault or Localhost")
        for one in pod.containers:
            if ((one.security.get("seccompProfile") or {}).get("type") or pods_own) not in allowed:
                yield pod.violation(f"{one.path}.securityContext.seccompProfile", "must be RuntimeDefault or Localhost")


def _no_token(subject: Subject) -> Iterator[Violation]:
    for account in subject.of_kind("ServiceAccount"):
        if account.get("automountServiceAccountToken") is not False:
            yield violation(account, "automountServiceAccountToken", "must be false; a pod that needs one says so")
    for pod in subject.pods:
        if (pod.metadata.get("annotations") or {}).get(TOKEN_REASON):
            continue
        why = f"unless {TOKEN_REASON} says why"
        if pod.spec.get("automountServiceAccountToken") is not False:
            yield pod.violation("automountServiceAccountToken", f"must be false, {why}")
        for volume in pod.spec.get("volumes") or []:
            sources = (volume.get("projected") or {}).get("sources") or []
            if any("serviceAccountToken" in source for source in sources):
                yield pod.violation(f"volumes[{volume.get('name')}]", f"holds a token, {why}")


def _read_only(subject: Subject) -> Iterator[Violation]:
    for pod in subject.pods:
        if (pod.metadata.get("annotations") or {}).get(ROOT_REASON):
            continue
        for one in pod.containers:
            if one.security.get("readOnlyRootFilesystem") is not True:
                path = f"{one.path}.securityContext.readOnlyRootFilesystem"
                yield pod.violation(path, f"must be true, unless {ROOT_REASON} says why")


RULES = (
    Rule(
        "no-privilege",
        "No container is privileged, gains privileges, keeps or adds capabilities other than NET_BIND_SERVICE, or "
        "leaves its SELinux, AppArmor, sysctl or /proc limits.",
        "critical",
        False,
        _no_privilege,
    ),
    Rule(
        "no-host",
        "No pod uses the node's network, processes, ports or files, or probes another host.",
        "critical",
        False,
        _no_host,
    ),
    Rule("not-root", "No container runs as root.", "critical", False, _not_root),
    Rule(
        "read-only-root",
        f"No container can write to its image's files, unless the pod's annotation `{ROOT_REASON}` says why.",
        "high",
        False,
        _read_only,
    ),
    Rule("seccomp", "Every container has the runtime's seccomp profile, or one of its own.", "high", False, _seccomp),
    Rule(
        "no-token",
        f"No pod gets a service account token, unless its annotation `{TOKEN_REASON}` says why.",
        "high",
        False,
        _no_token,
    ),
)
