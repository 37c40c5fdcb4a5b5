"""Saving by operations: when, how often again, and what stops it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.js.conftest import Run

pytestmark = pytest.mark.browser

SET = {
    "state": "in_progress",
    "revision": 1,
    "annotations": [
        {"id": one, "rev": 1, "label": "apple", "label_id": "l1", "box": box}
        for one, box in {
            "a": {"x": 0, "y": 0, "w": 10, "h": 10},
            "b": {"x": 20, "y": 0, "w": 10, "h": 10},
        }.items()
    ],
}
BEGIN = """
  const { Store } = await import('/static/js/editor/store.js');
  const { Refusal } = await import('/static/js/frame/http.js');
  const store = new Store();
  const asked = [];
  const answers = [...v[1]];
  const timers = [];
  let now = 0;
  const timer = {
    set: (work, wait) => timers.push([work, wait]) - 1,
    clear: (id) => { if (timers[id]) timers[id] = null; },
    now: () => now,
  };
  let revision = 1;
  let user = 'ada';
  const wire = {
    trusted: [],
    read: async () => ({ data: structuredClone(v[0]) }),
    who: async () => ({ user }),
    freshToken: async () => `token of ${user}`,
    trust: (token) => wire.trusted.push(token),
    changes: async () => ({ data: wire.news }),
    patch: async (body) => {
      asked.push(structuredClone(body));
      const answer = answers.shift() ?? 200;
      const [status, more] = [answer].flat();
      const headers = new Headers(more?.after ? { 'Retry-After': more.after } : {});
      if (status !== 200) throw new Refusal(status, more ?? {}, headers);
      revision += 1;
      const applied = body.ops.map(({ op_id, id }) => ({ op_id, id, rev: revision }));
      return { data: { revision, state: body.state ?? 'in_progress', applied } };
    },
  };
  const sync = new m.Sync(store, wire, 'ada', timer);
  const words = [];
  const tick = async () => {
    const due = timers.splice(0).filter(Boolean);
    for (const [work] of due) await work();
    return due.map(([, wait]) => wait);
  };
  await sync.load();
  const add = () => store.add({ x: 1, y: 1, w: 5, h: 5 }, 'l1');
  const move = (id, x) => store.change(id, { box: { ...store.get(id).box, x } });
  const ops = () => asked.map((body) => body.ops.map(({ op }) => op));
