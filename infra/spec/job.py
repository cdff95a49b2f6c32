"""`job`: a batch that ends, in place of an endpoint that serves."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from infra.spec.fields import Strict
from infra.spec.weights import Bucket, ClaimName, Folder

JOB_FRAMEWORKS = ("keras",)
_KEYS = frozenset(
    {"apiVersion", "kind", "platform", "model", "accelerator", "framework", "capacity", "labels", "engine", "job"}
)
_ENGINE_KEYS = frozenset({"image"})
_INSTEAD = {
    "budgetUsdPerMonth": "a job has a sum of its own: write job: {budgetUsd: ...}.",
    "concurrency": "write job: {batchSize: ...}.",
    "contextLength": "write job: {sequenceLength: ...}.",
    "precision": "presets of keras-hub are bf16; leave it out.",
    "replicas": "write job: {pods: ...}.",
    "weights": "write job: {preset: ...}.",
}
_ONLY = {"epochs": "lora", "rank": "lora", "learningRate": "lora", "temperature": "generate"}


class Place(Strict):
    """A file or folder, in a bucket of Cloud Storage or in a volume that is there."""

    bucket: Bucket | None = None
    claim: ClaimName | None = None
    path: Folder

    @model_validator(mode="after")
    def _one_place(self) -> Place:
        if (self.bucket is None) == (self.claim is None):
            raise ValueError("a place is {bucket: NAME, path: ...} or {claim: NAME, path: ...}, one of both.")
        return self

    def __str__(self) -> str:
        return f"gs://{self.bucket}/{self.path}" if self.bucket else f"volume {self.claim}: {self.path}"


class Job(Strict):
    """What is done with the model, of what, and where the result goes.

    Attributes:
        pods: that share the records; `parallel` of them at once.
        retries: of one pod, beside those that a machine's end asks for.
        deadlineSeconds: after which the whole job is ended, whatever it waits for.
        saveSeconds: longest time between two saves of what is done.
        budgetUsd: a job that can cost more is refused.
    """

    mode: Literal["evaluate", "generate", "lora"]
    input: Place
    output: Place
    preset: Place | None = None
    adapter: Place | None = None
    sequenceLength: Annotated[int, Field(ge=16, le=32_768)] = 1024
    batchSize: Annotated[int, Field(ge=1, le=256)] = 1
    seed: Annotated[int, Field(ge=0, le=2_147_483_647)] = 0
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    epochs: Annotated[int, Field(ge=1, le=1000)] = 1
    rank: Annotated[int, Field(ge=1, le=256)] = 8
    learningRate: Annotated[float, Field(gt=0, le=1)] = 1e-4
    pods: Annotated[int, Field(ge=1, le=100)] = 1
    parallel: Annotated[int, Field(ge=1, le=100)] | None = None
    retries: Annotated[int, Field(ge=0, le=20)] = 3
    deadlineSeconds: Annotated[int, Field(ge=600, le=604_800)] = 86_400
    saveSeconds: Annotated[int, Field(ge=10, le=3600)] = 300
    budgetUsd: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _together(self) -> Job:
        for key, mode in _ONLY.items():
            if key in self.model_fields_set and self.mode != mode:
                raise ValueError(f"{key} is of mode {mode}; leave it out of mode {self.mode}.")
        if self.mode == "lora" and self.pods > 1:
            raise ValueError("lora runs in one pod; leave pods out.")
        if self.mode == "lora" and self.adapter is not None:
            raise ValueError("lora begins with the preset; leave adapter out.")
        if self.parallel is not None and self.parallel > self.pods:
            raise ValueError(f"parallel ({self.parallel}) is above pods ({self.pods}).")
        if self.input == self.output:
            raise ValueError("output is the input's own place; name another folder.")
        return self


def misplaced_of_jobs(
    framework: str, keys: frozenset[str], engine_keys: frozenset[str]
) -> list[tuple[tuple[str, ...], str]]:
    """Keys that do not go with a job, or a job that does not go with the framework, each with the reason.

    Args:
        framework: its word.
        keys: that stand in the file.
        engine_keys: that stand below `engine`.
    """
    if "job" not in keys:
        return []
    if framework not in JOB_FRAMEWORKS:
        return [(("job",), f"only framework {' or '.join(JOB_FRAMEWORKS)} runs jobs; leave it out.")]
    fields: list[tuple[str, ...]] = [(key,) for key in sorted(keys - _KEYS)]
    fields += [("engine", key) for key in sorted(engine_keys - _ENGINE_KEYS)]
    return [(field, f"a job has no such thing; {_INSTEAD.get(field[-1], 'leave it out.')}") for field in fields]
