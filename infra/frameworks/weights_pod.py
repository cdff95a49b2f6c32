"""What a pod needs to have its weights: an init container that fetches them, or a volume; and where it may connect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from infra.frameworks.network import Peer, block
from infra.frameworks.weights_scripts import FILES_SCRIPT, REPOSITORIES_SCRIPT
from infra.plan.serving_plan import ServingPlan
from infra.plan.weights_source import WeightsChoice

CONTAINER = "weights"
_VOLUME, _MOUNT = "weights", "/models"
_CACHE, _TMP = "/cache", "/tmp"
_LAST_WORDS = "/dev/termination-log"
_CPU, _MEMORY_GIB, _MOST_MEMORY_GIB = "1", 2, 8
_PRIVATE_RANGES = ("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")
# private.googleapis.com (Virtual Private Cloud documentation, private Google access).
_PRIVATE_GOOGLE = "199.36.153.8/30"
# GKE's metadata server, which gives the pod's identity its tokens: with and without Dataplane V2.
_METADATA = (("169.254.169.254/32", 80), ("169.254.169.252/32", 988))
_FUSE_CACHE = "gke-gcsfuse-cache"
# What Google mounts models with for serving (GoogleCloudPlatform/accelerated-platforms 9320f3b): nothing in the bucket
# changes, so metadata is kept for ever, and files are fetched in parallel into a cache on the node's disk.
_FUSE_OPTIONS = (
    "implicit-dirs",
    "metadata-cache:ttl-secs:-1",
    "metadata-cache:stat-cache-max-size-mb:-1",
    "metadata-cache:type-cache-max-size-mb:-1",
    "metadata-cache:negative-ttl-secs:0",
    "file-system:kernel-list-cache-ttl-secs:-1",
    "file-cache:max-size-mb:-1",
    "file-cache:cache-file-for-range-read:true",
    "file-cache:enable-parallel-downloads:true",
)
FUSE_ANNOTATIONS = (
    ("gke-gcsfuse/volumes", "true"),
    ("gke-gcsfuse/cpu-limit", "0"),
    ("gke-gcsfuse/memory-limit", "0"),
    ("gke-gcsfuse/ephemeral-storage-limit", "0"),
)


@dataclass(frozen=True)
class InitContainer:
    """Init container that fetches weights, with the engine's image and user.

    Attributes:
        env: variables with their values; `secret_env` those from Secrets: name, Secret, key.
        mounts: volumes of the pod, by name and path.
        cpu, memory, memory_limit, ephemeral_storage: Kubernetes quantities.
    """

    name: str
    command: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    secret_env: tuple[tuple[str, str, str], ...]
    mounts: tuple[tuple[str, str], ...]
    last_words: str
    cpu: str
    memory: str
    memory_limit: str
    ephemeral_storage: str


@dataclass(frozen=True)
class PodWeights:
    """What the templates need for a pod's weights.

    Attributes:
        containers: init containers: one, or none.
        mounts: read-only mounts of the engine, by name and path.
        volumes: volumes beside the scratch volumes, as a pod names them.
        annotations: of the pod; `account_annotations` of its service account.
        egress: where pods may connect to, beside names: rules of a NetworkPolicy.
    """

    containers: tuple[InitContainer, ...]
    mounts: tuple[tuple[str, str], ...]
    volumes: tuple[dict[str, Any], ...]
    annotations: tuple[tuple[str, str], ...]
    account_annotations: tuple[tuple[str, str], ...]
    egress: tuple[dict[str, Any], ...]


def pod_weights(plan: ServingPlan, run_as_user: int) -> PodWeights:
    """What one endpoint's pods need for their weights; their own user has to be able to read them."""
    choice = plan.weights
    return PodWeights(
        containers=(_fetching(plan),) if choice.downloads else (),
        mounts=_mounts(choice),
        volumes=_volumes(plan, run_as_user),
        annotations=FUSE_ANNOTATIONS if choice.bucket else (),
        account_annotations=(
            (("iam.gke.io/gcp-service-account", choice.service_account),) if choice.service_account else ()
        ),
        egress=_egress(choice, media=bool(plan.media_domains)),
    )


