"""Ends the process of dynamic resources with the engine that started it.

A killed run must not go on in the background, or clean up under the feet of the next one.
"""

from __future__ import annotations

import os
import re
import socket
import sys
import threading
import time

_RECONNECT_SECONDS = 0.2
_ENGINE = re.compile(r"(127\.0\.0\.1|localhost|\[::1\]):(\d+)")


def end_with_engine() -> None:
    """Watch the engine that this process's arguments name, if they name one."""
    engines = [found for one in sys.argv[1:] if (found := _ENGINE.fullmatch(one))]
    if engines:
        target = (engines[0][1].strip("[]"), int(engines[0][2]))
        threading.Thread(target=_end_with, args=(target,), daemon=True).start()


def _end_with(target: tuple[str, int]) -> None:
    """Hold a connection to the engine; when it breaks and cannot be made again, the engine is gone."""
    while True:
        try:
            with socket.create_connection(target, timeout=10) as held:
                held.settimeout(None)
                while held.recv(4096):
                    pass
        except ConnectionRefusedError:
            os._exit(1)
        except OSError:
            pass
        time.sleep(_RECONNECT_SECONDS)
