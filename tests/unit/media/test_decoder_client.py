"""The pool of children: reused, replaced, killed when late, never left behind."""

from __future__ import annotations

import io
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from app.errors import DecoderUnavailable, StoreUnavailable, UndecodableMedia, UnsupportedType
from app.media import decoder_client, decoder_process, formats
from app.media.decoder_client import Decoder, Rendered
from app.media.decoder_process import DecoderProcess
from app.media.limits import DecodeLimits
from tests.fixtures import pictures

JPEG, PNG = formats.JPEG.file_type, formats.PNG.file_type


@pytest.fixture
def single() -> Iterator[Decoder]:
    with Decoder(workers=1) as decoder:
        yield decoder


@pytest.fixture(scope="module")
def slow_png() -> bytes:
    """Some 48 megapixels in a small file: more than half a second of work."""
    return pictures.png(Image.new("RGBA", (7000, 6900), (1, 2, 3, 4)), compress_level=1)


def render(decoder: Decoder, data: bytes, file_type: formats.FileType = JPEG) -> Rendered:
    return decoder.render(io.BytesIO(data), len(data), file_type)


def idle_pids(decoder: Decoder) -> list[int]:
    return [child.pid for child in decoder._pool.idle]


def children_of_this_process() -> set[int]:
    with open(f"/proc/self/task/{threading.get_native_id()}/children") as file:
        found = {int(pid) for pid in file.read().split()}
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/children") as file:
            found |= {int(pid) for pid in file.read().split()}
    return found


def wait_for(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def test_nothing_is_started_before_it_is_needed() -> None:
    before = children_of_this_process()
    Decoder().close()
    assert children_of_this_process() == before


def test_a_child_is_kept_warm(single: Decoder) -> None:
    render(single, pictures.jpeg())
    (first,) = idle_pids(single)
    render(single, pictures.jpeg())
    assert idle_pids(single) == [first]


def test_a_child_is_replaced_after_its_files(single: Decoder, monkeypatch) -> None:
    monkeypatch.setattr(decoder_client, "FILES_PER_CHILD", 3)
    seen = []
    for _ in range(4):
        render(single, pictures.jpeg())
        seen.extend(idle_pids(single))
    assert len(seen) == 3  # none was left idle after the third file
    assert len(set(seen)) == 2


def test_a_child_is_replaced_after_a_refusal(single: Decoder) -> None:
    render(single, pictures.jpeg())
    (first,) = idle_pids(single)
    with pytest.raises(UndecodableMedia, match="cut short"):
        render(single, pictures.jpeg(pictures.photograph())[:9000])
    assert idle_pids(single) == []
    assert first not in children_of_this_process()
    assert render(single, pictures.jpeg()).width == 96


def test_clips_are_refused_without_a_child(single: Decoder) -> None:
    with pytest.raises(UnsupportedType, match="Clips cannot be stored yet"):
        render(single, b"anything", formats.MP4.file_type)
    assert idle_pids(single) == []


def test_another_format_than_told_is_not_read(single: Decoder) -> None:
    with pytest.raises(UndecodableMedia, match="damaged"):
        render(single, pictures.png(), JPEG)


def test_a_late_child_is_killed_and_the_next_file_works(slow_png: bytes) -> None:
    with Decoder(DecodeLimits(timeout_seconds=0.1), workers=1) as decoder:
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


def test_a_child_killed_in_the_middle(single: Decoder, slow_png: bytes) -> None:
    render(single, pictures.jpeg())
    (pid,) = idle_pids(single)
    with ThreadPoolExecutor(1) as threads:
        result = threads.submit(render, single, slow_png, PNG)
        wait_for(lambda: single._pool.busy)
        time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(UndecodableMedia, match="gave up"):
            result.result()
    assert render(single, pictures.jpeg()).width == 96
    assert pid not in children_of_this_process()


def test_a_child_that_died_while_idle_costs_no_file(single: Decoder) -> None:
    render(single, pictures.jpeg())
    (pid,) = idle_pids(single)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not single._pool.idle[0].alive())
    assert render(single, pictures.jpeg()).width == 96


def test_the_child_ignores_what_ctrl_c_sends_to_the_group(single: Decoder) -> None:
    render(single, pictures.jpeg())
    (pid,) = idle_pids(single)
    os.kill(pid, signal.SIGINT)
    os.kill(pid, signal.SIGTERM)
    render(single, pictures.jpeg())
    assert idle_pids(single) == [pid]


def test_eight_threads_share_two_children() -> None:
    colours = [(n * 30, 255 - n * 30, 128) for n in range(8)]
    files = [pictures.jpeg(Image.new("RGB", (300 + n, 200), c)) for n, c in enumerate(colours)]
    with Decoder(workers=2) as decoder, ThreadPoolExecutor(8) as threads:
        for _ in range(3):
            results = list(threads.map(lambda data: render(decoder, data), files))
            for n, (result, colour) in enumerate(zip(results, colours, strict=True)):
                assert result.width == 300 + n
                with Image.open(io.BytesIO(result.derivatives[320])) as thumb:
                    pixel = thumb.getpixel((5, 5))
                assert all(abs(a - b) < 12 for a, b in zip(pixel, colour, strict=True))
        assert 1 <= len(idle_pids(decoder)) <= 2


def test_good_and_bad_files_at_once() -> None:
    good, bad = pictures.jpeg(), pictures.jpeg(pictures.photograph())[:9000]

    def outcome(data: bytes) -> str:
        try:
            return f"{render(decoder, data).width}"
        except UndecodableMedia as error:
            return str(error.details["reason"])

    with Decoder(workers=2) as decoder, ThreadPoolExecutor(4) as threads:
        assert list(threads.map(outcome, [good, bad] * 6)) == ["96", "cut"] * 6


def test_close_leaves_no_child_and_can_be_undone() -> None:
    before = children_of_this_process()
    decoder = Decoder(workers=2)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: render(decoder, pictures.jpeg()), range(4)))
    decoder.close()
    assert children_of_this_process() == before
    assert render(decoder, pictures.jpeg()).width == 96
    decoder.close()
    decoder.close()
    assert children_of_this_process() == before


def test_close_stops_what_is_busy(slow_png: bytes) -> None:
    decoder = Decoder(workers=1)
    before = children_of_this_process()
    with ThreadPoolExecutor(1) as threads:
        result = threads.submit(render, decoder, slow_png, PNG)
        wait_for(lambda: decoder._pool.busy)
        decoder.close()
        with pytest.raises(DecoderUnavailable, match="stopped"):
            result.result()
    assert children_of_this_process() == before


def test_a_forgotten_decoder_leaves_no_child() -> None:
    before = children_of_this_process()
    decoder = Decoder(workers=1)
    render(decoder, pictures.jpeg())
    del decoder
    wait_for(lambda: children_of_this_process() == before)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_after_a_fork_each_process_has_its_own_children(single: Decoder) -> None:
    render(single, pictures.jpeg())
    (mine,) = idle_pids(single)
    child = os.fork()
    if child == 0:
        try:
            fine = render(single, pictures.jpeg()).width == 96 and idle_pids(single) != [mine]
            single.close()
            os._exit(0 if fine else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    render(single, pictures.jpeg())
    assert idle_pids(single) == [mine]


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
