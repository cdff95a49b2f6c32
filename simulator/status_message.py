"""One definition of the message google.rpc.Status for the whole process.

Pulumi carries a copy of it, googleapis-common-protos has the original, and a process can hold one definition only:
whichever library comes second fails to import.
"""

from __future__ import annotations

import sys


def share_status_message() -> None:
    """Let Pulumi use the original. Call it before anything imports `pulumi.runtime.proto`."""
    from google.rpc import status_pb2

    sys.modules.setdefault("pulumi.runtime.proto.status_pb2", status_pb2)
