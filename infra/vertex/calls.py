"""One call at a time: asked again while Google is busy, bounded in time, with its progress told on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import requests
from google.api_core import exceptions

from infra.vertex.failures import CutOffError, OperationTimeoutError, redacted

_BUSY = (exceptions.TooManyRequests, exceptions.ServiceUnavailable)
_UNSURE = (
    exceptions.InternalServerError,
    exceptions.BadGateway,
    exceptions.GatewayTimeout,
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    requests.exceptions.ChunkedEncodingError,
)
"""It is not known whether the call was carried out."""
_TELL_SECONDS = 60.0
"""Between two lines about the same operation: the engine repeats them all at the end."""


@dataclass(frozen=True)
class Pace:
    """How often and how long.

    Attributes:
        poll_seconds: first pause between two looks at an operation.
        longest_poll_seconds: last one; each pause is half as long again as the one before.
        attempts: how often a call is made before Google's "busy" is taken for an answer.
        back_off_seconds: pause after the first "busy"; doubled each time.
        call_seconds: longest wait for one answer.
        change_seconds: longest wait for a change of a running deployment.
        removal_seconds: longest wait for a removal.
    """

    poll_seconds: float = 10.0
    longest_poll_seconds: float = 30.0
    attempts: int = 6
    back_off_seconds: float = 2.0
    call_seconds: float = 60.0
    change_seconds: float = 1200.0
    removal_seconds: float = 1200.0

    def pauses(self) -> Iterator[float]:
        """Pauses between two looks, without end."""
        pause = self.poll_seconds
        while True:
            yield min(pause, self.longest_poll_seconds)
            pause *= 1.5


class Deadline:
    """A moment in the future, on the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self._start = time.monotonic()
        self._seconds = seconds

    @property
    def elapsed_seconds(self) -> float:
        """Since it was set."""
        return time.monotonic() - self._start

    @property
    def passed(self) -> bool:
        """Whether it is over."""
        return self.elapsed_seconds >= self._seconds

    def pause(self, seconds: float) -> None:
        """Sleep, but not beyond the deadline."""
        time.sleep(max(0.0, min(seconds, self._seconds - self.elapsed_seconds)))


class Calls:
    """Calls at one pace.

    Attributes:
        pace: how often and how long.
    """

    def __init__(self, pace: Pace, service: str = "vertex") -> None:
        self.pace = pace
        self._service = service

    def say(self, message: str) -> None:
        """Tell progress; stdout belongs to the engine."""
        print(f"{self._service}: {redacted(message)}", file=sys.stderr, flush=True)

    def ask(self, doing: str, method: Callable[..., Any], repeat_unsure: bool = True, **arguments: Any) -> Any:
        """Make a call; again, with growing pauses, while Google is busy or gives no answer.

        Args:
            doing: what it is for, for the user.
            method: a method of a client.
            repeat_unsure: whether the call may be made again when it is not known if it arrived.
            arguments: its arguments.

        Raises:
            google.api_core.exceptions.GoogleAPICallError: Google's answer.
            CutOffError: there was no answer.
        """
        for attempt in range(1, self.pace.attempts + 1):
            last = attempt == self.pace.attempts
            try:
                return method(**arguments, timeout=self.pace.call_seconds, retry=None)
            except _BUSY as error:
                if last:
                    raise
                self.say(f"{doing}: busy ({type(error).__name__}), attempt {attempt}; trying again")
            except _UNSURE as error:
                if last or not repeat_unsure:
                    raise CutOffError(f"{doing}: no answer from Google ({type(error).__name__}).") from None
                self.say(f"{doing}: no answer, attempt {attempt}; trying again")
            time.sleep(self.pace.back_off_seconds * 2 ** (attempt - 1))
        raise AssertionError("unreachable")

    def find(self, doing: str, method: Callable[..., Any], **arguments: Any) -> Any | None:
        """Make a call that reads; None where there is no such thing."""
        try:
            return self.ask(doing, method, **arguments)
        except exceptions.NotFound:
            return None

    def finish(
        self,
        doing: str,
        client: Any,
        operation: str,
        deadline: Deadline,
        each_time: Callable[[], None] = lambda: None,
    ) -> Any:
        """Look at an operation until it is done.

        Args:
            doing: what it does, for the user.
            client: any client of the service.
            operation: its name.
            deadline: when to give up; the operation itself goes on.
            each_time: called after each look that finds it running.

        Returns:
            The operation (google.longrunning.Operation).

        Raises:
            google.api_core.exceptions.GoogleAPICallError: it failed.
            OperationTimeoutError: it is not done in time.
        """
        self.say(f"{doing}: {operation}")
        told = -_TELL_SECONDS
        for pause in self.pace.pauses():
            found = self.ask(doing, client.get_operation, request={"name": operation})
            if found.done:
                if found.HasField("error"):
                    raise exceptions.from_grpc_status(found.error.code, found.error.message)  # type: ignore[no-untyped-call]
                return found
            if deadline.passed:
                break
            if deadline.elapsed_seconds - told >= _TELL_SECONDS:
                told = deadline.elapsed_seconds
                self.say(f"{doing}: {told:.0f} s, operation {operation.rpartition('/')[2]} runs")
            each_time()
            deadline.pause(pause)
        raise OperationTimeoutError(
            f"{doing}: not done within {deadline.elapsed_seconds:.0f} s. Operation:\n{operation}"
        )
