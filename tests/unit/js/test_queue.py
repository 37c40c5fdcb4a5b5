"""The queue of unsent operations against a model of the server: nothing lost, nothing twice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.js.conftest import Run

pytestmark = pytest.mark.browser

# As the API does it: operations are applied once, what was based on another revision conflicts.
SERVER = """
  const at = (x) => ({ x, y: 0, w: 1, h: 1 });
  class Server {
    constructor() {
      Object.assign(this, { boxes: new Map(), done: new Map(), revision: 0, times: 0 });
    }
    put(id, x) {
      this.revision += 1;
      if (x === null) this.boxes.delete(id);
      else this.boxes.set(id, { id, rev: this.revision, label: 'a', box: at(x) });
    }
    patch({ ops }) {
      const applied = [], conflicts = [];
      for (const op of ops) {
        const { op_id: name, id, rev } = op;
        const now = this.boxes.get(id) ?? null;
        if (this.done.has(name)) {
          applied.push({ op_id: name, id, rev: this.done.get(name) });
          continue;
        }
        const isSeen = now?.rev === rev || (op.op === 'delete' && !now);
        const fits = op.op === 'add' ? !now : isSeen;
        if (!fits) {
          conflicts.push({ id, base: null, mine: null, theirs: structuredClone(now) });
          continue;
        }
        this.put(id, op.op === 'delete' ? null : op.box.x);
        this.times += 1;
        this.done.set(name, this.boxes.get(id)?.rev ?? null);
        applied.push({ op_id: name, id, rev: this.done.get(name) });
      }
      return { applied, conflicts };
    }
  }
  let made = 0;
  const queueOf = () => new m.OpQueue(() => `op${made += 1}`);
"""

RUN = """
  const server = new Server();
  for (const id of 'ab') server.put(id, 0);
  const shown = new Map([...server.boxes].map(([id, one]) => [id, structuredClone(one)]));
  let queue = queueOf();
  queue.begin([...shown.values()].map((one) => structuredClone(one)));
  const asked = [];
  const show = (list) => {
    for (const { id, after } of list) after ? shown.set(id, after) : shown.delete(id);
  };
  const answer = (told) => {
    if (!told.conflicts.length) return queue.confirm(told.applied);
    show(queue.clash(told.applied, told.conflicts).settled);
    asked.push(...told.conflicts.map(({ id }) => id));
  };
  const bodies = new Map();
  const send = (how) => {
    const body = queue.take();
    if (!body) return;
    for (const op of body.ops) {
      const text = JSON.stringify(op);
      if ((bodies.get(op.op_id) ?? text) !== text) throw new Error(`changed: ${text}`);
      bodies.set(op.op_id, text);
    }
    if (how === 'lost') return;
    const told = server.patch(structuredClone(body));
    if (how !== 'unheard') answer(told);
  };
  const steps = {
    edit: (id, x) => {
      const now = shown.get(id);
      const after = { ...(now ?? { id, label: 'a' }), box: { x, y: 0, w: 1, h: 1 } };
      shown.set(id, after);
      queue.note(id, after);
    },
    drop: (id) => {
      if (!shown.has(id)) return;
      shown.delete(id);
      queue.note(id, null);
    },
    theirs: (id, x) => server.put(id, x),
    gone: (id) => server.boxes.has(id) && server.put(id, null),
    hear: () => {
      for (const id of 'abc') {
        const now = server.boxes.get(id) ?? null;
        const known = queue.known.get(id);
        if ((now?.rev ?? 0) === (known?.rev ?? 0)) continue;
        const after = structuredClone(now);
        if (queue.receive(id, after)) show([{ id, after }]);
      }
    },
    send: () => send('heard'),
    lost: () => send('lost'),
    unheard: () => send('unheard'),
    refused: () => queue.take() && queue.unload(),
    restart: () => {
      const kept = queue.snapshot();
      queue = queueOf();
      queue.begin([...server.boxes.values()].map((one) => structuredClone(one)));
      shown.clear();
      for (const [id, one] of server.boxes) shown.set(id, structuredClone(one));
      if (kept) show(queue.restore(JSON.parse(JSON.stringify(kept))));
    },
    choose: (choice) => {
      const [id] = queue.clashes.keys();
      if (id === undefined) return;
      const { mine, theirs } = queue.clashes.get(id);
      const both = choice === 'both' && mine && theirs;
      show(queue.choose(id, both ? 'both' : choice === 'theirs' ? 'theirs' : 'mine'));
    },
  };
  for (const [step, ...values] of v[0]) steps[step](...values);
  for (let round = 0; round < 30 && (queue.count || round < 2); round += 1) {
    steps.send(); steps.choose('mine'); steps.hear();
  }
  const plain = (map) => Object.fromEntries([...map].map(([id, { box }]) => [id, box.x]));
  const counts = { left: queue.count, times: server.times, made: server.done.size };
  return { asked, server: plain(server.boxes), shown: plain(shown), ...counts };
