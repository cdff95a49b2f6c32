"""As many resources as the endpoint has: the stack, a provider and ConfigMaps on the platform's cluster."""

import os
from pathlib import Path

import pulumi
import pulumi_kubernetes

kubeconfig = Path(os.environ["KUBECONFIG"]).read_text(encoding="utf-8")
provider = pulumi_kubernetes.Provider("cluster", kubeconfig=kubeconfig)
for number in range(int(os.environ["RESOURCES"]) - 2):
    pulumi.CustomResource(
        "kubernetes:core/v1:ConfigMap",
        f"trivial-{number}",
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"trivial-{number}", "namespace": "default"},
            "data": {"key": "value"},
        },
        pulumi.ResourceOptions(provider=provider),
    )
