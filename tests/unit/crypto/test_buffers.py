"""Buffers are lent in the right length, kept within bounds, and never lent twice."""

import threading

import pytest

from app.crypto.buffers import LARGEST_KEPT, SMALLEST_KEPT, BufferPool

KIB, MIB = 1024, 1024 * 1024


@pytest.mark.parametrize("length", [0, 1, 16, 4096, 64 * KIB, 256 * KIB + 16, MIB, 20 * MIB])
def test_a_loan_has_the_length_that_was_asked_for(length: int) -> None:
    with BufferPool().borrow(length) as buffer:
        assert len(buffer) == length
        assert not buffer.readonly


def test_a_returned_buffer_is_lent_again() -> None:
    pool = BufferPool()
    with pool.borrow(3 * MIB) as buffer:
        buffer[:4] = b"mark"
    with pool.borrow(3 * MIB - 5) as buffer:
        assert buffer[:4] == b"mark"


def test_a_buffer_is_never_lent_twice_at_a_time() -> None:
    pool = BufferPool()
    with pool.borrow(MIB):
        pass
    with pool.borrow(MIB) as one, pool.borrow(MIB) as other:
        one[:1], other[:1] = b"1", b"2"
        assert bytes(one[:1]) == b"1"


def test_a_chunk_with_its_tag_does_not_take_two_chunks() -> None:
    assert len(BufferPool().take(256 * KIB + 16)) == 260 * KIB


@pytest.mark.parametrize("length", [SMALLEST_KEPT - 1, LARGEST_KEPT + 1])
def test_small_and_very_large_ones_are_not_kept(length: int) -> None:
    pool = BufferPool()
    buffer = pool.take(length)
    assert len(buffer) == length
    pool.give_back(buffer)
    assert pool.take(length) is not buffer


def test_no_more_is_kept_than_is_allowed() -> None:
    pool = BufferPool(most_idle=2 * MIB)
    buffers = [pool.take(MIB - 4096) for _ in range(5)]
    for buffer in buffers:
        pool.give_back(buffer)
    again = [pool.take(MIB - 4096) for _ in range(5)]
    kept = sum(any(new is old for old in buffers) for new in again)
    assert kept == 2 * MIB // len(buffers[0])


def test_lending_does_not_use_up_the_allowance() -> None:
    pool = BufferPool(most_idle=2 * MIB)
    first = pool.take(MIB)
    pool.give_back(first)
    for _ in range(10):
        again = pool.take(MIB)
        assert again is first
        pool.give_back(again)


def test_a_buffer_comes_back_after_an_error() -> None:
    pool = BufferPool()

    def fail() -> None:
        with pool.borrow(MIB) as buffer:
            buffer[:4] = b"mark"
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with pool.borrow(MIB) as buffer:
        assert buffer[:4] == b"mark"


def test_threads_do_not_share_a_loan() -> None:
    pool = BufferPool()
    wrong = []

    def work(number: int) -> None:
        for _ in range(300):
            with pool.borrow(100 * KIB) as buffer:
                buffer[:2] = bytes((number, number))
                if buffer[:2] != bytes((number, number)):
                    wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