"""

IDS = st.sampled_from("aaabc")
PLACES = st.integers(1, 3)
STEP = st.one_of(
    st.tuples(st.just("edit"), IDS, PLACES),
    st.tuples(st.just("drop"), IDS),
    st.tuples(st.just("theirs"), st.sampled_from("aab"), st.integers(4, 6)),
    st.tuples(st.just("gone"), st.sampled_from("aab")),
    st.tuples(st.sampled_from(["hear", "send", "lost", "unheard", "refused", "restart"])),
    st.tuples(st.just("choose"), st.sampled_from(["mine", "theirs", "both"])),
)


@example([("edit", "a", 1), ("unheard",), ("refused",), ("edit", "a", 2)])
@example([("edit", "c", 1), ("lost",), ("edit", "c", 2), ("refused",), ("send",)])
@settings(max_examples=300, deadline=None)
@given(st.lists(STEP, max_size=14))
def test_in_the_end_the_server_has_what_the_person_sees(
    run: Run, steps: list[tuple[Any, ...]]
) -> None:
    """Whatever is lost, heard late, restarted or done by others in between."""
    found = run("editor/queue", SERVER + RUN, steps)
    assert found["left"] == 0
    if not {"theirs", "gone", "unheard"} & {step[0] for step in steps}:
        assert found["asked"] == []
    assert found["server"] == found["shown"]
    assert found["times"] == found["made"]


def queue(run: Run, body: str, *values: Any) -> Any:
    begin = """
      const queue = queueOf();
      const item = (id, x, rev = 1) => ({ id, rev, label: 'l', box: { x, y: 0, w: 1, h: 1 } });
      queue.begin([item('a', 0), item('b', 0)]);
    """
    return run("editor/queue", SERVER + begin + body, *values)


def test_edits_of_one_box_join_until_they_are_sent(run: Run) -> None:
    first, again, later = queue(
        run,
        """
        for (const x of [1, 2, 3]) queue.note('a', item('a', x));
        const first = structuredClone(queue.take());
        queue.note('a', item('a', 9));
        const again = structuredClone(queue.take());
        queue.confirm([{ op_id: first.ops[0].op_id, id: 'a', rev: 5 }]);
        return [first, again, queue.take()];
        """,
    )
    assert [op["box"]["x"] for op in first["ops"]] == [3]
    assert again == first
    (next_op,) = later["ops"]
    assert (next_op["box"]["x"], next_op["rev"]) == (9, 5)
    assert next_op["op_id"] != first["ops"][0]["op_id"]


@pytest.mark.parametrize(
    "body",
    [
        "queue.note('a', item('a', 1)); queue.note('a', item('a', 0));",
        "queue.note('c', item('c', 1)); queue.note('c', null);",
    ],
)
def test_what_was_taken_back_before_it_was_sent_is_not_sent(run: Run, body: str) -> None:
    assert queue(run, body + " return [queue.count, queue.take()];") == [0, None]


def test_a_refused_one_waits_for_another_edit_and_the_others_go_on(run: Run) -> None:
    refused, sent, mended = queue(
        run,
        """
        queue.note('a', item('a', 1));
        queue.note('b', item('b', 1));
        queue.take();
        queue.refuse(0, 'There is no such label.');
        const refused = queue.refused.map(({ id, words }) => [id, words]);
        const sent = queue.take().ops.map(({ id }) => id);
        queue.confirm(queue.take().ops.map((op) => ({ op_id: op.op_id, id: op.id, rev: 2 })));
        queue.note('a', { ...item('a', 1), label: 'other' });
        return [refused, sent, queue.take().ops.map(({ id, label_id }) => [id, label_id])];
        """,
    )
    assert refused == [["a", "There is no such label."]]
    assert sent == ["b"]
    assert mended == [["a", "other"]]


def test_an_order_is_sent_whole_and_the_last_one_wins(run: Run) -> None:
    ops = queue(
        run,
        "queue.noteOrder(['a', 'b']); queue.noteOrder(['b', 'a']); return queue.take().ops;",
    )
    assert [(op["op"], op["ids"]) for op in ops] == [("order", ["b", "a"])]


def test_a_state_goes_with_the_last_of_the_operations(run: Run) -> None:
    first, second = queue(
        run,
        """
        queue.note('a', item('a', 1));
        queue.note('b', item('b', 1));
        queue.noteState('done');
        const done = ({ ops }) => ops.map((op) => ({ op_id: op.op_id, id: op.id, rev: 2 }));
        const first = structuredClone(queue.take(1));
        queue.confirm(done(first));
        return [first, queue.take(1)];
        """,
    )
    assert "state" not in first
    assert second["state"] == "done"


ITEM = st.fixed_dictionaries(
    {
        "id": st.just("a"),
        "label": st.sampled_from(["l", "k"]),
        "box": st.fixed_dictionaries({"x": PLACES, "y": PLACES, "w": PLACES, "h": PLACES}),
        "attributes": st.dictionaries(st.sampled_from("pq"), PLACES, max_size=2),
    }
)


@settings(max_examples=60, deadline=None)
@given(ITEM, ITEM)
def test_two_items_say_the_same_or_differ_in_a_part(
    run: Run, one: dict[str, Any], other: dict[str, Any]
) -> None:
    same, parts, deed = run(
        "editor/merge",
        "return [m.sameItem(v[0], v[1]), m.differing(v[0], v[1]), m.deedOf(v[0], v[1])]",
        one | {"rev": 1},
        dict(reversed(other.items())),
    )
    wanted = [
        part
        for part, names in {
            "label": "label",
            "place": "box",
            "attributes": "attributes",
        }.items()
        if one[names] != other[names]
    ]
    assert parts == wanted
    assert same == (not wanted)
    assert all(part in deed for part in wanted)
