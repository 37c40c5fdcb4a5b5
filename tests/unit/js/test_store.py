"""Steps back and forth over the annotations of a picture."""

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


OPS = """
  const ops = [];
  store.addEventListener('op', ({ detail: { op } }) => ops.push(op));
  const label = (item) => item?.label ?? null;
  const brief = () => ops.splice(0).map(
    ({ kind, id, rev, before, after }) => [kind, id, rev, label(before), label(after)]);
"""


def test_each_committed_change_is_one_operation(run: Run) -> None:
    body = (
        OPS
        + """
      store.change('a', { label: 'pear' });
      store.remove('b');
      const made = store.add({ x: 1, y: 1, w: 2, h: 2 }, 'new');
      const there = brief();
      store.undo(); store.undo(); store.undo();
      const back = brief();
      store.redo();
      return [there, back, brief(), made.id];
    """
    )
    there, back, forth, made = store(run, body)
    assert there == [
        ["update", "a", 1, "apple", "pear"],
        ["delete", "b", 1, "leaf", None],
        ["add", made, None, None, "new"],
    ]
    assert back == [
        ["delete", made, None, "new", None],
        ["add", "b", 1, None, "leaf"],
        ["update", "a", 1, "pear", "apple"],
    ]
    assert forth == [["update", "a", 1, "apple", "pear"]]


def test_without_a_label_it_is_not_there_for_the_server(run: Run) -> None:
    body = (
        OPS
        + """
      const { id } = store.add({ x: 1, y: 1, w: 2, h: 2 }, null);
      store.change(id, { box: { x: 2, y: 1, w: 2, h: 2 } });
      const nothing = brief();
      store.change(id, { label: 'apple' }, 'label');
      const named = brief();
      store.undo();
      return [nothing, named.map(([kind]) => kind), brief().map(([kind]) => kind)];
    """
    )
    assert store(run, body) == [[], ["add"], ["delete"]]


def test_an_operation_tells_the_revision_of_now(run: Run) -> None:
    body = (
        OPS
        + """
      move('a', 5);
      store.revise([{ id: 'a', rev: 7 }]);
      store.undo();
      return [ops.map((op) => op.rev), store.get('a').rev, store.get('a').box.x];
    """
    )
    assert store(run, body) == [[1, 7], 7, 0]


def test_an_order_taken_back_keeps_what_others_added_since(run: Run) -> None:
    body = """
      store.reorder(['b', 'a']);
      store.receive([{ id: 'c', after: { ...v[0].annotations[0], id: 'c' } }]);
      const told = [];
      store.addEventListener('op', ({ detail }) => told.push(detail.op.ids));
      store.undo();
      const back = store.ids;
      store.redo();
      return [back, store.ids, told];
    """
    back, forth, told = store(run, body)
    assert (back, forth) == (["a", "b", "c"], ["b", "a", "c"])
    assert told == [back, forth]


def test_the_order_is_an_operation_too(run: Run) -> None:
    body = (
        OPS
        + """
      store.reorder(['b', 'a']);
      store.reorder(['b', 'a']);
      store.undo();
      return [ops.map(({ kind, ids, before }) => [kind, ids, before]), store.ids];
    """
    )
    ops, ids = store(run, body)
    assert ops == [["order", ["b", "a"], ["a", "b"]], ["order", ["a", "b"], ["b", "a"]]]
    assert ids == ["a", "b"]


def test_what_others_did_is_no_step_and_no_operation(run: Run) -> None:
    body = (
        OPS
        + """
      move('a', 5); move('b', 30);
      ops.length = 0;
      const box = { x: 1, y: 2, w: 3, h: 4 };
      const theirs = { id: 'a', rev: 9, label: 'pear', label_id: 'p', box };
      const edits = store.edits;
      store.receive([{ id: 'a', after: theirs }]);
      store.undo(); store.undo();
      const [a, b] = [store.get('a'), store.get('b')];
      return [a.label, a.box.x, b.box.x, ops.length, store.edits - edits];
    """
    )
    assert store(run, body) == ["p", 1, 20, 1, 1]


def test_many_at_once_are_one_step(run: Run) -> None:
    body = (
        OPS
        + """
      const made = (x) => ({ box: { x, y: 0, w: 5, h: 5 }, label: 'apple', attributes: {} });
      store.addAll([1, 2, 3].map(made));
      const { size } = store.items;
      store.undo();
      return [size, store.items.size, ops.map((op) => op.kind)];
    """
    )
    assert store(run, body) == [5, 2, ["add"] * 3 + ["delete"] * 3]


def test_a_class_goes_out_by_its_id_and_a_typed_one_by_its_name(run: Run) -> None:
    body = """
      const box = { x: 0, y: 0, w: 1, h: 1 };
      const item = { id: 'x', rev: 3, box, attributes: {}, frame: 0 };
      const told = { ...item, label: 'apple', label_id: 'id-1' };
      const kept = m.itemOf(told);
      const typed = m.annotationOf({ ...item, label: m.typedId('Wasp') });
      return [kept.label, m.annotationOf(kept), typed.label];
    """
    kept, sent, typed = run("editor/wire", body)
    assert kept == "id-1"
    assert sent["label_id"] == "id-1"
    assert "label" not in sent
    assert typed == "Wasp"
