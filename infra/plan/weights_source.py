"""How weights reach the engine: fetched from the hub by the pod, or read from a volume that is there."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass

from infra.catalog.records import Checkpoint, Drafter
from infra.plan.refusal import RefusedError
from infra.plan.synced_secrets import hub_secret, secret_name
from infra.spec import EndpointSpec

BRANCH = "main"
_FETCHED, _MOUNTED = "/cache/weights", "/models"
_DRAFTER, _ADAPTERS = "drafter", "adapters"
_WHY = {
    "hugging-face": "needs no volume: every pod fetches and checks them before its engine starts",
    "pvc": "a volume that is there: no download, and no way out of the pod",
    "gcs": "a bucket that is mounted, with a cache on the node's disk",
    "file": "a file of this machine: no download",
    "tiny": "made on this machine in a moment: no download",
    "engine": "the engine fetches them by itself, from its maker",
}
_SHARED = ("ReadOnlyMany", "ReadWriteMany")


@dataclass(frozen=True)
class Download:
    """What is fetched from one repository of the hub.

    Attributes:
        revision: commit, or the branch where none is known.
        folder: where it lands in the pod.
        files: names of single files; empty for all that the repository has.
    """

    repository: str
    revision: str
    folder: str
    files: tuple[str, ...]

    @property
    def pinned(self) -> bool:
        """Whether it is one commit."""
        return self.revision != BRANCH


@dataclass(frozen=True)
class WeightsChoice:
    """Where weights come from, and where the engine finds them. What a source does not have is empty.

    Attributes:
        source: `hugging-face`, `pvc`, `gcs`, or `engine` where the engine fetches them by itself.
        model_path: folder, or the file of a GGUF checkpoint; the repository where the engine fetches it.
        projector_path: file of the multimodal projector beside a GGUF file.
        drafter_path: folder of the drafter.
        adapters_path: folder in which every adapter has one of its name.
        revision: commit or branch of the model's repository that is fetched.
        downloads: what an init container fetches.
        token_secret: Secret with the hub token, under the key `token`.
        claim, access_mode: of the PersistentVolumeClaim.
        exclusive: whether the volume is on one node at a time, so that an old pod has to go before a new one starts.
        bucket, folder: in Cloud Storage, or the folder in the claim's volume.
        service_account: Google account to which the endpoint's own is bound.
        private_google_access: whether Google's interfaces are reached at their private addresses alone.
    """

    source: str
    model_path: str
    projector_path: str
    drafter_path: str
    downloads: tuple[Download, ...]
    revision: str = ""
    token_secret: str = ""
    claim: str = ""
    access_mode: str = ""
    exclusive: bool = False
    bucket: str = ""
    folder: str = ""
    service_account: str = ""
    adapters_path: str = ""
    private_google_access: bool = False


def weights_choice(
    stack: str,
    spec: EndpointSpec,
    checkpoint: Checkpoint,
    drafter: Drafter | None,
    inputs: tuple[str, ...],
    *,
    own_fetch: bool,
    nodes: int = 1,
) -> WeightsChoice:
    """Where the weights of a plan come from.

    Args:
        stack: name, which is that of its namespace.
        spec: what is served.
        checkpoint: what the plan chose.
        drafter: of the model, or None.
        inputs: what requests may hold; a projector is left out for text alone.
        own_fetch: whether the engine fetches by itself, from elsewhere than the hub.
        nodes: machines of one replica.

    Raises:
        RefusedError: no token for a gated repository, a volume for one node and several replicas, or an engine that
            takes weights from its own place only.
    """
    wanted = spec.weights
    if own_fetch:
        _check_own(spec)
        return WeightsChoice("engine", checkpoint.repository, "", drafter.repository if drafter else "", ())
    root, around = f"{_FETCHED}/model", _FETCHED
    if wanted.source != "hugging-face":
        root = around = f"{_MOUNTED}/{wanted.path}"
    beside, adapters = f"{around}/{_DRAFTER}", f"{around}/{_ADAPTERS}"
    found = WeightsChoice(
        wanted.source,
        f"{root}/{checkpoint.file}" if checkpoint.file else root,
        f"{root}/{checkpoint.projector_file}" if _projects(checkpoint, inputs) else "",
        beside if drafter else "",
        (),
        folder=wanted.path or "",
        adapters_path=adapters if spec.adapters else "",
    )
    if wanted.source == "pvc":
        shared = wanted.accessMode in _SHARED
        if not shared and spec.replicas.most * nodes > 1:
            raise RefusedError(("weights", "accessMode"), _one_node(spec, nodes))
        mode = wanted.accessMode or ""
        return dataclasses.replace(found, claim=wanted.claim or "", access_mode=mode, exclusive=not shared)
    if wanted.source in ("file", "tiny"):
        return found
    if wanted.source == "gcs":
        return dataclasses.replace(
            found,
            bucket=wanted.bucket or "",
            service_account=wanted.serviceAccount or "",
            private_google_access=wanted.privateGoogleAccess,
        )
    if checkpoint.gated and wanted.tokenSecret is None:
        raise RefusedError(("weights",), _gated(stack, checkpoint))
    revision = wanted.revision or checkpoint.revision or BRANCH
    fetched = [Download(checkpoint.repository, revision, root, _files(checkpoint, inputs))]
    if drafter:
        fetched.append(Download(drafter.repository, BRANCH, beside, ()))
    fetched += [Download(one.repository, one.revision, f"{adapters}/{one.name}", ()) for one in spec.adapters]
    return dataclasses.replace(
        found,
        downloads=tuple(fetched),
        revision=revision,
        token_secret=secret_name(wanted.tokenSecret, hub_secret(stack)),
    )


def commit_of_model(choice: WeightsChoice, spec: EndpointSpec, checkpoint: Checkpoint) -> str | None:
    """Commit of the model's repository; None where only a branch is known."""
    if choice.downloads:
        return choice.downloads[0].revision if choice.downloads[0].pinned else None
    return spec.weights.revision or checkpoint.revision


