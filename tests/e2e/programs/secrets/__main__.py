"""What endpoints name in Secret Manager, and a bucket of weights."""

import pulumi
import pulumi_gcp as gcp

provider = gcp.Provider("google", project="servestack-dev", region="us-central1")
services = [
    gcp.projects.Service(
        name,
        service=f"{name}.googleapis.com",
        project="servestack-dev",
        disable_on_destroy=False,
        opts=pulumi.ResourceOptions(provider=provider),
    )
    for name in ("cloudresourcemanager", "secretmanager", "storage")
]
options = pulumi.ResourceOptions(provider=provider, depends_on=services)
for name in ("gemma-keys", "hub-token"):
    gcp.secretmanager.Secret(name, secret_id=name, replication={"auto": {}}, opts=options)
gcp.storage.Bucket("example-models", name="example-models", location="US", opts=options)
