"""Joins the LeaderWorkerSet controller (sigs.k8s.io/lws) to a simulated cluster.

The controller is the real one, and does what its installation in a cluster does: it makes the pods of the groups and,
as a webhook of the API server, gives each its labels and LWS_* variables. The webhooks are those of the module's
config/webhook/manifests.yaml, under the names that its kustomization gives, with three differences: the API server
finds them by address; only pods of LeaderWorkerSets are sent to it; there are none for DisaggregatedSets.
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from simulator.certificates import Certificates
from simulator.errors import SimulatorError

_GROUP = "leaderworkerset.x-k8s.io"
_OF_A_SET = {"matchExpressions": [{"key": "leaderworkerset.sigs.k8s.io/name", "operator": "Exists"}]}
_LAST_PATH = "/validate-disaggregatedset-x-k8s-io-v1-disaggregatedset"
"""The webhook that the controller registers last (its cmd/main.go)."""
_QUESTION = json.dumps(
    {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {"uid": "ready", "operation": "CONNECT"},
    }
).encode()
"""What a webhook allows without a look at any object."""
_LIMIT_SECONDS = 5.0


@dataclass(frozen=True)
class LeaderWorkerSets:
    """The controller of one cluster.

    Attributes:
        directory: Where the cluster is kept.
        certificates: The cluster's: the controller serves its webhooks with the certificate of the API server.
        port: Where it serves them, on loopback.
    """

    directory: Path
    certificates: Certificates
    port: int

    def arguments(self) -> Sequence[str]:
        """Write the controller's settings; return what to start it with, besides the kubeconfig."""
        keys = self.certificates.authority.parent / "webhooks"
        keys.mkdir(exist_ok=True)
        # The names that it looks for in a folder.
        for name, file in (
            ("tls.crt", self.certificates.server_certificate),
            ("tls.key", self.certificates.server_key),
        ):
            if not (keys / name).is_symlink():
                (keys / name).symlink_to(os.path.relpath(file, keys))
        settings = self.directory / "lws-manager.json"
        settings.write_text(
            json.dumps(
                {
                    "apiVersion": "config.lws.x-k8s.io/v1alpha1",
                    "kind": "Configuration",
                    "internalCertManagement": {"enable": False},
                    "webhook": {"host": "127.0.0.1", "port": self.port, "certDir": str(keys)},
                    "metrics": {"bindAddress": "0"},
                    "health": {"healthProbeBindAddress": "0"},
                }
            )
        )
        return [f"--config={settings}", "--leader-elect=false", "--zap-devel=false"]

    def install_webhooks(self, server: str, token: str, context: ssl.SSLContext) -> None:
        """Make the API server send the controller what it must see, or send it where it is now.

        Raises:
            SimulatorError: The API server refuses, or does not answer.
        """
        for configuration in self._configurations():
            plural = configuration["kind"].lower() + "s"
            place = f"{server}/apis/admissionregistration.k8s.io/v1/{plural}/{configuration['metadata']['name']}"
            request = urllib.request.Request(
                f"{place}?fieldManager=simulator&force=true",
                data=json.dumps(configuration).encode(),
                headers={"Authorization": f"Bearer {token}", "Content-Type": "application/apply-patch+yaml"},
                method="PATCH",
            )
            try:
                with urllib.request.urlopen(request, timeout=_LIMIT_SECONDS, context=context):
                    pass
            except OSError as error:
                raise SimulatorError(
                    f"The webhooks of LeaderWorkerSets could not be installed in the cluster: {error}"
                ) from error

    def serves(self, context: ssl.SSLContext) -> bool:
        """Whether the controller answers at each of its webhooks."""
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._url(_LAST_PATH), data=_QUESTION, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=_LIMIT_SECONDS, context=context):
                return True
        except urllib.error.HTTPError as error:
            return error.code != HTTPStatus.NOT_FOUND
        except OSError:
            return False

    def _url(self, path: str) -> str:
        return f"https://127.0.0.1:{self.port}{path}"

    def _configurations(self) -> Sequence[dict[str, Any]]:
        sets, pods = "leaderworkerset-x-k8s-io-v1-leaderworkerset", "-v1-pod"
        return [
            self._configuration(
                "Mutating",
                self._webhook("mleaderworkerset.kb.io", f"/mutate-{sets}", "CREATE", "UPDATE"),
                self._webhook("mpod.kb.io", f"/mutate-{pods}", "CREATE", of_pods=True),
            ),
            self._configuration(
                "Validating",
                self._webhook("vleaderworkerset.kb.io", f"/validate-{sets}", "CREATE", "UPDATE"),
                self._webhook("vpod.kb.io", f"/validate-{pods}", "CREATE", "UPDATE", of_pods=True),
            ),
        ]

    @staticmethod
    def _configuration(does: str, *webhooks: dict[str, Any]) -> dict[str, Any]:
        return {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": f"{does}WebhookConfiguration",
            "metadata": {"name": f"lws-{does.lower()}-webhook-configuration"},
            "webhooks": list(webhooks),
        }

    def _webhook(self, name: str, path: str, *operations: str, of_pods: bool = False) -> dict[str, Any]:
        group, resource = ("", "pods") if of_pods else (_GROUP, "leaderworkersets")
        rule = {"apiGroups": [group], "apiVersions": ["v1"], "operations": list(operations), "resources": [resource]}
        authority = base64.b64encode(self.certificates.authority.read_bytes()).decode()
        return {
            "name": name,
            "admissionReviewVersions": ["v1"],
            "clientConfig": {"url": self._url(path), "caBundle": authority},
            "failurePolicy": "Fail",
            "sideEffects": "None",
            "rules": [rule],
            **({"objectSelector": _OF_A_SET} if of_pods else {}),
        }
