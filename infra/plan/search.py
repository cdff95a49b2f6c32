"""The cheapest way to run a request that fits, and how close the others came."""

from __future__ import annotations

import contextlib
import itertools
import math
from dataclasses import dataclass

from infra.plan.candidates import Candidate, candidates
from infra.plan.demand import GIB, HostTerm, Setting
from infra.plan.fit import Fit, charge
from infra.plan.nodes import node_counts
from infra.plan.own_nodes import NodeShare, crowded
from infra.plan.placement import usable_memory_gib
from infra.plan.refusal import RefusedError
from infra.plan.request import Request
from infra.plan.versions import at_least
from infra.spec import Capacity

DEFAULT_CONTEXT_TOKENS = (32768, 16384, 8192)


@dataclass(frozen=True)
class Choice:
    """A candidate whose memory fits the accelerators and whose host memory fits the machine."""

    candidate: Candidate
    fit: Fit
    host: tuple[HostTerm, ...]

    @property
    def host_gib(self) -> float:
        """Host memory that the engine uses."""
        return sum(term.size_bytes for term in self.host) / GIB


class DoesNotFitError(RefusedError):
    """No candidate fits; `closest` lacks the least memory."""

    def __init__(self, closest: Fit, checkpoint: str) -> None:
        super().__init__(("accelerator",), f"does not fit with {checkpoint}")
        self.closest = closest


class CrowdedError(RefusedError):
    """A candidate fits, and the platform's own nodes are too few for its replicas."""


class CrampedError(RefusedError):
    """A candidate fits the accelerators, and none fits the host memory of its machine."""


def choose(request: Request, capacities: tuple[Capacity, ...], *, one_machine: bool = False) -> Choice:
    """First candidate that fits, in the order of `candidates`, with the longest context and largest step that fit.

    Several machines for one replica are tried where no single one fits, unless `one_machine` rules them out.

    Raises:
        RefusedError: nothing of that kind is sold.
        CrampedError: no machine has enough host memory.
        CrowdedError: it fits, and the platform's own nodes do not hold as many replicas.
        DoesNotFitError: the accelerators' memory is too small everywhere.
    """
    single, several = node_counts(request)
    if not single:
        return _choose(request, capacities, several)
    try:
        return _choose(request, capacities, (1,))
    except DoesNotFitError:
        if several and not one_machine:
            with contextlib.suppress(RefusedError):
                return _choose(request, capacities, several)
        raise


def _choose(request: Request, capacities: tuple[Capacity, ...], nodes: tuple[int, ...]) -> Choice:
    contexts, closest, cramped, full = _contexts(request), None, None, ""
    for candidate in candidates(request, capacities, nodes):
        steps = _steps(request)
        smallest = _charged(request, candidate, min(contexts), min(steps))
        if not smallest.fits:
            if closest is None or _lack(smallest) < _lack(closest):
                closest = smallest
            continue
        for tokens, step in itertools.product(contexts, steps):
            fit = _charged(request, candidate, tokens, step)
            if not fit.fits:
                continue
            choice = Choice(candidate, fit, request.capabilities.host_terms(fit.setting))
            if choice.host_gib <= _host_room_gib(choice):
                few = crowded(request, candidate.machine)
                if not few:
                    return choice
                full = full or few
                break
            cramped = choice if cramped is None or choice.host_gib < cramped.host_gib else cramped
    if full:
        raise CrowdedError(("replicas",), full)
    if cramped is not None:
        raise CrampedError(("accelerator",), _cramped(request, cramped))
    assert closest is not None
    raise DoesNotFitError(closest, closest.setting.checkpoint.repository)


def choose_like(request: Request, capacities: tuple[Capacity, ...], first: Choice) -> Choice | None:
    """The cheapest choice, bought otherwise, whose pods are those of `first` in every word; None without one."""
    setting = first.fit.setting
    try:
        ranked = candidates(request, capacities, (first.candidate.nodes,))
    except RefusedError:
        return None
    for one in ranked:
        if _split(one) != _split(first.candidate):
            continue
        fit = _charged(request, one, setting.tokens, setting.batched_tokens)
        choice = Choice(one, fit, request.capabilities.host_terms(fit.setting))
        if fit.fits and has_same_pods(choice, first) and choice.host_gib <= _host_room_gib(choice):
            return choice
    return None


def has_same_pods(one: Choice, other: Choice) -> bool:
    """Whether two choices make the same pods, but for where they run."""

    def words(choice: Choice) -> tuple[object, ...]:
        setting = choice.fit.setting
        return (_split(choice.candidate), setting.tokens, setting.batched_tokens, choice.fit.have_bytes)

    return words(one) == words(other)


def _split(one: Candidate) -> tuple[object, ...]:
    """What is loaded, and over how many accelerators it is spread."""
    return (one.checkpoint, one.nodes, one.tensor, one.pipeline, one.data)


def memory_of_one_gib(request: Request, candidate: Candidate) -> float:
    """Memory that one accelerator shows to the engine; of a processor, what a pod or service may use of the machine."""
    if request.accelerator.kind == "cpu":
        return float(usable_memory_gib(candidate.machine))
    memory_gib = request.accelerator.memory_gib
    if memory_gib is None:
        raise RefusedError(
            ("accelerator",), f"the usable memory of {request.accelerator.id} is not known, so nothing can be proved."
        )
    return memory_gib


