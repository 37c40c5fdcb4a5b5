"""The pool of children: reused, replaced, killed when late, never left behind."""

from __future__ import annotations

import io
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from app.errors import DecoderUnavailable, UndecodableMedia, UnsupportedType
from app.media import decoder_client, formats
from app.media.decoder_client import Decoder
from tests.fixtures import pictures
from tests.unit.media.children import (
    JPEG,
    PNG,
    children_of_this_process,
    idle_pids,
    render,
    wait_for,
)


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
