"""The application's side of decoding: a warm pool of decoder children, one a core.

A child is started when it is first needed, does one file at a time, and is replaced after
100 files and after any refusal, because a codec that met a bad file may be in a bad state.
Pictures go through pipes only, never to a disk.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

from app.errors import DecoderUnavailable, UnsupportedType
from app.media.cropped import MOST_CROPS, Rectangle, Survey, check_crop, check_survey
from app.media.decoder_process import DecoderProcess
from app.media.formats import CLIPS_REFUSED, FileType, format_of
from app.media.limits import DecodeLimits
from app.media.refusals import undecodable
from app.media.rendered import Rendered, check_answer

__all__ = ["MOST_CROPS", "STANDARD_SIZES", "DecodeLimits", "Decoder", "Rendered"]

STANDARD_SIZES = (320, 640, 1600)
"""Two thumbnails and the preview: longest side in pixels."""
LARGEST_SIZE = 4096
MOST_SIZES = 8
FILES_PER_CHILD = 100
CROPS_A_FILE = 16
"""As much work for a child as a file."""


class _Pool:
    """The children of one process; a fork and a close get a new one."""

    def __init__(self, workers: int) -> None:
        self.lock = threading.Lock()
        self.free = threading.BoundedSemaphore(workers)
        self.idle: list[DecoderProcess] = []
        self.busy: set[DecoderProcess] = set()
        self.ended = False

    def take_idle(self) -> DecoderProcess | None:
        """A child that still lives, if there is one; it counts as busy."""
        with self.lock:
            while self.idle:
                child = self.idle.pop()
                if child.alive():
                    self.busy.add(child)
                    return child
                child.kill()
        return None

    def adopt(self, child: DecoderProcess) -> None:
        with self.lock:
            self.busy.add(child)

    def give_back(self, child: DecoderProcess) -> None:
        with self.lock:
            self.busy.discard(child)
            if not self.ended and child.files < FILES_PER_CHILD:
                self.idle.append(child)
                return
        child.close()

    def put_away(self, child: DecoderProcess) -> None:
        with self.lock:
            self.busy.discard(child)
        child.kill()

    def end(self) -> None:
        """Close what is idle; what is busy is stopped, and reaped by the thread that uses it
        (another thread must not close the pipes under it: their numbers would be reused)."""
        with self.lock:
            self.ended = True
            idle, self.idle = self.idle, []
            for child in self.busy:
                child.stop()
        for child in idle:
            child.close()


class Decoder:
    """Thread-safe. ``workers`` children at most (default: one a core this process may use).

    After a fork the copy starts children of its own. ``close`` ends idle children and stops
    busy ones; a closed decoder starts again when it is used again.
    """

    def __init__(
        self, limits: DecodeLimits | None = None, *, workers: int | None = None
    ) -> None:
        self.limits = limits or DecodeLimits()
        self._workers = workers or _cores()
        self._renew()
        _decoders.add(self)

    def render(
        self,
        source: BinaryIO,
        size: int,
        file_type: FileType,
        sizes: Sequence[int] = STANDARD_SIZES,
    ) -> Rendered:
        """Decode the ``size`` bytes that ``source`` holds from its start.

        Raises UnsupportedType for a clip, UndecodableMedia for a picture that is damaged, over
        a limit, or too much for the decoder, DecoderUnavailable when no child can be started,
        and whatever ``source`` raises.
        """
        _check_sizes(sizes)
        with self._asked(source, size, file_type, {"sizes": list(sizes)}) as (child, answer):
            try:
                return check_answer(answer, child.read_part, file_type, sizes, self.limits)
            except (ValueError, TypeError):
                raise undecodable("crash") from None

    def survey(self, source: BinaryIO, size: int, file_type: FileType) -> Survey:
        """What crops of the picture would keep, by the head of its file; raises as `render`."""
        with self._asked(source, size, file_type, {"crops": []}) as (_, answer):
            return self._surveyed(answer)

    def crops(
        self, source: BinaryIO, size: int, file_type: FileType, wanted: Sequence[Rectangle]
    ) -> Iterator[bytes]:
        """A PNG of each rectangle of the picture as it is shown, one at a time; a child is
        kept for that until the last was taken. Raises as `render`, at any of them."""
        if not 1 <= len(wanted) <= MOST_CROPS:
            raise ValueError(f"1 to {MOST_CROPS} crops at once")
        told = {"crops": [list(each) for each in wanted]}
        with self._asked(source, size, file_type, told) as (child, answer):
            self._surveyed(answer)
            child.files += len(wanted) // CROPS_A_FILE
            for each in wanted:
                yield _crop(child, each)

    def _surveyed(self, answer: dict[str, Any]) -> Survey:
        try:
            return check_survey(answer, self.limits)
        except ValueError:
            raise undecodable("crash") from None

    @contextmanager
    def _asked(
        self, source: BinaryIO, size: int, file_type: FileType, wish: dict[str, Any]
    ) -> Iterator[tuple[DecoderProcess, dict[str, Any]]]:
        """A child that was sent the file, and the first header of what it answers."""
        if file_type.kind != "image":
            raise UnsupportedType(CLIPS_REFUSED, operation="media.decode")
        if size > self.limits.max_file_bytes:
            raise undecodable("file", {"found": size, "limit": self.limits.max_file_bytes})
        request = {"size": size, "formats": format_of(file_type.mime_type).pillow, **wish}
        with self._child() as child:
            source.seek(0)
            answer = child.request(request, source, size)
            if "refused" in answer:
                raise undecodable(str(answer["refused"]), answer)
            yield child, answer

    def close(self) -> None:
        self._finalizer()
        self._renew()

    def __enter__(self) -> Decoder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _renew(self) -> None:
        self._pool = _Pool(self._workers)
        self._finalizer = weakref.finalize(self, self._pool.end)

    @contextmanager
    def _child(self) -> Iterator[DecoderProcess]:
        """A child for one file; it goes back to the pool only after a success."""
        pool = self._pool
        with pool.free:
            child = pool.take_idle() or self._start(pool)
            try:
                yield child
            except BaseException:
                pool.put_away(child)
                if pool.ended:
                    raise DecoderUnavailable(
                        "Decoding was stopped.", operation="media.decode"
                    ) from None
                raise
            pool.give_back(child)

    def _start(self, pool: _Pool) -> DecoderProcess:
        child = DecoderProcess(self.limits)
        pool.adopt(child)
        return child

    def forget_children(self) -> None:
        """In a fork: the children belong to the parent, let go of its pipes."""
        self._finalizer.detach()
        for child in (*self._pool.idle, *self._pool.busy):
            child.abandon()
        self._renew()


def _crop(child: DecoderProcess, wanted: Rectangle) -> bytes:
    answer = child.further()
    if "refused" in answer:
        raise undecodable(str(answer["refused"]), answer)
    try:
        return check_crop(answer, child.read_part, wanted)
    except ValueError:
        raise undecodable("crash") from None


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _check_sizes(sizes: Sequence[int]) -> None:
    if not 1 <= len(sizes) <= MOST_SIZES or not all(1 <= n <= LARGEST_SIZE for n in sizes):
        raise ValueError(f"1 to {MOST_SIZES} sizes of 1 to {LARGEST_SIZE} pixels")


def _after_fork() -> None:
    for decoder in list(_decoders):
        decoder.forget_children()


_decoders: weakref.WeakSet[Decoder] = weakref.WeakSet()
os.register_at_fork(after_in_child=_after_fork)
