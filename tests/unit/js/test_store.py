"""Steps back and forth, merging, and saving against a revision."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.js.conftest import Run

pytestmark = pytest.mark.browser

SET = {
    "state": "in_progress",
    "annotations": [
        {"id": "a", "rev": 1, "label": "apple", "box": {"x": 0, "y": 0, "w": 10, "h": 10}},
        {"id": "b", "rev": 1, "label": "leaf", "box": {"x": 20, "y": 0, "w": 10, "h": 10}},
    ],
}
BEGIN = """
  const store = new m.Store();
  store.load(structuredClone(v[0]));
  const move = (id, x) => store.change(id, { box: { ...store.get(id).box, x } }, 'nudge');
  const shown = () => JSON.stringify([...store.items.values()]);
"""


def store(run: Run, body: str, *values: Any) -> Any:
    return run("editor/store", BEGIN + body, SET, *values)


def test_every_step_can_be_taken_back_and_done_again(run: Run) -> None:
    body = """
      const seen = [];
      const note = () => seen.push(shown());
      note();
      move('a', 5); note();
      const made = store.add({ x: 1, y: 1, w: 2, h: 2 }, 'new'); note();
      store.remove('b'); note();
      store.change('a', { label: 'pear' }); note();
      const back = [];
      while (store.canUndo) { store.undo(); back.push(shown()); }
      const forth = [];
      while (store.canRedo) { store.redo(); forth.push(shown()); }
      return [seen, back, forth];
    """
    seen, back, forth = store(run, body)
    assert back == seen[:-1][::-1]
    assert forth == seen[1:]


def test_a_held_key_is_one_step(run: Run) -> None:
    assert (
        store(
            run,
            "for (let x = 1; x < 30; x += 1) move('a', x);"
            " store.undo(); return store.get('a').box.x;",
        )
        == 0
    )


def test_a_new_edit_forgets_what_was_undone(run: Run) -> None:
    assert (
        store(run, "move('a', 5); store.undo(); move('b', 7); return store.canRedo;") is False
    )


def test_what_says_the_same_is_no_edit(run: Run) -> None:
    assert store(run, "store.change('a', { label: 'apple' }); return store.edits;") == 0


def test_boxes_without_label_wait(run: Run) -> None:
    body = (
        "store.add({ x: 1, y: 1, w: 2, h: 2 }, null); return [store.waiting, store.document()];"
    )
    waiting, document = store(run, body)
    assert waiting == 1
    assert [one["id"] for one in document["annotations"]] == ["a", "b"]
    assert "state" not in document


def test_stepping_goes_around(run: Run) -> None:
    body = """
      const ids = [];
      for (const by of [1, 1, 1, -1, -1]) {
        store.step(by);
        ids.push(store.selected);
      }
      return ids;
    """
    assert store(run, body) == ["a", "b", "a", "b", "a"]


def test_ids_are_uuids_of_version_4(run: Run) -> None:
    found = run("editor/store", "return Array.from({ length: 200 }, m.newId);")
    assert len(set(found)) == 200
    assert all(one[14] == "4" and one[19] in "89ab" and len(one) == 36 for one in found)


def annotation(id_: str, x: int, label: str = "apple") -> dict[str, Any]:
    return {"id": id_, "rev": 1, "label": label, "box": {"x": x, "y": 0, "w": 9, "h": 9}}


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "wanted"),
    [
        ("", "a1", "b1", {"a": 1, "b": 1}),
        ("a1", "a2", "a1", {"a": 2}),
        ("a1", "a1", "a3", {"a": 3}),
        ("a1", "a2", "a3", {"a": 2}),
        ("a1 b1", "a1", "a1 b1", {"a": 1}),
        ("a1 b1", "a1 b1", "a1", {"a": 1}),
        ("a1", "", "a3", {"a": 3}),
        ("a1", "a2", "", {"a": 2}),
        ("a1", "", "", {}),
    ],
)
def test_merging_loses_no_change(
    run: Run, base: str, mine: str, theirs: str, wanted: dict[str, int]
) -> None:
    sets = [
        {
            "state": "new",
            "annotations": [annotation(one[0], int(one[1])) for one in text.split()],
        }
        for text in (base, mine, theirs)
    ]
    merged = run("editor/merge", "return m.mergeSets(...v)", *sets)
    assert {one["id"]: one["box"]["x"] for one in merged["annotations"]} == wanted


SYNC = """
  const { Store } = await import('/static/js/editor/store.js');
  const { Refusal } = await import('/static/js/frame/http.js');
  const store = new Store();
  const asked = [];
  const answers = [...v[1]];
  let rev = 1;
  const timers = [];
  const timer = {
    set: (work, wait) => timers.push([work, wait]) - 1,
    clear: (id) => { if (timers[id]) timers[id] = null; },
  };
  const send = async (options) => {
    const count = options.json?.annotations.length ?? null;
    asked.push({ match: options.headers?.['If-Match'] ?? null, count });
    if (!options.json) return { data: structuredClone(v[0]), etag: '"1"' };
    const status = answers.shift() ?? 200;
    if (status === 412) throw new Refusal(412, { current: v[0] }, new Headers({ ETag: '"9"' }));
    if (status !== 200) throw new Refusal(status);
    rev += 1;
    const annotations = structuredClone(options.json.annotations);
    return { data: { state: 'in_progress', annotations }, etag: `"${rev}"` };
  };
  const sync = new m.Sync(store, send, timer);
  const tick = async () => {
    const due = timers.splice(0).filter(Boolean);
    for (const [work] of due) await work();
    return due.map(([, wait]) => wait);
  };
  await sync.load();
  const add = () => store.add({ x: 1, y: 1, w: 5, h: 5 }, 'apple');
