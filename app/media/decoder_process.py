"""One decoder child: started, spoken to within deadlines, and always reaped."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from app.errors import DecoderUnavailable, UndecodableMedia
from app.media import framing
from app.media.limits import DecodeLimits
from app.media.refusals import undecodable

START_SECONDS = 30.0
"""Loading the codecs takes 0.15 s; the rest is for a machine under load."""
CLOSE_SECONDS = 2.0
PIPE_BYTES = 1 << 20
COPY_BYTES = 256 * 1024

_ROOT = str(Path(__file__).resolve().parents[2])
# `-I` ignores the environment, the working folder and the user's packages: the child finds the
# application by this path alone, from anywhere.
_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from app.media.decoder import main; main()"
)
# How the kernel ends a child that used up its processor time, or the machine's memory.
_ENDS = {-signal.SIGXCPU: "time", -signal.SIGKILL: "memory"}


class _Late(Exception):
    """A deadline passed."""


class _Gone(Exception):
    """The child closed its end."""


class DecoderProcess:
    """Not thread-safe: one request at a time. After any exception it is good for nothing
    but ``kill``."""

    def __init__(self, limits: DecodeLimits) -> None:
        """Start the child and wait until it is ready. Raises DecoderUnavailable."""
        self._limits = limits
        self.files = 0
        self._deadline = 0.0
        try:
            self._child = subprocess.Popen(
                _command(limits),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={},
                cwd="/",
                pipesize=PIPE_BYTES,
            )
        except (OSError, ValueError):
            raise _cannot_start() from None
        self._requests, self._answers = _pipe_ends(self._child)
        self._await_ready()

    @property
    def pid(self) -> int:
        return self._child.pid

    def _await_ready(self) -> None:
        try:
            ready = self._read_header(time.monotonic() + START_SECONDS)
        except (_Late, _Gone, OSError, ValueError):
            ready = {}
        if ready.get("ready") is not True:
            self.kill()
            raise _cannot_start()

    def request(self, header: Mapping[str, Any], source: BinaryIO, size: int) -> dict[str, Any]:
        """Send a file and return the header of the answer; parts follow by ``read_part``.

        Raises UndecodableMedia when the child is late, dies or answers nonsense, and
        whatever ``source`` raises.
        """
        self.files += 1
        try:
            # A child that cannot take the file may have said why before it left.
            with contextlib.suppress(_Gone):
                self._send(framing.pack_header(header), source, size)
            self._deadline = time.monotonic() + self._limits.timeout_seconds
            return self._read_header(self._deadline)
        except (_Late, _Gone, ValueError) as failure:
            raise self._verdict(failure) from None

    def further(self) -> dict[str, Any]:
        """The next header of an answer of several, which has the time of a whole file."""
        self._deadline = time.monotonic() + self._limits.timeout_seconds
        try:
            return self._read_header(self._deadline)
        except (_Late, _Gone, ValueError) as failure:
            raise self._verdict(failure) from None

    def read_part(self, size: int) -> bytes:
        """The next ``size`` bytes of the answer's body. Raises UndecodableMedia."""
        try:
            return self._read(size, self._deadline)
        except (_Late, _Gone) as failure:
            raise self._verdict(failure) from None

    def alive(self) -> bool:
        return self._child.poll() is None

    def stop(self) -> None:
        """End the child from another thread; the thread that uses it then calls ``kill``."""
        self._child.kill()

    def kill(self) -> None:
        """End the child at once and reap it; may be called again."""
        self._child.kill()
        self._finish(None)

    def close(self) -> None:
        """Let the child end by itself, which takes milliseconds, and reap it."""
        self._finish(CLOSE_SECONDS)

    def abandon(self) -> None:
        """In a fork of the owner: close this copy of the pipes, the child is not ours."""
        self._close_pipes()
        self._child.returncode = 0  # so that nothing waits for it, or warns

    def _finish(self, patience: float | None) -> bool:
        """Reap the child; False when it had to be killed for that."""
        self._close_pipes()
        try:
            self._child.wait(patience)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
            return False
        return True

    def _close_pipes(self) -> None:
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _verdict(self, failure: Exception) -> UndecodableMedia:
        """Why the child failed: by the failure, or by what ended the child before us."""
        if isinstance(failure, _Gone) and self._finish(CLOSE_SECONDS):
            return undecodable(_ENDS.get(self._child.returncode, "crash"))
        self.kill()
        return undecodable("time" if isinstance(failure, _Late) else "crash")

    def _send(self, header: bytes, source: BinaryIO, size: int) -> None:
        deadline = time.monotonic() + self._limits.timeout_seconds
        self._write(header, deadline)
        while size > 0:
            block = source.read(min(COPY_BYTES, size))
            if not block:
                self.kill()
                raise undecodable("cut")
            size -= len(block)
            self._write(block, deadline)

    def _write(self, data: bytes, deadline: float) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._requests, rest) :]
            except BlockingIOError:
                _wait(self._requests, select.POLLOUT, deadline)
            except OSError:
                raise _Gone from None

    def _read_header(self, deadline: float) -> dict[str, Any]:
        (length,) = framing.LENGTH.unpack(self._read(framing.LENGTH.size, deadline))
        if length > framing.MAX_HEADER_BYTES:
            raise ValueError("too long a header")
        return framing.parse_header(self._read(length, deadline))

    def _read(self, size: int, deadline: float) -> bytes:
        blocks = []
        while size > 0:
            try:
                block = os.read(self._answers, min(size, PIPE_BYTES))
            except BlockingIOError:
                _wait(self._answers, select.POLLIN, deadline)
                continue
            if not block:
                raise _Gone
            blocks.append(block)
            size -= len(block)
        return b"".join(blocks)


def _command(limits: DecodeLimits) -> list[str]:
    # The environment does not reach the child, so the wish to write no byte code is repeated.
    isolated = ["-I", "-B"] if sys.dont_write_bytecode else ["-I"]
    return [sys.executable, *isolated, "-c", _PROGRAM, _ROOT, limits.to_json()]


def _pipe_ends(child: subprocess.Popen[bytes]) -> tuple[int, int]:
    """The descriptors of the two pipes, set so that no read or write blocks for ever."""
    if child.stdin is None or child.stdout is None:
        raise _cannot_start()
    ends = child.stdin.fileno(), child.stdout.fileno()
    for end in ends:
        os.set_blocking(end, False)
    return ends


def _wait(end: int, event: int, deadline: float) -> None:
    left = deadline - time.monotonic()
    poll = select.poll()
    poll.register(end, event)
    if left <= 0 or not poll.poll(left * 1000):
        raise _Late


def _cannot_start() -> DecoderUnavailable:
    return DecoderUnavailable(
        "The program that decodes pictures cannot be started.", operation="media.decode"
    )
