"""A single-H100 node pool on demand: Compute Engine sells that shape only as Spot or Flex-start."""

import pulumi
import pulumi_gcp as gcp

provider = gcp.Provider("google", project="servestack-dev", region="us-central1")
gcp.container.NodePool(
    "h100",
    cluster="dev",
    location="us-central1",
    project="servestack-dev",
    node_locations=["us-central1-a"],
    initial_node_count=0,
    node_config={
        "machine_type": "a3-highgpu-1g",
        "guest_accelerators": [
            {
                "type": "nvidia-h100-80gb",
                "count": 1,
                "gpu_driver_installation_config": {"gpu_driver_version": "DEFAULT"},
            }
        ],
    },
    opts=pulumi.ResourceOptions(provider=provider),
)
