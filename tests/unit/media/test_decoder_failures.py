"""A child that is late, dies or cannot start, or a failing source, costs one file at most."""

from __future__ import annotations

import io
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.errors import DecoderUnavailable, StoreUnavailable, UndecodableMedia
from app.media import decoder_process
from app.media.decoder_client import Decoder
from app.media.decoder_process import DecoderProcess
from app.media.limits import DecodeLimits
from tests.fixtures import pictures
from tests.unit.media.children import (
    JPEG,
    PNG,
    children_of_this_process,
    idle_pids,
    render,
    wait_for,
)


def test_a_late_child_is_killed_and_the_next_file_works(slow_png: bytes) -> None:
    with Decoder(DecodeLimits(timeout_seconds=0.3), workers=1) as decoder:
        with pytest.raises(UndecodableMedia, match="too long") as caught:
            render(decoder, slow_png, PNG)
        assert caught.value.details == {"reason": "time"}
        assert render(decoder, pictures.jpeg()).width == 96


def test_a_child_that_stands_still_is_late(single: Decoder) -> None:
    render(single, pictures.jpeg())
    single._pool.idle[0]._limits = DecodeLimits(timeout_seconds=0.2)
    (pid,) = idle_pids(single)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(UndecodableMedia, match="too long"):
        render(single, pictures.jpeg(pictures.photograph(3000, 2000)))
    assert pid not in children_of_this_process()


def test_too_much_memory(slow_png: bytes) -> None:
    with Decoder(DecodeLimits(memory_bytes=256 * 1024 * 1024), workers=1) as decoder:
        with pytest.raises(UndecodableMedia, match="too much memory"):
            render(decoder, slow_png, PNG)
        assert render(decoder, pictures.jpeg()).width == 96


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGKILL, "too much memory"),  # what the kernel does when memory runs out
        (signal.SIGXCPU, "too long"),  # and what it does at the end of processor time
        (signal.SIGSEGV, "gave up"),
        (signal.SIGABRT, "gave up"),
    ],
)
def test_a_child_killed_in_the_middle(
    single: Decoder, slow_png: bytes, number: int, words: str
) -> None:
    render(single, pictures.jpeg())
    (pid,) = idle_pids(single)
    with ThreadPoolExecutor(1) as threads:
        result = threads.submit(render, single, slow_png, PNG)
        wait_for(lambda: single._pool.busy)
        time.sleep(0.05)
        os.kill(pid, number)
        with pytest.raises(UndecodableMedia, match=words):
            result.result()
    assert render(single, pictures.jpeg()).width == 96
    assert pid not in children_of_this_process()


class _Failing(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > 1000:
            raise StoreUnavailable("the disk went away")
        return super().read(min(size or 0, 600))


def test_an_error_of_the_source_is_passed_on(single: Decoder) -> None:
    data = pictures.jpeg(pictures.photograph())
    with pytest.raises(StoreUnavailable):
        single.render(_Failing(data), len(data), JPEG)
    assert render(single, pictures.jpeg()).width == 96


def test_a_source_that_ends_early(single: Decoder) -> None:
    data = pictures.jpeg()
    with pytest.raises(UndecodableMedia, match="cut short"):
        single.render(io.BytesIO(data), len(data) + 1, JPEG)
    assert render(single, pictures.jpeg()).width == 96


def test_the_source_is_read_from_its_start(single: Decoder) -> None:
    data = pictures.jpeg()
    source = io.BytesIO(data)
    source.seek(50)
    assert single.render(source, len(data), JPEG).width == 96


@pytest.mark.parametrize("sizes", [(), (0,), (5000,), tuple(range(1, 10))])
def test_impossible_sizes_are_the_callers_mistake(single: Decoder, sizes) -> None:
    with pytest.raises(ValueError, match="sizes"):
        single.render(io.BytesIO(b""), 0, JPEG, sizes)


def test_an_interpreter_that_does_not_start(monkeypatch) -> None:
    monkeypatch.setattr(decoder_process.sys, "executable", "/nowhere/python")
    with Decoder(workers=1) as decoder, pytest.raises(DecoderUnavailable):
        render(decoder, pictures.jpeg())


def test_a_program_that_ends_at_once(monkeypatch) -> None:
    monkeypatch.setattr(decoder_process, "_PROGRAM", "raise SystemExit(3)")
    before = children_of_this_process()
    with pytest.raises(DecoderUnavailable, match="cannot be started"):
        DecoderProcess(DecodeLimits())
    assert children_of_this_process() == before


def test_a_program_that_says_nothing(monkeypatch) -> None:
    monkeypatch.setattr(decoder_process, "_PROGRAM", "import time; time.sleep(60)")
    monkeypatch.setattr(decoder_process, "START_SECONDS", 0.2)
    with pytest.raises(DecoderUnavailable):
        DecoderProcess(DecodeLimits())