def weights_cautions(
    stack: str, choice: WeightsChoice, checkpoint: str, synced: Collection[str] = ()
) -> tuple[str, ...]:
    """What to know of where the weights come from, before the first pod starts; GKE fills the Secrets `synced`."""
    loose = [one.repository for one in choice.downloads if not one.pinned]
    said = []
    if loose:
        said.append(f"not pinned: {' and '.join(loose)} at what branch {BRANCH} is when it is fetched")
    if choice.token_secret and choice.token_secret not in synced:
        said.append(f"Secret {choice.token_secret} (key token) must be in namespace {stack}: no pod starts without it")
    if choice.claim:
        said.append(
            f"claim {choice.claim} must be in namespace {stack} and hold {checkpoint} at {choice.folder}: neither is "
            "checked before the engine reads it"
        )
    if choice.bucket:
        said.append(
            f"gs://{choice.bucket}/{choice.folder} must hold {checkpoint}: nothing checks it before the pod mounts it. "
            "Cloud Storage FUSE was not tried here"
        )
    if not choice.downloads and choice.source in ("gcs", "pvc"):
        more = [one for one in (choice.drafter_path, choice.adapters_path) if one]
        said += [f"{path} is read from the same volume" for path in more]
    return tuple(said)


def weights_rows(spec: EndpointSpec, choice: WeightsChoice) -> list[tuple[str, object, object, str, str]]:
    """Decisions: field, value, what the stack file asked, origin and reason."""
    wanted = spec.weights
    said = wanted.source if "source" in wanted.model_fields_set else None
    rows: list[tuple[str, object, object, str, str]] = [
        ("weights.source", choice.source, said, "derived", _WHY[choice.source]),
        ("weights.modelPath", choice.model_path, None, "derived", "where the engine reads them, off the hub"),
    ]
    if choice.downloads:
        first = choice.downloads[0]
        pinned = "commit that the catalogue pins" if first.pinned else "no commit is known; name one to pin it"
        rows.append(("weights.revision", first.revision, wanted.revision, "catalogue", pinned))
    beside = {"projectorPath": choice.projector_path, "drafterPath": choice.drafter_path}
    for name, path in (beside | {"adaptersPath": choice.adapters_path}).items():
        if path:
            rows.append((f"weights.{name}", path, None, "derived", "beside the model"))
    if choice.access_mode:
        why = "one node at a time" if choice.exclusive else "any number of nodes"
        rows.append(("weights.accessMode", choice.access_mode, None, "stack", why))
    return rows


def token_command(stack: str, secret: str) -> str:
    """Command that makes the Secret with the hub's token."""
    return f"kubectl -n {stack} create secret generic {secret} --from-literal=token=$HF_TOKEN"


def _projects(checkpoint: Checkpoint, inputs: tuple[str, ...]) -> bool:
    return checkpoint.projector_file is not None and inputs != ("text",)


def _files(checkpoint: Checkpoint, inputs: tuple[str, ...]) -> tuple[str, ...]:
    named = (checkpoint.file, checkpoint.projector_file if _projects(checkpoint, inputs) else None)
    return tuple(one for one in named if one)


def _check_own(spec: EndpointSpec) -> None:
    if spec.weights.source != "hugging-face":
        raise RefusedError(
            ("weights", "source"), f"{spec.framework} fetches its weights by itself; leave it out, or use vllm."
        )
    if spec.weights.tokenSecret:
        raise RefusedError(
            ("weights", "tokenSecret"), f"{spec.framework} takes nothing from the hub; leave it out, or use vllm."
        )


def _gated(stack: str, checkpoint: Checkpoint) -> str:
    name = hub_secret(stack)
    return (
        f"{checkpoint.repository} is gated: accept its licence on the hub, make a Secret with a token of that account "
        f"({token_command(stack, name)}) and write 'weights: {{tokenSecret: {name}}}'."
    )


def _one_node(spec: EndpointSpec, nodes: int) -> str:
    many = f"{spec.replicas.most} replicas need several" if nodes == 1 else f"a replica is {nodes} machines"
    other = ", or one replica" if nodes == 1 else ""
    return (
        f"a ReadWriteOnce volume is on one node at a time, and {many}. Use a claim that is ReadOnlyMany or "
        f"ReadWriteMany, or 'source: hugging-face'{other}."
    )