def _mounts(choice: WeightsChoice) -> tuple[tuple[str, str], ...]:
    """A claim's volume as it is; of a bucket, the folder alone."""
    if choice.bucket:
        return ((_VOLUME, f"{_MOUNT}/{choice.folder}"),)
    return ((_VOLUME, _MOUNT),) if choice.claim else ()


def _fetching(plan: ServingPlan) -> InitContainer:
    host, secret = plan.host, plan.weights.token_secret
    return InitContainer(
        name=CONTAINER,
        command=("sh", "-c", *_script(plan.weights)),
        env=(
            ("HF_HOME", f"{_CACHE}/hf"),
            ("HF_HUB_DISABLE_PROGRESS_BARS", "1"),
            ("HF_HUB_DISABLE_TELEMETRY", "1"),
            ("HF_XET_CHUNK_CACHE_SIZE_BYTES", "0"),
            ("HOME", f"{_CACHE}/home"),
            ("TMPDIR", _TMP),
        ),
        secret_env=(("HF_TOKEN", secret, "token"),) if secret else (),
        mounts=(("cache", _CACHE), ("tmp", _TMP)),
        last_words=_LAST_WORDS,
        cpu=_CPU,
        memory=f"{min(_MEMORY_GIB, host.memory_gib)}Gi",
        memory_limit=f"{min(_MOST_MEMORY_GIB, host.memory_gib)}Gi",
        ephemeral_storage=f"{host.ephemeral_storage_gib}Gi",
    )


def _script(choice: WeightsChoice) -> tuple[str, ...]:
    """Script and its words: single files by curl, which llama.cpp's image has, whole repositories by the hub's `hf`."""
    files = [(one.repository, one.revision, one.folder, file) for one in choice.downloads for file in one.files]
    whole = [(one.repository, one.revision, one.folder) for one in choice.downloads if not one.files]
    assert not (files and whole), "no framework loads both"
    script = FILES_SCRIPT if files else REPOSITORIES_SCRIPT
    words = [word for group in (*files, *whole) for word in group]
    return (script, CONTAINER, _LAST_WORDS, *words)


def _volumes(plan: ServingPlan, user: int) -> tuple[dict[str, Any], ...]:
    choice = plan.weights
    if choice.claim:
        return ({"name": _VOLUME, "persistentVolumeClaim": {"claimName": choice.claim, "readOnly": True}},)
    if not choice.bucket:
        return ()
    options = ",".join((*_FUSE_OPTIONS, f"only-dir={choice.folder}", f"uid={user}", f"gid={user}"))
    csi = {
        "driver": "gcsfuse.csi.storage.gke.io",
        "readOnly": True,
        "volumeAttributes": {"bucketName": choice.bucket, "mountOptions": options},
    }
    size = {"sizeLimit": f"{plan.host.ephemeral_storage_gib}Gi"}
    return ({"name": _VOLUME, "csi": csi}, {"name": _FUSE_CACHE, "emptyDir": size})


def _egress(choice: WeightsChoice, *, media: bool) -> tuple[dict[str, Any], ...]:
    """What the source needs and no more: an engine that reads a claim reaches nothing but names.

    Where the stack file names hosts from which the engine may fetch media, public addresses are open to it: a
    NetworkPolicy knows no host names.
    """
    public = public_https()
    if choice.claim:
        return (public,) if media else ()
    if not choice.bucket:
        return (public,)
    private = _https(block(_PRIVATE_GOOGLE))
    return (*metadata_rules(), private if choice.private_google_access and not media else public)


def public_https() -> dict[str, Any]:
    """HTTPS to every public address: a NetworkPolicy knows no host names."""
    return _https(block("0.0.0.0/0", beside=_PRIVATE_RANGES))


def metadata_rules() -> tuple[dict[str, Any], ...]:
    """GKE's metadata server, from which pods get access tokens."""
    return tuple({"to": [block(cidr)], "ports": [{"protocol": "TCP", "port": port}]} for cidr, port in _METADATA)


def _https(peer: Peer) -> dict[str, Any]:
    return {"to": [peer], "ports": [{"protocol": "TCP", "port": 443}]}