"""


def sync(run: Run, body: str, answers: list[Any] | None = None) -> Any:
    return run("editor/sync", BEGIN + body, SET, answers or [])


def test_edits_of_a_moment_are_sent_together(run: Run) -> None:
    phases, ops, waits = sync(
        run,
        """
        const phases = [];
        sync.addEventListener('phase', () => phases.push(sync.phase));
        add(); move('a', 5); store.remove('b');
        const waits = await tick();
        return [phases, ops(), waits];
        """,
    )
    assert waits == [700]
    assert ops == [["add", "update", "delete"]]
    assert list(dict.fromkeys(phases)) == ["unsaved", "saving", "saved"]


def test_whoever_never_pauses_is_saved_within_two_seconds(run: Run) -> None:
    waits = sync(
        run,
        """
        const waits = [];
        for (now = 0; now <= 1800; now += 600) {
          move('a', now + 1);
          waits.push(timers.at(-1)[1]);
        }
        return waits;
        """,
    )
    assert waits == [700, 700, 600, 0]


def test_no_answer_is_tried_again_later_and_later_with_the_same_request(run: Run) -> None:
    waits, bodies, phase = sync(
        run,
        """
        add();
        const waits = [];
        for (let i = 0; i < 5; i += 1) { waits.push(...await tick()); if (i === 1) add(); }
        return [waits, asked, sync.phase];
        """,
        [0, 503, 500, [429, {"after": "40"}]],
    )
    # An edit in between is a reason to try at once.
    assert waits == [700, 1000, 700, 1000, 40000]
    assert bodies[0] == bodies[1] == bodies[2] == bodies[3] == bodies[4]
    assert [len(body["ops"]) for body in bodies] == [1] * 6
    assert phase == "saved"


@pytest.mark.parametrize("answer", [401, [400, {"code": "csrf"}]])
def test_signed_out_waits_for_the_same_person(run: Run, answer: Any) -> None:
    found = sync(
        run,
        """
        add(); await tick();
        const phases = [sync.phase];
        user = 'ben';
        phases.push(await sync.identify(), sync.phase);
        await sync.save();
        const sent = asked.length;
        user = 'ada';
        phases.push(await sync.identify());
        await sync.save();
        return [phases, sent, asked.length, sync.phase, wire.trusted];
        """,
        [answer],
    )
    assert found == [
        ["signed-out", False, "stranger", True],
        1,
        2,
        "saved",
        ["token of ada"],
    ]


def test_one_wrong_label_holds_up_no_other_box(run: Run) -> None:
    wrong = {"detail": "x", "errors": [{"path": "$.ops[1].label_id", "message": "No label."}]}
    found = sync(
        run,
        """
        const told = [];
        sync.addEventListener('refused', ({ detail }) => told.push(detail));
        move('a', 1); move('b', 30);
        await tick();
        const held = [sync.phase, sync.words, sync.waiting];
        store.change('b', { label: 'l2' });
        await tick();
        return [told, held, ops(), asked.at(-1).ops[0].label_id, sync.phase];
        """,
        [[422, wrong]],
    )
    told, held, ops, label, phase = found
    assert told == [{"id": "b", "words": "No label."}]
    assert held == ["refused", "No label.", 1]
    assert ops == [["update", "update"], ["update"], ["update"]]
    assert (label, phase) == ("l2", "saved")


def test_a_mistake_without_a_place_is_found_by_halves(run: Run) -> None:
    found = sync(
        run,
        """
        for (let i = 0; i < 4; i += 1) add();
        await tick();
        return [ops().map((one) => one.length), sync.waiting];
        """,
        [422, 422, 422],
    )
    assert found == [[4, 2, 1, 1, 1, 1], 1]


def test_a_refused_state_keeps_no_box_back(run: Run) -> None:
    wrong = {"errors": [{"path": "$.state", "message": "Only a reviewer accepts."}]}
    found = sync(
        run,
        """
        move('a', 3);
        store.mark('accepted');
        await tick();
        const stopped = [sync.phase, sync.words];
        move('b', 33);
        await tick();
        const states = asked.map(({ state }) => state ?? null);
        return [stopped, states, ops().at(-1), sync.phase, store.state];
        """,
        [[422, wrong]],
    )
    assert found[0] == ["refused", "Only a reviewer accepts."]
    assert found[1:] == [["accepted", None], ["update", "update"], "saved", "in_progress"]


def test_a_conflict_holds_up_no_other_box_and_waits_for_an_answer(run: Run) -> None:
    found = sync(
        run,
        """
        revision = 4;
        const theirs = { ...v[0].annotations[0], rev: 4, box: { x: 7, y: 0, w: 10, h: 10 } };
        answers.push([409, { revision: 4, state: 'in_progress', applied: [],
          conflicts: [{ id: 'a', base: v[0].annotations[0], mine: null, theirs }] }]);
        move('a', 1);
        await tick();
        add();
        await tick();
        const stopped = [sync.phase, sync.clashes, ops()];
        await sync.choose('a', 'mine');
        const { op, rev, box } = asked.at(-1).ops[0];
        return [stopped, op, rev, box.x, sync.phase, store.get('a').rev];
        """,
    )
    # The second box, sent while the first waits for an answer.
    assert found[0] == ["conflict", 1, [["update"], ["add"]]]
    assert found[1:] == ["update", 4, 1, "saved", 6]


def test_what_others_do_comes_in_beside_ones_own(run: Run) -> None:
    found = sync(
        run,
        """
        const [one] = v[0].annotations;
        const box = (x) => ({ x, y: 0, w: 1, h: 1 });
        const changed = (id, x, rev) => ({ id, annotation: { ...one, id, rev, box: box(x) } });
        move('a', 3);
        await tick();
        store.select('a');
        sync.isHeld = (id) => id === 'b';
        wire.news = { revision: 4, state: 'in_progress',
          changes: [changed('b', 50, 3), changed('c', 60, 4)] };
        await sync.look();
        const held = [store.get('b').box.x, store.get('c').box.x, sync.revision];
        sync.isHeld = () => false;
        await sync.look();
        const taken = [store.get('b').box.x, store.selected, sync.revision, sync.phase];
        store.undo();
        return [held, taken, store.get('a').box.x, store.get('c').box.x, sync.queue.count];
        """,
    )
    assert found == [[20, 60, 2], [50, "a", 4, "saved"], 0, 60, 1]


def test_where_too_much_is_new_the_whole_set_is_read(run: Run) -> None:
    found = sync(
        run,
        """
        wire.news = { revision: 9, state: 'done', changes: null, order: null };
        const [a] = v[0].annotations;
        const other = { ...a, id: 'c', rev: 9 };
        const set = { revision: 9, state: 'done', annotations: [other, a] };
        wire.read = async () => ({ data: set });
        await sync.look();
        sync.receive({ revision: 9, state: 'done', changes: [], order: ['c', 'a'] });
        return [store.ids, sync.revision, store.state, store.canUndo, sync.queue.count];
        """,
    )
    assert found == [["c", "a"], 9, "done", False, 0]


def test_a_submitted_picture_keeps_what_waits_until_it_is_decided(run: Run) -> None:
    submitted = [
        409,
        {"type": "urn:darkroom:problem:picture-submitted", "detail": "Submitted."},
    ]
    found = sync(
        run,
        """
        move('a', 3);
        await tick();
        const stopped = [sync.phase, sync.words, sync.waiting];
        await sync.save();
        const times = asked.length;
        await sync.reopen();
        return [stopped, times, asked.at(-1).state, sync.phase];
        """,
        [submitted],
    )
    assert found == [["submitted", "Submitted.", 1], 1, "in_progress", "saved"]


WORDS = [
    ({"phase": "saved"}, 0, "Saved"),
    ({"phase": "saved", "at": [12, 3, 4]}, 0, "Saved 12:03:04"),
    ({"phase": "saved"}, 2, "Saved, 2 without label"),
    ({"phase": "unsaved", "waiting": 3}, 0, "3 waiting"),
    ({"phase": "waiting", "waiting": 3, "isOffline": True}, 0, "Offline, 3 waiting"),
    ({"phase": "waiting", "waiting": 1, "words": "Full."}, 0, "1 waiting: Full."),
    ({"phase": "conflict", "clashes": 1}, 0, "Conflict at 1 box"),
    (
        {"phase": "waiting", "waiting": 3, "isOffline": True, "isTabOnly": True},
        0,
        "Offline, 3 waiting, in this tab only",
    ),
    ({"phase": "saved", "isTabOnly": True}, 0, "Saved"),
]


@pytest.mark.parametrize(("state", "unlabelled", "wanted"), WORDS)
def test_the_state_of_saving_in_words(
    run: Run, state: dict[str, Any], unlabelled: int, wanted: str
) -> None:
    body = """
      const [state, unlabelled] = v;
      if (state.at) state.savedAt = new Date(2026, 10, 22, ...state.at);
      return m.saveWords(state, unlabelled);
    """
    assert run("editor/queue_words", body, state, unlabelled) == wanted


def test_labels_of_another_version_are_told_until_they_were_read(run: Run) -> None:
    found = sync(
        run,
        """
        const heard = [];
        sync.schema = 1;
        sync.addEventListener('schema', ({ detail }) => heard.push(detail.schema));
        const news = { revision: 1, state: 'in_progress', changes: [] };
        for (const schema of [undefined, 1, 2, 2]) {
          wire.news = { ...news, schema };
          await sync.look();
        }
        sync.schema = 2;
        await sync.look();
        return heard;
        """,
    )
    assert found == [2, 2]
