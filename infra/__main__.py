"""The Pulumi program: the file of the selected stack decides what is deployed."""

from pathlib import Path

import pulumi

from infra.components.deploy import deploy
from infra.errors import StackError
from infra.pipeline import build
from infra.stack_folder import StackFolder

try:
    deploy(build(pulumi.get_stack(), StackFolder(Path(pulumi.get_root_directory()) / "stacks")))
except StackError as error:
    raise pulumi.RunError(str(error)) from None
