"""Mistakes in a Job beside a rendered endpoint, and one without."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from tests.unit.policy_case import Case
from tests.unit.test_golden import JOBS

RULE = "job-ends"


def _job(**changes: Any) -> Callable[[Case], object]:
    """A rendered Job that runs elsewhere and asks for no accelerators, with changes of its spec; None removes one."""

    def change(case: Case) -> None:
        job = copy.deepcopy(next(one for one in JOBS["gemma4-e2b-l4-keras"].objects() if one["kind"] == "Job"))
        pod = job["spec"]["template"]["spec"]
        pod["nodeSelector"], pod["tolerations"] = {}, []
        for amounts in pod["containers"][0]["resources"].values():
            amounts.pop("nvidia.com/gpu")
        job["spec"] |= changes
        job["spec"] = {key: value for key, value in job["spec"].items() if value is not None}
        case.objects.append(job)

    return change


def _restarting(case: Case) -> None:
    _job()(case)
    case.objects[-1]["spec"]["template"]["spec"]["restartPolicy"] = "OnFailure"


JOB_MISTAKES: dict[str, tuple[str, Callable[[Case], object]]] = {
    "no deadline": (RULE, _job(activeDeadlineSeconds=None)),
    "a deadline of a month": (RULE, _job(activeDeadlineSeconds=2_592_000)),
    "tries without end": (RULE, _job(backoffLimitPerIndex=None)),
    "a thousand tries": (RULE, _job(backoffLimitPerIndex=1000)),
    "machines that end count": (RULE, _job(podFailurePolicy=None)),
    "containers that restart": (RULE, _restarting),
}
JOBS_ALLOWED: dict[str, Callable[[Case], object]] = {
    "a Job without accelerators": _job(),
    "a job without retries": _job(backoffLimitPerIndex=0),
}
