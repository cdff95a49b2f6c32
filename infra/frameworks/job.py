"""A job's plan to what its templates need: the script's words, its volumes, where it may connect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from infra.frameworks.base import placed_on
from infra.frameworks.weights_pod import FUSE_ANNOTATIONS, metadata_rules, public_https
from infra.plan.job import JobPlan
from infra.plan.job.job_plan import JobPlace
from infra.plan.job.memory import MEMORY_SHARE

CONTAINER = "job"
SCRIPT_FOLDER, _PLACES, _CACHE, _TMP = "/job/script", "/job", "/cache", "/tmp"
# Exit statuses of manifests/jobs/keras_job.py.
HOPELESS, STOPPED = 64, 75
_USER = 1000
_TMP_GIB = 1
# Files are written once and whole, by one pod; what another run wrote is looked up anew.
_FUSE_OPTIONS = ("implicit-dirs", "metadata-cache:ttl-secs:0", "metadata-cache:negative-ttl-secs:0")


@dataclass(frozen=True)
class JobWorkload:
    """Objects of one job.

    Attributes:
        args: of the interpreter: the script and its words.
        mounts: name, path, and whether it is read-only.
        failure_rules: of the Job's `podFailurePolicy`, the first that matches decides.
        annotations: of the pod.
        egress: rules of the NetworkPolicy beside names.
        node_selector, tolerations: what binds the pods to their own pool.
    """

    plan: JobPlan
    container: str
    args: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    mounts: tuple[tuple[str, str, bool], ...]
    volumes: tuple[dict[str, Any], ...]
    failure_rules: tuple[dict[str, Any], ...]
    annotations: tuple[tuple[str, str], ...]
    egress: tuple[dict[str, Any], ...]
    run_as_user: int
    account_annotations: tuple[tuple[str, str], ...]
    node_selector: tuple[tuple[str, str], ...]
    tolerations: tuple[dict[str, str | int], ...]


def job_workload(plan: JobPlan) -> JobWorkload:
    """What the templates of one job need."""
    in_buckets = any(one.bucket for one in plan.places)
    fetches = plan.place("preset") is None
    return JobWorkload(
        plan=plan,
        container=CONTAINER,
        args=(f"{SCRIPT_FOLDER}/keras_job.py", *_words(plan)),
        env=(
            ("HOME", f"{_CACHE}/home"),
            ("KAGGLEHUB_CACHE", f"{_CACHE}/kaggle"),
            ("KERAS_HOME", f"{_CACHE}/keras"),
            ("PYTHONUNBUFFERED", "1"),
            ("TMPDIR", _TMP),
            ("XLA_PYTHON_CLIENT_MEM_FRACTION", str(MEMORY_SHARE)),
        ),
        mounts=(
            ("cache", _CACHE, False),
            ("tmp", _TMP, False),
            ("script", SCRIPT_FOLDER, True),
            *((one.use, f"{_PLACES}/{one.use}", not one.writes) for one in plan.places),
        ),
        volumes=_volumes(plan),
        failure_rules=_failure_rules(),
        annotations=FUSE_ANNOTATIONS if in_buckets else (),
        egress=(
            *(metadata_rules() if in_buckets else ()),
            *((public_https(),) if in_buckets or fetches else ()),
        ),
        run_as_user=_USER,
        account_annotations=(),
        **placed_on(plan),
    )


def _words(plan: JobPlan) -> tuple[str, ...]:
    """Words of the script; those of another mode are left out."""
    work = plan.work
    preset, adapter = plan.place("preset"), plan.place("adapter")
    words: list[tuple[str, object]] = [
        ("mode", work.mode),
        ("preset", _path(preset) if preset else work.preset),
        ("input", _path(plan.place("input"))),
        ("output", _path(plan.place("output"))),
        *([("adapter", _path(adapter))] if adapter else []),
        ("sequence-length", work.sequence_length),
        ("batch-size", work.batch_size),
        ("dtype", "bfloat16"),
        ("seed", work.seed),
        ("save-seconds", work.save_seconds),
        ("shards", work.pods),
    ]
    if work.mode == "generate":
        words.append(("temperature", f"{work.temperature:g}"))
    if work.mode == "lora":
        words += [("epochs", work.epochs), ("rank", work.rank), ("learning-rate", f"{work.learning_rate:g}")]
    return tuple(f"--{key}={value}" for key, value in words)


def _path(place: JobPlace | None) -> str:
    assert place is not None
    return f"{_PLACES}/{place.use}/{place.path}"


def _volumes(plan: JobPlan) -> tuple[dict[str, Any], ...]:
    scratch = plan.host.ephemeral_storage_gib - _TMP_GIB
    return (
        {"name": "cache", "emptyDir": {"sizeLimit": f"{scratch}Gi"}},
        {"name": "tmp", "emptyDir": {"sizeLimit": f"{_TMP_GIB}Gi"}},
        {"name": "script", "configMap": {"name": f"{plan.stack}-script"}},
        *(_volume(one) for one in plan.places),
    )


def _volume(place: JobPlace) -> dict[str, Any]:
    """A whole bucket or volume: its folders are made where they are missing."""
    if place.claim:
        return {
            "name": place.use,
            "persistentVolumeClaim": {"claimName": place.claim, "readOnly": not place.writes},
        }
    options = ",".join((*_FUSE_OPTIONS, f"uid={_USER}", f"gid={_USER}"))
    csi = {
        "driver": "gcsfuse.csi.storage.gke.io",
        "readOnly": not place.writes,
        "volumeAttributes": {"bucketName": place.bucket, "mountOptions": options},
    }
    return {"name": place.use, "csi": csi}


def _failure_rules() -> tuple[dict[str, Any], ...]:
    """What no retry mends ends the Job; what a machine's end broke off does not count (Kubernetes documentation, jobs).

    A pod that was told to stop says so by its status; one that was killed has the condition alone.
    """
    status = {"containerName": CONTAINER, "operator": "In"}
    return (
        {"action": "FailJob", "onExitCodes": {**status, "values": [HOPELESS]}},
        {"action": "Ignore", "onExitCodes": {**status, "values": [STOPPED]}},
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
    )
