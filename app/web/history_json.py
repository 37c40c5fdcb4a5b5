"""News and history of annotations as the API tells them."""

from __future__ import annotations

from typing import Any

from app.services.annotation_changes import NewChange, News
from app.services.annotation_history import HistoryPage
from app.services.annotation_past import Entry
from app.services.people import Person
from app.web.annotation_json import annotation_or_null
from app.web.receipt_json import rfc3339

ABOUT_ONE = frozenset({"add", "update", "delete"})


def news_json(news: News) -> dict[str, Any]:
    """Return what is new; ``changes`` null: read the whole set."""
    changes = None if news.changes is None else [_change(change) for change in news.changes]
    return {
        "revision": news.revision,
        "state": news.state.value,
        "schema": news.schema,
        "changes": changes,
        "order": [str(id_) for id_ in news.order] if news.order is not None else None,
        "people": [_person(who) | {"tabs": tabs} for who, tabs in news.there],
    }


def history_json(page: HistoryPage, limit: int) -> dict[str, Any]:
    """Return a page of the history, newest first."""
    return {
        "history": [_entry(page, entry) for entry in page.entries],
        "pagination": {"limit": limit, "total": None, "next_cursor": page.next_cursor},
    }


def person_or_null(person: Person | None) -> dict[str, Any] | None:
    """Return somebody by name; null for an account that is gone."""
    return _person(person) if person is not None else None


def _person(person: Person) -> dict[str, Any]:
    return {"name": person.name, "initials": person.initials, "you": person.is_you}


def _change(change: NewChange) -> dict[str, Any]:
    return {
        "seq": change.seq,
        "op": change.kind,
        "op_id": str(change.op_id),
        "id": str(change.id),
        "annotation": annotation_or_null(change.annotation),
        "person": person_or_null(change.person),
    }


def _entry(page: HistoryPage, entry: Entry) -> dict[str, Any]:
    person = page.people.get(entry.actor_id) if entry.actor_id else None
    return {
        "seq": entry.seq,
        "at": rfc3339(entry.at),
        "person": person_or_null(person),
        "way": entry.way,
        "op": entry.kind,
        "op_id": str(entry.op_id),
        "id": str(entry.annotation_id) if entry.annotation_id else None,
        "before": _told(entry, entry.before),
        "after": _told(entry, entry.after),
    }


def _told(entry: Entry, side: Any) -> Any:
    """An annotation as it was then, the word of a state, null for an order."""
    if entry.kind in ABOUT_ONE and side is not None:
        return {name: value for name, value in side.items() if name != "position"}
    return side if entry.kind == "state" else None
