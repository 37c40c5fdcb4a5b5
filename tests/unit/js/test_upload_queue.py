"""The upload queue: order, pauses, retries, words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.js.conftest import Run

pytestmark = pytest.mark.browser

BEGIN = """
  const { Refusal } = await import('/static/js/frame/http.js');
  const log = [];
  const waits = [];
  let most = 0, now = 0;
  const post = async (file, where, onSent) => {
    now += 1; most = Math.max(most, now); log.push(file.name);
    try {
      onSent(file.size / 2);
      await new Promise((go) => setTimeout(go, 2));
      onSent(file.size);
      const status = (v[1][file.name] ?? []).shift();
      const headers = new Headers(status === 429 ? { 'Retry-After': '40' } : {});
      if (status) throw new Refusal(status, { detail: 'The store is away.' }, headers);
      return { id: file.name, duplicate: file.name === 'twin' };
    } finally { now -= 1; }
  };
  const wait = async (seconds) => { waits.push(seconds); };
  const queue = new m.Queue(post, { maxBytes: 1000 }, wait);
  const over = () => new Promise((done) => {
    const look = () => (queue.isBusy ? setTimeout(look, 1) : done());
    look();
  });
  queue.add(v[0].map(([name, size]) => ({ name, size })), {});
"""


def queue(
    run: Run, files: list[tuple[str, int]], answers: dict[str, list[int]], body: str
) -> Any:
    return run("upload/queue", BEGIN + body, files, answers)


def test_two_at_a_time_in_order(run: Run) -> None:
    files = [(f"f{n}", 10) for n in range(6)]
    log, most, words = queue(
        run, files, {}, "await over(); return [log, most, queue.jobs.map((job) => job.words)];"
    )
    assert log == [name for name, _ in files]
    assert most == 2
    assert words == ["ready"] * 6


def test_states_are_words(run: Run) -> None:
    files = [("twin", 10), ("empty", 0), ("large", 2_000_000), ("torn", 10), ("ill", 10)]
    words = queue(
        run,
        files,
        {"torn": [503], "ill": [422]},
        "await over(); return queue.jobs.map((job) => job.words);",
    )
    assert words == [
        "already here",
        "refused: the file is empty",
        "refused: 2.0 MB, the limit is 1.0 kB",
        "failed: the store is away.",
        "refused: the store is away.",
    ]


def test_a_pause_is_kept_and_then_it_goes_on(run: Run) -> None:
    waits, words = queue(
        run,
        [("a", 10), ("b", 10)],
        {"a": [429]},
        "await over(); return [waits, queue.jobs.map((job) => job.words)];",
    )
    assert waits == [40]
    assert words == ["ready", "ready"]


def test_signed_out_stops_and_a_retry_goes_on(run: Run) -> None:
    body = """
      await over();
      const stopped = queue.jobs.map((job) => job.words);
      queue.retry();
      await over();
      return [stopped, queue.jobs.map((job) => job.state)];
    """
    stopped, states = queue(run, [(n, 10) for n in "abcd"], {"a": [401], "b": [401]}, body)
    assert stopped == ["not sent: signed out"] * 4
    assert states == ["ready"] * 4


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (15_400, "15 kB"),
        (104_857_600, "105 MB"),
        (999_950, "1.0 MB"),
        (10_737_418_240, "10.7 GB"),
    ],
)
def test_sizes_in_words(run: Run, size: int, words: str) -> None:
    assert run("upload/words", "return m.sizeInWords(v[0])", size) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3, "a few seconds left"),
        (31, "about 40 seconds left"),
        (70, "about a minute left"),
        (600, "about 10 minutes left"),
        (3700, "about an hour left"),
        (9000, "about 2.5 hours left"),
    ],
)
def test_times_in_words(run: Run, seconds: int, words: str) -> None:
    assert run("upload/words", "return m.timeInWords(v[0])", seconds) == words
