"""The Pulumi program: the file of the selected stack decides what is deployed."""

import gc

gc.disable()  # a run lives for seconds; collecting while modules load costs a fifth of a preview

from pathlib import Path  # noqa: E402

import pulumi  # noqa: E402

from infra.components.deploy import deploy  # noqa: E402
from infra.errors import StackError  # noqa: E402
from infra.pipeline import build  # noqa: E402
from infra.stack_folder import StackFolder  # noqa: E402

try:
    deploy(build(pulumi.get_stack(), StackFolder(Path(pulumi.get_root_directory()) / "stacks")))
except StackError as error:
    raise pulumi.RunError(str(error)) from None
