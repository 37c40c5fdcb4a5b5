"""What the editor keeps in the browser: sealed, its owner's, and not for ever."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.unit.js.conftest import Run

pytestmark = pytest.mark.browser


def told(user: str, *keys: int) -> dict[str, Any]:
    """As the server tells keys: one byte 32 times each."""
    return {
        "user": user,
        "keys": [
            {"id": f"{key:08x}", "key": base64.b64encode(bytes([key]) * 32).decode("ascii")}
            for key in keys
        ],
    }


ADA, BEN, ROTATED = told("ada", 1), told("ben", 2), told("ada", 3, 1)
BEGIN = """
  const [ada, ben, rotated] = v;
  const of = (told, tab, now = Date.now()) => m.Drafts.open(told, tab, () => now);
  const place = { set: '/api/v1/images/1/annotations', page: '/images/1/annotate' };
  const written = async (told, tab, snapshot, now) => {
    const drafts = await of(told, tab, now);
    drafts.place = place;
    drafts.name = await drafts.seals[0].name(`${told.user}|${place.set}|${tab}`);
    await drafts.keep(snapshot, 2);
    return drafts;
  };
  const records = new m.Records();
  for (const { name } of await records.all()) await records.remove(name);
  const found = async (told, now) => (await (await of(told, 'other', now)).find());
"""


def drafts(run: Run, body: str) -> Any:
    return run("editor/queue_drafts", BEGIN + body, ADA, BEN, ROTATED)


def test_only_who_kept_it_opens_it(run: Run) -> None:
    mine, theirs, counts, at_others = drafts(
        run,
        """
        await written(ada, 'tab', { secret: 'MarkLabel' });
        const mine = await found(ada);
        const theirs = await found(ben);
        const count = async (told) => (await of(told, 'x')).waiting();
        const counts = [await count(ada), await count(ben)];
        return [mine, theirs, counts, (await found(ada)).found.length];
        """,
    )
    (one,) = mine["found"]
    assert one["snapshot"] == {"secret": "MarkLabel"}
    assert one["place"]["page"] == "/images/1/annotate"
    assert theirs == {"found": [], "dropped": 0}
    assert counts == [{"mine": 2, "others": 0}, {"mine": 0, "others": 2}]
    assert at_others == 1  # looking did not remove what is somebody else's


def test_nothing_of_it_can_be_read_in_the_browser(run: Run) -> None:
    record, usable = drafts(
        run,
        """
        const made = await written(ada, 'tab', { secret: 'MarkLabel' });
        const [one] = await records.all();
        const text = (buffer) => new TextDecoder('latin1').decode(buffer);
        const { sealing, naming } = made.seals[0];
        const exported = await Promise.allSettled(
          [sealing, naming].map((key) => crypto.subtle.exportKey('raw', key)));
        return [
          [one.name, one.key, Object.keys(one), text(one.where.sealed) + text(one.body.sealed)],
          exported.map(({ status }) => status),
        ];
        """,
    )
    name, key, members, sealed = record
    assert (len(name), key) == (64, "00000001")
    assert sorted(members) == ["at", "body", "count", "key", "name", "where"]
    assert not any(word in sealed + name for word in ("MarkLabel", "ada", "images", "secret"))
    assert usable == ["rejected", "rejected"]


def test_two_writes_of_the_same_look_different(run: Run) -> None:
    assert drafts(
        run,
        """
        const made = await written(ada, 'tab', { secret: 1 });
        const [one] = await records.all();
        await made.keep({ secret: 1 }, 2);
        const [other] = await records.all();
        const hex = (buffer) => [...new Uint8Array(buffer)].join();
        return hex(one.body.iv) !== hex(other.body.iv)
          && hex(one.body.sealed) !== hex(other.body.sealed) && one.name === other.name;
        """,
    )


@pytest.mark.parametrize(
    "damage",
    [
        "new Uint8Array(one.body.sealed)[3] ^= 1;",
        "one.body = one.where;",
        "one.where = other.where;",
    ],
)
def test_what_was_changed_or_moved_is_dropped_with_a_word(run: Run, damage: str) -> None:
    found = drafts(
        run,
        f"""
        await written(ada, 'tab', {{ secret: 1 }});
        const [one] = await records.all();
        place.set = '/api/v1/images/2/annotations';
        await written(ada, 'tab', {{ secret: 2 }});
        const other = (await records.all()).find(({{ name }}) => name !== one.name);
        {damage}
        await records.put(one);
        const seen = await found(ada);
        return [seen.found.map(({{ snapshot }}) => snapshot.secret), seen.dropped];
        """,
    )
    assert found == [[2], 2]


def test_after_30_days_it_goes_whoever_it_is_of(run: Run) -> None:
    assert drafts(
        run,
        """
        const now = 1e12, day = 86400000;
        await written(ada, 'tab', { secret: 1 }, now);
        await written(ben, 'tab', { secret: 2 }, now);
        const young = await found(ada, now + 29 * day);
        const old = await found(ada, now + 31 * day);
        return [young.found.length, young.dropped, old.found.length, old.dropped,
          (await records.all()).length];
        """,
    ) == [1, 0, 0, 2, 0]


def test_a_key_that_was_replaced_still_opens(run: Run) -> None:
    assert drafts(
        run,
        """
        await written(ada, 'tab', { secret: 1 });
        const before = await found(rotated);
        await written(rotated, 'new', { secret: 2 });
        return [before.found.length, (await found(rotated)).found.length,
          (await found(ada)).found.length];
        """,
    ) == [1, 2, 1]


def test_a_tab_that_lives_keeps_its_own(run: Run) -> None:
    assert drafts(
        run,
        """
        const mine = await of(ada, 'tab');
        await mine.claim(place);
        await mine.keep({ secret: 1 }, 2);
        const other = await of(ada, 'other');
        const counts = [(await other.find()).found.length,
          (await other.find({ living: true })).found.length];
        await mine.keep(null, 0);
        return [...counts, (await records.all()).length];
        """,
    ) == [0, 1, 0]
