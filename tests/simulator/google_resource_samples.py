"""One valid set of inputs for each resource type of the simulated Google Cloud, in an order that works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google_harness import Engine

PROJECT, REGION = "p", "us-central1"
NODES = f"nodes-account@{PROJECT}.iam.gserviceaccount.com"
MEMBER = f"serviceAccount:{NODES}"
SAMPLES: dict[str, dict[str, Any]] = {
    "gcp:projects/service:Service": {"service": "secretmanager.googleapis.com", "disableOnDestroy": True},
    "gcp:compute/network:Network": {"name": "vpc", "autoCreateSubnetworks": False},
    "gcp:compute/subnetwork:Subnetwork": {
        "name": "nodes",
        "network": "vpc",
        "region": REGION,
        "ipCidrRange": "10.0.0.0/20",
        "privateIpGoogleAccess": True,
        "secondaryIpRanges": [
            {"rangeName": "pods", "ipCidrRange": "10.4.0.0/14"},
            {"rangeName": "services", "ipCidrRange": "10.8.0.0/20"},
        ],
    },
    "gcp:compute/router:Router": {"name": "router", "network": "vpc", "region": REGION},
    "gcp:compute/routerNat:RouterNat": {
        "name": "nat",
        "router": "router",
        "region": REGION,
        "natIpAllocateOption": "AUTO_ONLY",
        "sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES",
    },
    "gcp:serviceaccount/account:Account": {"accountId": "nodes-account", "displayName": "nodes"},
    "gcp:projects/iAMMember:IAMMember": {"project": PROJECT, "role": "roles/logging.logWriter", "member": MEMBER},
    "gcp:serviceaccount/iAMMember:IAMMember": {
        "serviceAccountId": f"projects/{PROJECT}/serviceAccounts/{NODES}",
        "role": "roles/iam.serviceAccountUser",
        "member": "user:Ann@example.com",
    },
    "gcp:artifactregistry/repository:Repository": {
        "repositoryId": "images",
        "location": REGION,
        "format": "DOCKER",
        "mode": "REMOTE_REPOSITORY",
        "remoteRepositoryConfig": {"dockerRepository": {"publicRepository": "DOCKER_HUB"}},
        "labels": {"team": "a"},
    },
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": {
        "repository": "images",
        "location": REGION,
        "role": "roles/artifactregistry.reader",
        "member": MEMBER,
    },
    "gcp:storage/bucket:Bucket": {"name": "p-weights", "location": REGION, "labels": {"team": "a"}},
    "gcp:storage/bucketIAMMember:BucketIAMMember": {
        "bucket": "p-weights",
        "role": "roles/storage.objectViewer",
        "member": MEMBER,
    },
    "gcp:monitoring/notificationChannel:NotificationChannel": {
        "type": "email",
        "displayName": "owners",
        "labels": {"email_address": "a@example.com"},
    },
    "gcp:billing/budget:Budget": {
        "billingAccount": "01AB23-45CD67-89EF01",
        "displayName": "platform",
        "amount": {"specifiedAmount": {"currencyCode": "USD", "units": "1000"}},
        "thresholdRules": [{"thresholdPercent": 0.5}, {"thresholdPercent": 1.0, "spendBasis": "FORECASTED_SPEND"}],
    },
    "gcp:secretmanager/secret:Secret": {"secretId": "hub", "replication": {"auto": {}}, "labels": {"team": "a"}},
    "gcp:secretmanager/secretIamMember:SecretIamMember": {
        "secretId": "hub",
        "role": "roles/secretmanager.secretAccessor",
        "member": MEMBER,
    },
    "gcp:secretmanager/secretVersion:SecretVersion": {
        "secret": "projects/p/secrets/hub",
        "secretData": "planted-value",
    },
    "gcp:projects/apiKey:ApiKey": {
        "name": "gemini",
        "displayName": "gemini",
        "serviceAccountEmail": NODES,
        "restrictions": {"apiTargets": [{"service": "generativelanguage.googleapis.com"}]},
    },
    "gcp:vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment": {
        "location": REGION,
        "publisherModelName": "publishers/google/models/gemma4@gemma-4-31b-it",
        "modelConfig": {"acceptEula": True},
        "deployConfig": {
            "dedicatedResources": {
                "machineSpec": {
                    "machineType": "g4-standard-48",
                    "acceleratorType": "NVIDIA_RTX_PRO_6000",
                    "acceleratorCount": 1,
                },
                "minReplicaCount": 1,
                "maxReplicaCount": 2,
            }
        },
    },
}
IDS = {
    "gcp:projects/service:Service": "p/secretmanager.googleapis.com",
    "gcp:compute/network:Network": "projects/p/global/networks/vpc",
    "gcp:compute/subnetwork:Subnetwork": "projects/p/regions/us-central1/subnetworks/nodes",
    "gcp:compute/router:Router": "projects/p/regions/us-central1/routers/router",
    "gcp:compute/routerNat:RouterNat": "p/us-central1/router/nat",
    "gcp:serviceaccount/account:Account": f"projects/p/serviceAccounts/{NODES}",
    "gcp:projects/iAMMember:IAMMember": f"p/roles/logging.logWriter/{MEMBER}",
    "gcp:serviceaccount/iAMMember:IAMMember": (
        f"projects/p/serviceAccounts/{NODES}/roles/iam.serviceAccountUser/user:ann@example.com"
    ),
    "gcp:artifactregistry/repository:Repository": "projects/p/locations/us-central1/repositories/images",
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": (
        f"projects/p/locations/us-central1/repositories/images/roles/artifactregistry.reader/{MEMBER}"
    ),
    "gcp:storage/bucket:Bucket": "p-weights",
    "gcp:storage/bucketIAMMember:BucketIAMMember": f"b/p-weights/roles/storage.objectViewer/{MEMBER}",
    "gcp:secretmanager/secret:Secret": "projects/p/secrets/hub",
    "gcp:secretmanager/secretIamMember:SecretIamMember": (
        f"projects/p/secrets/hub/roles/secretmanager.secretAccessor/{MEMBER}"
    ),
    "gcp:projects/apiKey:ApiKey": "projects/p/locations/global/keys/gemini",
}
"""Ids that do not hold a number of Google's."""
SERVICES = (
    "aiplatform.googleapis.com",
    "apikeys.googleapis.com",
    "artifactregistry.googleapis.com",
    "billingbudgets.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "compute.googleapis.com",
    "iam.googleapis.com",
    "secretmanager.googleapis.com",
)
"""APIs that these types need and a new project has not."""


