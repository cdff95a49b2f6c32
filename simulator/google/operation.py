"""The wait for a long-running operation of GKE."""

from __future__ import annotations

import threading
import time

from simulator.google.errors import OperationCancelledError, OperationTimeoutError


class Operation:
    """One operation that a user waits for, with a timeout, and that can be cancelled."""

    def __init__(self, activity: str, timeout_seconds: float, cancelled: threading.Event | None = None) -> None:
        """Start the clock.

        Args:
            activity: What is waited for, as the provider says it: "creating GKE NodePool".
            timeout_seconds: How long at most.
            cancelled: Set by whoever wants the wait to end.
        """
        self.activity = activity
        self.timeout_seconds = timeout_seconds
        self._deadline = time.monotonic() + timeout_seconds
        self._cancelled = cancelled or threading.Event()

    def wait(self, seconds: float) -> None:
        """Let simulated time pass.

        Raises:
            OperationTimeoutError: The timeout came first.
            OperationCancelledError: The wait was cancelled.
        """
        left = self._deadline - time.monotonic()
        if self._cancelled.wait(max(0.0, min(seconds, left))):
            raise OperationCancelledError(f"{self.activity}: cancelled")
        if seconds > left:
            raise OperationTimeoutError(self.activity, self.timeout_seconds)
