"""Waits for a Deployment. Official behaviour: await/deployment.go."""

from __future__ import annotations

from typing import Any, Final

from typing_extensions import override

from simulator.kubernetes_provider.awaiting import Awaiter, AwaitRequest, is_owned_by
from simulator.kubernetes_provider.engine_log import INFO, WARNING
from simulator.kubernetes_provider.informer import DELETED, Event, Watched
from simulator.kubernetes_provider.names import metadata_text
from simulator.kubernetes_provider.pod_check import pod_warnings
from simulator.kubernetes_provider.properties import Object

_REVISION: Final = "deployment.kubernetes.io/revision"


def _revision(obj: Object) -> str:
    return str(((obj.get("metadata") or {}).get("annotations") or {}).get(_REVISION) or "")


class DeploymentAwaiter(Awaiter):
    """Ready when available, the ReplicaSet of its revision has its pods, and every claim is bound.

    From the second revision on, the rollout must also be complete. That the scheduler finds no place, or that a
    quota refuses the pods, is never shown: only warnings of pods are.
    """

    tick_seconds = 10.0

    def __init__(self, request: AwaitRequest) -> None:
        super().__init__(request)
        self._observed = False
        self._early: list[Event] = []
        self._generation = "0"
        self._available = False
        self._rolled_out = False
        self._new_pods_ready = False
        self._claims_bound = False
        self._errors: dict[str, str] = {}
        self._replica_sets: dict[str, Object] = {}
        self._pods: dict[str, Object] = {}
        self._claims: dict[str, Object] = {}

    @override
    def watched(self) -> list[Watched]:
        namespace = self.namespace
        return [
            Watched("apps/v1", "Deployment", namespace),
            Watched("apps/v1", "ReplicaSet", namespace),
            Watched("v1", "Pod", namespace),
            Watched("v1", "PersistentVolumeClaim", namespace),
        ]

    @override
    def prepare_read(self) -> None:
        """A read check does not wait for the controller to see the object."""
        self._observe()

    @override
    def handle(self, event: Event) -> None:
        """Holds everything back until the controller has seen the current generation."""
        if self._observed:
            self._process(event)
        elif self.is_own(event):
            status = event.object.get("status") or {}
            generation = (event.object.get("metadata") or {}).get("generation")
            self._early.append(event)
            if status.get("observedGeneration") == generation:
                self._early = [kept for kept in self._early if not self.is_own(kept)]
                self._observed = True
                self._process(event)
                self._observe()
        elif event.source != "Deployment":
            self._early.append(event)

    def _observe(self) -> None:
        self._observed = True
        early, self._early = self._early, []
        for event in early:
            self._process(event)

    def _process(self, event: Event) -> None:
        if event.source == "Deployment":
            self._deployment(event)
        elif event.source == "ReplicaSet":
            self._replica_set(event)
        elif event.source == "Pod":
            self._pod(event)
        elif event.source == "PersistentVolumeClaim":
            self._claim(event)

    def _deployment(self, event: Event) -> None:
        self._errors = {}
        if not self.is_own(event) or event.type == DELETED:
            return
        self.live = event.object
        self._generation = _revision(event.object)
        conditions = (event.object.get("status") or {}).get("conditions")
        if not self._generation or not isinstance(conditions, list):
            return
        for condition in conditions:
            holds = condition.get("status") == "True"
            if condition.get("type") == "Progressing":
                if not holds:
                    self._note(condition)
                self._rolled_out = holds and condition.get("reason") == "NewReplicaSetAvailable"
            elif condition.get("type") == "Available":
                self._available = holds
                if not holds:
                    self._note(condition)
        self._check_replica_set()
        self._check_claims()

    def _note(self, condition: dict[str, Any]) -> None:
        reason, message = condition.get("reason"), condition.get("message")
        if isinstance(reason, str) and isinstance(message, str):
            text = f"[{reason}] {message}"
            self._errors[reason] = text
            self.log.status(WARNING, text)

    def _replica_set(self, event: Event) -> None:
        if not is_owned_by(event.object, self.live):
            return
        if event.type == DELETED:
            self._replica_sets.pop(_revision(event.object), None)
            return
        self._replica_sets[_revision(event.object)] = event.object
        self._check_replica_set()

    def _check_replica_set(self) -> None:
        current = self._replica_sets.get(self._generation)
        if self._generation == "0" or current is None:
            return
        wanted = (current.get("spec") or {}).get("replicas", 1)
        status = current.get("status") or {}
        ready = status.get("readyReplicas", 0)
        enough = ready >= wanted if "readyReplicas" in status else wanted == 0
        last = _revision(self.request.previous) if self.request.previous is not None else None
        self._new_pods_ready = enough
        if last is None or last != self._generation:
            self._new_pods_ready = enough and (last or "") != self._generation
        if not self._new_pods_ready:
            text = f"Waiting for app ReplicaSet to be available ({ready}/{wanted} Pods available)"
            self.log.status(INFO, text)
        elif wanted == 0:
            self.log.status(WARNING, f'Replicas scaled to 0 for Deployment "{self.name}"')

    def _claim(self, event: Event) -> None:
        uid, name = metadata_text(event.object, "uid"), metadata_text(event.object, "name")
        if event.type == DELETED:
            self._claims.pop(uid, None)
            return
        template = (self.live.get("spec") or {}).get("template") or {}
        for volume in (template.get("spec") or {}).get("volumes") or []:
            if (volume.get("persistentVolumeClaim") or {}).get("claimName") == name:
                self._claims[uid] = event.object
        self._check_claims()

    def _check_claims(self) -> None:
        bound = True
        for claim in self._claims.values():
            phase = (claim.get("status") or {}).get("phase")
            if phase is None:
                return
            if phase != "Bound":
                bound = False
                name = metadata_text(claim, "name")
                self.log.status(
                    WARNING,
                    f"PersistentVolumeClaim: [{name}] is not ready. status.phase currently at: {phase}",
                )
        self._claims_bound = bound

    def _pod(self, event: Event) -> None:
        if not is_owned_by(event.object, self._replica_sets.get(self._generation)):
            return
        name = metadata_text(event.object, "name")
        if event.type == DELETED:
            self._pods.pop(name, None)
        else:
            self._pods[name] = event.object

    def _pod_warnings(self) -> list[str]:
        current = self._replica_sets.get(self._generation)
        owned = [pod for pod in self._pods.values() if is_owned_by(pod, current)]
        return [text for pod in owned for text in pod_warnings(pod)]

    @override
    def tick(self) -> None:
        """Shows pod warnings."""
        for text in self._pod_warnings():
            self.log.status(WARNING, text)

    def _claims_ready(self) -> bool:
        return not self._claims or self._claims_bound

    @override
    def ready(self) -> bool:
        """Whether the Deployment is ready."""
        done = self._available and self._new_pods_ready and self._claims_ready()
        if self._generation != "1":
            done = done and self._rolled_out
        if not (self._observed and done):
            return False
        self.log.status(INFO, "✅ Deployment initialization complete")
        return True

    @override
    def sub_errors(self) -> list[str]:
        messages = list(self._errors.values())
        if not self._claims_ready():
            names = ",".join(
                metadata_text(claim, "name")
                for claim in self._claims.values()
                if (claim.get("status") or {}).get("phase") != "Bound"
            )
            messages.append(f'Failed to bind PersistentVolumeClaim(s): "{names}"')
        first = self._generation == "1"
        if not self._available:
            messages.append("Minimum number of live Pods was not attained")
        elif (first and not self._new_pods_ready) or (not first and not self._rolled_out):
            messages.append("Minimum number of Pods to consider the application live was not attained")
        elif not self._new_pods_ready:
            messages.append(
                "Attempted to roll forward to new ReplicaSet, but minimum number of Pods did not become live"
            )
        return messages + self._pod_warnings()