def urn(token: str) -> str:
    return f"urn:pulumi:dev::servestack::{token}::one"


SERVICE, NETWORK, SUBNETWORK, ROUTER, NAT, ACCOUNT = (
    "gcp:projects/service:Service",
    "gcp:compute/network:Network",
    "gcp:compute/subnetwork:Subnetwork",
    "gcp:compute/router:Router",
    "gcp:compute/routerNat:RouterNat",
    "gcp:serviceaccount/account:Account",
)
PROJECT_MEMBER, REPOSITORY = "gcp:projects/iAMMember:IAMMember", "gcp:artifactregistry/repository:Repository"
BUCKET, BUCKET_MEMBER = "gcp:storage/bucket:Bucket", "gcp:storage/bucketIAMMember:BucketIAMMember"
CHANNEL, BUDGET = "gcp:monitoring/notificationChannel:NotificationChannel", "gcp:billing/budget:Budget"
SECRET, SECRET_VERSION = "gcp:secretmanager/secret:Secret", "gcp:secretmanager/secretVersion:SecretVersion"
API_KEY = "gcp:projects/apiKey:ApiKey"
ENDPOINT = "gcp:vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment"
Make = Callable[..., dict[str, Any]]
"""Makes a sample of a type, with edits; returns its outputs."""
Refused = Callable[..., str]
"""Fails to make one; returns the words."""


def failure(gcp: Engine, token: str, **edits: Any) -> str:
    """The one thing that the check finds wrong with a sample."""
    (found,) = gcp.check(urn(token), SAMPLES[token] | edits).failures
    return str(found.reason)
