"""What a frame of the editor costs the browser's main thread, against an empty picture.

Thread time from a trace of the browser, not the clock: it stands still while other programs
have the processor. One step of a movement is one frame; the rows are its median and its 95th
percentile over all rounds, and the time until the page is ready. ``--boxes N …`` for other
numbers.
"""

from __future__ import annotations

import argparse
import statistics
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.benchmarks._measure import Row, report
from tests.browser.harness import samples
from tests.browser.harness.browser import serving
from tests.browser.harness.stage import create_app
from tests.fixtures.browser import launch

BOXES, ROUNDS, STEPS, WARM = (500, 2000), 5, 40, 5
MEDIAN_MS, P95_MS = 8.0, 16.0
SIZE = {"width": 1280, "height": 800}
CATEGORIES = ["toplevel", "blink.user_timing", "devtools.timeline"]

# Every step marks itself, does one thing and waits for the frame in which it is drawn.
MOVE = """async ([kind, steps]) => {
  const surface = document.querySelector("[data-canvas]");
  const nodes = document.querySelectorAll("[data-world] .line");
  const room = (nodes[nodes.length >> 1] ?? surface).getBoundingClientRect();
  const [x, y] = [room.left + room.width / 2, room.top + room.height / 2];
  surface.setPointerCapture = () => {};
  const point = (name, by) => surface.dispatchEvent(new PointerEvent(name, {
    bubbles: true, pointerId: 1, isPrimary: true, pointerType: "mouse", button: 0, buttons: 1,
    clientX: x + by, clientY: y + by / 2 }));
  const wheel = (more) => surface.dispatchEvent(new WheelEvent("wheel", {
    bubbles: true, cancelable: true, clientX: x, clientY: y, ...more }));
  const way = (step) => (step % 20 < 10 ? 1 : -1);
  const moves = {
    pan: (step) => wheel({ deltaX: 12 * way(step), shiftKey: true }),
    zoom: (step) => wheel({ deltaY: -30 * way(step) }),
    "drag of one": (step) => point("pointermove", 8 + (step % 60)),
    drawing: (step) => point("pointermove", 8 + (step % 60)),
  };
  if (kind.startsWith("dr")) point("pointerdown", 0);
  for (let step = 0; step < steps; step += 1) {
    performance.mark(`step ${step}`);
    moves[kind](step);
    await new Promise(requestAnimationFrame);
  }
  if (kind.startsWith("dr")) point("pointercancel", 0);
}"""
WAYS = {"pan": "v", "zoom": "v", "drag of one": "v", "drawing": "b"}


class Bench:
    """One open picture with ``boxes`` boxes."""

    def __init__(self, browser: Browser, url: str, boxes: int) -> None:
        self.boxes = boxes
        self._context = browser.new_context(viewport=SIZE, base_url=url)
        self._page: Page = self._context.new_page()
        self._client = self._context.new_cdp_session(self._page)
        self._client.send("Performance.enable", {"timeDomain": "threadTicks"})
        self._events: list[dict[str, Any]] = []
        self._client.on(
            "Tracing.dataCollected", lambda told: self._events.extend(told["value"])
        )

    def load(self) -> float:
        """Milliseconds of the main thread until the page is ready."""
        self._page.goto(f"/images/{samples.id_of(0)}/annotate")
        self._page.wait_for_selector("[data-editor]:not([data-loading])")
        self._page.wait_for_timeout(300)
        metrics = self._client.send("Performance.getMetrics")["metrics"]
        return 1000 * float(next(m["value"] for m in metrics if m["name"] == "TaskDuration"))

    def frames(self, way: str) -> list[float]:
        """Milliseconds of the main thread for each step."""
        self._page.keyboard.press(WAYS[way])
        self._page.wait_for_timeout(250)
        self._events.clear()
        done: list[object] = []
        self._client.once("Tracing.tracingComplete", lambda told: done.append(told))
        config = {"includedCategories": CATEGORIES}
        self._client.send(
            "Tracing.start", {"traceConfig": config, "transferMode": "ReportEvents"}
        )
        self._page.evaluate(MOVE, [way, STEPS])
        self._client.send("Tracing.end")
        while not done:
            self._page.wait_for_timeout(20)
        return _steps(self._events)[WARM:]


def _steps(events: Sequence[dict[str, Any]]) -> list[float]:
    """The thread time of the tasks that ended in each step but the last."""
    marks = sorted(
        (event["ts"], event["tid"]) for event in events if event["name"].startswith("step ")
    )
    begins, thread = [ts for ts, _ in marks], marks[0][1]
    spent = [0.0] * (len(begins) + 1)
    for event in events:
        if event["tid"] == thread and event["name"].endswith("RunTask") and "dur" in event:
            place = bisect_right(begins, event["ts"] + event["dur"])
            spent[place] += event.get("tdur", event["dur"]) / 1000
    return spent[1:-1]


@contextmanager
def opened(counts: Sequence[int]) -> Iterator[list[Bench]]:
    """A stage for each number of boxes: it tells samples, and asks no database."""
    with sync_playwright() as play, launch(play) as browser, ExitStack() as stages:
        benches = []
        for boxes in counts:
            app = create_app()
            app.config["BOXES"] = boxes
            benches.append(Bench(browser, stages.enter_context(serving(app)), boxes))
        yield benches


def _p95(times: Sequence[float]) -> float:
    return sorted(times)[len(times) * 95 // 100]


def _row(
    work: str, mine: list[list[float]], empty: list[list[float]], goal: float | None
) -> Row:
    take = _p95 if work.endswith("percentile") else statistics.median
    ours, theirs = (take([one for some in rounds for one in some]) for rounds in (mine, empty))
    best = min(map(take, mine)) / min(map(take, empty))
    words = f"<= {goal:g} ms" if goal else "none"
    met = goal is None or ours <= goal
    return Row(work, "an empty picture", ours, theirs, "ms", ours / theirs, best, words, met)


def run(counts: Sequence[int]) -> list[Row]:
    with opened([0, *counts]) as benches:
        figures: dict[tuple[str, int], list[list[float]]] = {}
        for _ in range(ROUNDS):
            for bench in benches:
                figures.setdefault(("load", bench.boxes), []).append([bench.load()])
                for way in WAYS:
                    # In an empty picture there is nothing to drag: drawing is the same frame.
                    its = "drawing" if way == "drag of one" and not bench.boxes else way
                    figures.setdefault((way, bench.boxes), []).append(bench.frames(its))
    return [row for boxes in counts for row in _rows(figures, boxes)]


def _rows(figures: dict[tuple[str, int], list[list[float]]], boxes: int) -> Iterator[Row]:
    for way in WAYS:
        mine, empty = figures[way, boxes], figures[way, 0]
        yield _row(f"{way}, {boxes} boxes: a frame", mine, empty, MEDIAN_MS)
        yield _row(f"{way}, {boxes} boxes: 95th percentile", mine, empty, P95_MS)
    yield _row(f"editor ready, {boxes} boxes", figures["load", boxes], figures["load", 0], None)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--boxes", type=int, nargs="+", default=list(BOXES))
    chosen, _ = parser.parse_known_args()
    report(run(chosen.boxes))


if __name__ == "__main__":
    main()