def _contexts(request: Request) -> tuple[int, ...]:
    asked, model = request.spec.contextLength, request.model
    limit = request.capabilities.max_tokens(model, request.accelerator)
    if asked is None:
        return tuple(tokens for tokens in DEFAULT_CONTEXT_TOKENS if tokens <= limit)
    if asked > model.max_context_tokens:
        raise RefusedError(
            ("contextLength",), f"{model.id} reads at most {model.max_context_tokens:,} tokens; write that or less."
        )
    if asked > limit:
        raise RefusedError(
            ("contextLength",),
            f"{request.framework.display_name} on {request.accelerator.id} was shown to work with at most "
            f"{limit:,} tokens; write that or less.",
        )
    return (asked,)


def _steps(request: Request) -> tuple[int, ...]:
    """Tokens per engine step to try, largest first."""
    engine, capabilities, model = request.spec.engine, request.capabilities, request.model
    asked = {"maxNumBatchedTokens": engine.maxNumBatchedTokens, "microBatchTokens": engine.microBatchTokens}
    for name, value in asked.items():
        if value is not None and name != capabilities.step_field:
            advice = f"write engine.{capabilities.step_field}" if capabilities.step_field else "leave it out"
            raise RefusedError(("engine", name), f"{request.framework.display_name} has no such setting; {advice}.")
    chosen = asked.get(capabilities.step_field or "")
    floor = capabilities.step_floor(model, request.inputs)
    if chosen is None:
        offered = capabilities.step_tokens(model, request.accelerator, request.inputs)
        return tuple(size for size in offered if not capabilities.step_is_shared or size >= request.concurrency)
    field = ("engine", str(capabilities.step_field))
    if chosen < request.concurrency and capabilities.step_is_shared:
        raise RefusedError(
            field,
            f"{chosen} is below concurrency ({request.concurrency}): each request needs a token per step; write more.",
        )
    if chosen < floor:
        raise RefusedError(
            field,
            f"{chosen} is below {floor}: {model.id} reads one whole image or video per step, and the engine fails to "
            f"start; write {floor} or more.",
        )
    return (chosen,)


def _charged(request: Request, candidate: Candidate, tokens: int, step: int) -> Fit:
    since = request.framework.hybrid_kv_since
    setting = Setting(
        model=request.model,
        checkpoint=candidate.checkpoint,
        drafter=request.drafter,
        accelerator=request.accelerator,
        inputs=request.inputs,
        version=request.version,
        tokens=tokens,
        concurrency=-(-request.concurrency // candidate.data),
        tensor=candidate.tensor,
        pipeline=candidate.pipeline,
        data=candidate.data,
        batched_tokens=step,
        kv_cache_dtype=request.kv_cache_dtype,
        unified_slots=request.spec.engine.unifiedSlots,
        hybrid_kv=since is not None and at_least(request.version, since),
        adapters=len(request.spec.adapters),
        adapter_rank=max((one.rank for one in request.spec.adapters), default=0),
    )
    whole_gib = memory_of_one_gib(request, candidate)
    outside_gib = request.capabilities.outside_bytes(setting) / GIB
    if whole_gib * (1 - request.utilization) < outside_gib:
        most = math.floor((1 - outside_gib / whole_gib) * 100) / 100
        raise RefusedError(
            ("engine", "gpuMemoryUtilization"),
            f"{request.utilization:g} leaves {whole_gib * (1 - request.utilization):.2f} of {whole_gib:.2f} GiB, and "
            f"{outside_gib:.2f} GiB are taken before the engine starts. Write {most:g} or less.",
        )
    return charge(request.capabilities, setting, whole_gib=whole_gib, utilization=request.utilization)


def _lack(fit: Fit) -> int:
    return fit.need_bytes - fit.have_bytes


def _host_room_gib(choice: Choice) -> float:
    """Host memory that the engine may use; of unified memory, what its GPU part leaves."""
    room_gib = float(usable_memory_gib(choice.candidate.machine))
    unified = choice.fit.setting.accelerator.kind == "apple" and choice.host
    return room_gib - choice.fit.need_bytes / GIB if unified else room_gib


def _cramped(request: Request, choice: Choice) -> str:
    terms = " + ".join(f"{one.name} {one.size_bytes / GIB:.1f}" for one in choice.host)
    needs = f"the engine needs {choice.host_gib:.1f} GiB of host memory ({terms}); "
    accelerator = request.accelerator
    if accelerator.kind == "apple":
        whole = usable_memory_gib(choice.candidate.machine)
        return (
            f"{needs}beside {choice.fit.need_bytes / GIB:.1f} GiB for the GPU, and {accelerator.id} gives {whole} GiB "
            "to both."
        )
    if isinstance(choice.candidate.machine, NodeShare):
        share = choice.candidate.machine
        return f"{needs}{share.accelerators or 'a'} of a {share.machine_type} gives {usable_memory_gib(share)} GiB."
    machines = [one for one in accelerator.machines if one.memory_gib]
    carried = choice.candidate.machine.accelerators
    most = max((one for one in machines if one.accelerators == carried), key=usable_memory_gib)
    return (
        f"{needs}{most.machine_type}, the largest with {carried or 1} x {accelerator.id}, gives "
        f"{usable_memory_gib(most)} GiB."
    )
