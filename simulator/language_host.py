"""The Python language host of the engine, for machines without the official `pulumi-language-python`.

It serves pulumirpc.LanguageRuntime as the official host does (pulumi 3.259, sdk/python/cmd): the program runs
by `runpy` in its own folder; a `pulumi.RunError` is one error line, any other exception a traceback cut to the
user's frames. The program runs inside this process: every run imports the program's own modules anew, and
keeps installed packages from the run before.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import importlib.metadata
import logging
import os
import queue
import runpy
import select
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import grpc
from pulumi import RunError, log
from pulumi.automation._server import LanguageServer
from pulumi.runtime import reset_options, run_in_stack, set_all_config
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from simulator import child_process

_THREADS_PER_PARALLEL_OPERATION = 4
"""As the official host has it."""
_LARGEST_MESSAGE_BYTES = 400 * 1024 * 1024
"""The engine's own limit (rpcutil.MaxRPCMessageSize)."""


class LanguageHost(LanguageServer):
    """Serves one engine; at most one program runs at a time."""

    def __init__(self) -> None:
        super().__init__(lambda: None)
        self._one_run = threading.Lock()

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802, D102
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802, D102
        return plugin_pb2.PluginInfo(version=importlib.metadata.version("pulumi"))

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: ARG002, N802, D102
        yield language_pb2.InstallDependenciesResponse(
            stdout=b"Dependencies are installed by `python3 -m simulator.setup --only-python`.\n"
        )

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802, D102
        return language_pb2.RuntimeOptionsResponse()

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802, D102
        found = sorted({(one.name, one.version) for one in importlib.metadata.distributions()})
        dependencies = [language_pb2.DependencyInfo(name=name, version=version) for name, version in found]
        return language_pb2.GetProgramDependenciesResponse(dependencies=dependencies)

    def Run(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Run the program once, for a preview or an update; what it registers goes to the engine."""
        with self._one_run:
            modules = set(sys.modules)
            try:
                return contextvars.copy_context().run(_run, request)
            finally:
                _forget_program(set(sys.modules) - modules)
                for stream in (sys.stdout, sys.stderr):
                    with contextlib.suppress(ValueError, OSError):  # closed by the program
                        stream.flush()

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        """Run a plugin that is written in Python, for example a policy pack, and stream what it prints."""
        module = {"analyzer": "pulumi.policy"}.get(request.kind)
        command = ["-m", module] if module else [request.info.entry_point or request.info.program_directory]
        environment = dict(entry.partition("=")[::2] for entry in request.env) or None
        process = child_process.start(
            [sys.executable, "-u", *command, *request.args, request.info.program_directory]
            if module
            else [sys.executable, "-u", *command, *request.args],
            output=subprocess.PIPE,
            errors=subprocess.PIPE,
            environment=environment,
            directory=Path(request.pwd),
        )
        context.add_callback(process.kill)
        written: queue.SimpleQueue[tuple[str, bytes] | None] = queue.SimpleQueue()

        def forward(name: str, pipe: IO[bytes]) -> None:
            while chunk := os.read(pipe.fileno(), 65536):
                written.put((name, chunk))
            written.put(None)

        pipes = {"stdout": process.stdout, "stderr": process.stderr}
        for name, pipe in pipes.items():
            assert pipe is not None
            threading.Thread(target=forward, args=(name, pipe), daemon=True).start()
        open_pipes = len(pipes)
        while open_pipes:
            item = written.get()
            if item is None:
                open_pipes -= 1
            else:
                name, chunk = item
                yield language_pb2.RunPluginResponse(**{name: chunk})  # type: ignore[arg-type]
        yield language_pb2.RunPluginResponse(exitcode=process.wait())


def _run(request: Any) -> Any:
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # unobserved tasks are part of the model
    reset_options(
        project=request.project,
        stack=request.stack,
        root_directory=request.info.root_directory,
        parallel=request.parallel,
        engine_address=request.args[0] if request.args else "",
        monitor_address=request.monitor_address,
        preview=request.dryRun,
        organization=request.organization or "organization",
    )
    set_all_config(dict(request.config), list(request.configSecretKeys))
    program = Path(request.info.program_directory, request.info.entry_point)
    if program.is_dir() and not (program / "__main__.py").exists():
        log.error(f"unable to find main python program `__main__.py` in `{program}`")
        return language_pb2.RunResponse(bail=True)

    def main() -> None:
        runpy.run_path(str(program), run_name="__main__")

    os.chdir(request.info.program_directory)
    sys.argv = [str(program)]
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    threads = max(request.parallel, 1) * _THREADS_PER_PARALLEL_OPERATION
    loop.set_default_executor(ThreadPoolExecutor(max_workers=min(threads, 256)))
    try:
        loop.run_until_complete(run_in_stack(main))
    except RunError as error:
        log.error(str(error))
        return language_pb2.RunResponse(bail=True)
    except SystemExit as ended:
        if ended.code not in (None, 0):
            return language_pb2.RunResponse(error=f"Program exited with non-zero exit code: {ended.code}")
    except grpc.RpcError as error:
        # The engine is on its way out: it has said why itself.
        if error.code() != grpc.StatusCode.UNAVAILABLE:
            return language_pb2.RunResponse(error=f"RPC error: {error.details()}")
    except BaseException:  # also what is no Exception, such as KeyboardInterrupt: gRPC would never answer
        log.error(f"Program failed with an unhandled exception:\n{_user_traceback(program)}")
        return language_pb2.RunResponse(bail=True)
    finally:
        pending = asyncio.all_tasks(loop)
        for task in pending:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        loop.close()
    return language_pb2.RunResponse()


def _user_traceback(program: Path) -> str:
    """Return the current exception's traceback from the program's first frame on (official `_get_user_stacktrace`)."""
    main = program / "__main__.py" if program.is_dir() else program
    frames = traceback.extract_tb(sys.exc_info()[2])
    for index, frame in enumerate(frames):
        if Path(frame.filename).resolve() == main.resolve():
            return traceback.format_exc(limit=index - len(frames))
    return traceback.format_exc()


def _forget_program(modules: set[str]) -> None:
    """Drop modules that a run imported from outside the virtual environment and the standard library."""
    kept = tuple(str(Path(prefix).resolve()) for prefix in (sys.prefix, sys.base_prefix))
    for name in modules:
        file = getattr(sys.modules.get(name), "__file__", None)
        if file and not str(Path(file).resolve()).startswith(kept):
            del sys.modules[name]


def _end_with(parent: int) -> None:
    """End this process when the engine that started it has ended, even when it was killed."""
    if hasattr(os, "pidfd_open"):
        try:
            watched = os.pidfd_open(parent)
        except ProcessLookupError:
            os._exit(0)
        select.select([watched], [], [])
        os._exit(0)


def main() -> None:
    """Serve on a free loopback port, print it, and go on until told to end."""
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: os._exit(0))
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    options = [
        ("grpc.max_receive_message_length", _LARGEST_MESSAGE_BYTES),
        ("grpc.max_send_message_length", _LARGEST_MESSAGE_BYTES),
    ]
    server = grpc.server(ThreadPoolExecutor(max_workers=8), options=options)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port)
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
