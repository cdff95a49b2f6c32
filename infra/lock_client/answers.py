"""Answers to everything that has to be asked, several at a time, and every failure at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed

from infra.errors import StackError
from infra.lock import Use
from infra.lock_client.asking import Asker, AskingError
from infra.lock_client.hub import commit
from infra.lock_client.registry import digest
from infra.lock_client.settings import Settings
from infra.plan.weights_source import BRANCH

_AT_ONCE = 8


def ask_all(uses: Iterable[Use], known: Settings, tell: Callable[[int, int], None]) -> dict[Use, str]:
    """Commit or digest of each.

    Args:
        uses: what to ask for.
        known: whom, and as whom.
        tell: called with how many are done, and of how many, as answers come.

    Raises:
        StackError: some have none; all of them, with the reasons.
    """
    asker, found, failures = Asker(), dict[Use, str](), list[str]()
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        asked = {pool.submit(_ask, asker, known, use): use for use in uses}
        for done, one in enumerate(as_completed(asked), start=1):
            use = asked[one]
            try:
                found[use] = one.result()
            except AskingError as error:
                failures.append(f"{use}: {error}")
            tell(done, len(asked))
    finally:
        pool.shutdown(cancel_futures=True)
        asker.close()
    if failures:
        raise StackError("\n".join([*sorted(failures), "Nothing was written."]))
    return found


def _ask(asker: Asker, known: Settings, use: Use) -> str:
    if use.kind == "image":
        return digest(asker, known, use.name)
    return commit(asker, known, use.name, BRANCH)