"""


def sync(run: Run, body: str, answers: list[int]) -> Any:
    return run("editor/sync", SYNC + body, SET, answers)


def test_edits_are_saved_together_against_the_revision_seen(run: Run) -> None:
    phases, asked, waits = sync(
        run,
        """
        const phases = [sync.phase];
        sync.addEventListener('phase', () => phases.push(sync.phase));
        add(); add(); add();
        const waits = await tick();
        add(); await tick();
        return [phases, asked, waits];
        """,
        [],
    )
    assert [one["match"] for one in asked] == [None, '"1"', '"2"']
    assert [one["count"] for one in asked] == [None, 5, 6]
    assert waits == [700]
    assert phases == [
        "saved",
        *["unsaved"] * 3,
        "saving",
        "saved",
        "unsaved",
        "saving",
        "saved",
    ]


def test_no_answer_is_tried_again_later_and_later(run: Run) -> None:
    waits, phase, dirty = sync(
        run,
        """
        add();
        const waits = [];
        for (let i = 0; i < 5; i += 1) waits.push(...await tick());
        return [waits, sync.phase, sync.isDirty];
        """,
        [0, 503, 500, 429],
    )
    assert waits == [700, 1000, 2000, 5000, 10000]
    assert (phase, dirty) == ("saved", False)


@pytest.mark.parametrize(
    ("choice", "count", "puts"), [("null", 3, 2), ("sync.theirs.set", 2, 1)]
)
def test_a_conflict_waits_for_an_answer(run: Run, choice: str, count: int, puts: int) -> None:
    phase, asked, left = sync(
        run,
        "add(); await tick(); const stopped = sync.phase; add(); store.undo(); await tick();"
        f" await sync.settle({choice}); await tick();"
        " return [[stopped, sync.phase], asked, store.items.size];",
        [412],
    )
    assert phase == ["conflict", "saved"]
    assert left == count
    assert len(asked) == 1 + puts
    if puts == 2:
        assert asked[-1]["match"] == '"9"'


def test_what_is_edited_while_saving_is_saved_next(run: Run) -> None:
    asked = sync(
        run,
        "add(); const flight = sync.save(); add(); await flight; await tick();"
        " return [asked, sync.isDirty];",
        [],
    )
    assert [one["count"] for one in asked[0]] == [None, 3, 4]
    assert asked[1] is False


def test_a_refusal_is_told_and_not_repeated(run: Run) -> None:
    phase, waits = sync(
        run,
        "add(); await tick(); const waits = await tick(); return [sync.phase, waits];",
        [422],
    )
    assert phase == "refused"
    assert waits == []
