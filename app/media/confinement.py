"""What the decoder child may not do, set by itself before it sees the first byte.

Limits that the kernel keeps: memory, processor time, no file of any size written, few
descriptors (and none left once all code is loaded: no file and no socket can be opened), no
core dump, no new privileges, not readable by a debugger of the same user. On a system
without ``prctl`` or a limit, that one is left out.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import resource
import signal

from app.media.limits import DecodeLimits

# linux/prctl.h
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
# malloc.h: one arena, or each thread of a codec would reserve 64 MiB of address space.
_M_ARENA_MAX = -8

DESCRIPTORS = 32
DESCRIPTORS_IN_USE = 4
"""Standard input, output and error, and the answer pipe."""


def confine(limits: DecodeLimits, files: int) -> None:
    """Give up all that decoding does not need. ``files`` is how many will be decoded."""
    _cap(resource.RLIMIT_AS, limits.memory_bytes)
    _cap(resource.RLIMIT_FSIZE, 0)
    _cap(resource.RLIMIT_CORE, 0)
    _cap(resource.RLIMIT_NOFILE, DESCRIPTORS)
    _cap(resource.RLIMIT_CPU, math.ceil((files + 1) * (limits.timeout_seconds + 1)))
    _call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _call("prctl", _PR_SET_DUMPABLE, 0, 0, 0, 0)
    _call("mallopt", _M_ARENA_MAX, 1)
    # A Ctrl-C goes to the whole process group; the application says when work ends, by
    # closing the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def close_the_door() -> None:
    """After all code is loaded: no further file, pipe or socket can be opened."""
    _cap(resource.RLIMIT_NOFILE, DESCRIPTORS_IN_USE)


def allow_processor_time(seconds: float) -> None:
    """Let the next file use ``seconds`` of processor time; beyond it the kernel kills."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = math.ceil(usage.ru_utime + usage.ru_stime)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = used + math.ceil(seconds) + 1
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _cap(which: int, most: int) -> None:
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(which, (most, most))


def _call(name: str, *arguments: int) -> None:
    with contextlib.suppress(AttributeError, OSError):
        getattr(ctypes.CDLL(None), name)(*arguments)
