"""What a picture names and the directory does not know: made under its id, with a stand-in
name, so that nothing that was found is thrown away."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import func, insert, select

from app.domain.agreement import DEFAULT_IOU
from app.domain.ids import new_id, new_slug
from app.domain.labels import PALETTE
from app.models import AgreementRound, Collection, CollectionMember, LabelClass, Tag, User
from app.services.account_rows import PRIVATE_NAME
from app.services.collections import add_collection
from app.services.email_index import EmailIndex
from app.services.rebuild.finding import Found
from app.services.rebuild.report import Tally

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

NOWHERE = "recovered.invalid"
"""A domain that never exists (RFC 2606): nobody receives mail there."""


class StandIns:
    """Accounts, collections, label classes, rounds and tags, each only where it is missing."""

    def __init__(
        self, session: Session, emails: EmailIndex, tally: Tally, now: datetime
    ) -> None:
        self._session = session
        self._emails = emails
        self._tally = tally
        self._now = now

    def known(self, model: Any, ids: Iterable[UUID]) -> set[UUID]:
        """Those of these ids that have a row."""
        wanted = list(ids)
        if not wanted:
            return set()
        return set(self._session.scalars(select(model.id).where(model.id.in_(wanted))))

    def settle(self, found: Found, row: dict[str, Any]) -> None:
        """Let the row's collection and uploader be there.

        An account that a whole directory does not know was deleted: its pictures have no
        uploader any more.
        """
        owner = row["uploader_id"]
        if owner is not None and not self.person(owner, found):
            row["uploader_id"] = None
        collection = row["collection_id"] or self._of_slug(found.path.slug)
        if collection is None or not self.known(Collection, [collection]):
            collection = self._collection(collection, row["uploader_id"], found)
        row["collection_id"] = collection

    def person(self, user_id: UUID, found: Found) -> bool:
        """Whether this account is there now: made, if the directory may not know them all."""
        if self.known(User, [user_id]):
            return True
        if self._tally.directory == "ok":
            return False
        self._account(user_id, found)
        return True

    def _of_slug(self, slug: str) -> UUID | None:
        return self._session.scalar(select(Collection.id).where(Collection.slug == slug))

    def _account(self, user_id: UUID, found: Found) -> UUID:
        email = f"{user_id}@{NOWHERE}"
        row = {
            "id": user_id,
            "email": email,
            "email_index": self._emails.current(email),
            "name": f"Recovered {user_id.hex[:8]}",
            "state": "disabled",
            "created_at": self._now,
            "updated_at": self._now,
        }
        self._session.execute(insert(User), [row])
        add_collection(self._session, user_id, PRIVATE_NAME, is_personal=True, at=self._now)
        self._note("account", found)
        return user_id

    def _collection(self, collection_id: UUID | None, owner: UUID | None, found: Found) -> UUID:
        """At the address of its pictures, if that is free."""
        made, slug = collection_id or new_id(), found.path.slug
        owner = owner or self._somebody(found)
        row = {
            "id": made,
            "slug": slug if self._of_slug(slug) is None else new_slug(),
            "name": f"Recovered {made.hex[:8]}",
            "owner_id": owner,
            "created_at": self._now,
            "updated_at": self._now,
        }
        member = {
            "collection_id": made,
            "user_id": owner,
            "role": "owner",
            "created_at": self._now,
        }
        self._session.execute(insert(Collection), [row])
        self._session.execute(insert(CollectionMember), [member])
        self._note("collection", found)
        return made

    def _somebody(self, found: Found) -> UUID:
        """The administrator who has been here longest, or else an account made for it."""
        oldest = select(User.id).order_by(User.is_admin.desc(), User.created_at).limit(1)
        return self._session.scalar(oldest) or self._account(new_id(), found)

    def classes(self, collection_id: UUID, labels: set[str]) -> None:
        """Label classes, told by their ids in hex."""
        wanted = {UUID(label) for label in labels}
        missing = wanted - self.known(LabelClass, wanted)
        if not missing:
            return
        count = select(func.count()).where(LabelClass.collection_id == collection_id)
        first = self._session.scalar(count) or 0
        rows = [
            {
                "id": each,
                "collection_id": collection_id,
                "position": place,
                "body": _class_body(each, place),
                "created_at": self._now,
            }
            for place, each in enumerate(sorted(missing), first)
        ]
        self._session.execute(insert(LabelClass), rows)
        self._tally.stand_ins["label"] += len(rows)

    def rounds(self, collection_id: UUID, rounds: set[UUID]) -> None:
        """Rounds of double annotation, by the id that copies name."""
        missing = sorted(rounds - self.known(AgreementRound, rounds))
        rows = [
            {
                "id": each,
                "collection_id": collection_id,
                "created_at": self._now,
                "body": {"name": f"Recovered {each.hex[:8]}", "iou": DEFAULT_IOU},
            }
            for each in missing
        ]
        if rows:
            self._session.execute(insert(AgreementRound), rows)
            self._tally.stand_ins["round"] += len(rows)

    def tags(self, collection_id: UUID, tags: set[UUID]) -> None:
        missing = sorted(tags - self.known(Tag, tags))
        rows = [
            {"id": tag, "collection_id": collection_id, "name": f"tag-{tag.hex[:8]}"}
            for tag in missing
        ]
        if rows:
            self._session.execute(insert(Tag), rows)
            self._tally.stand_ins["tag"] += len(rows)

    def _note(self, what: str, found: Found) -> None:
        self._tally.stand_ins[what] += 1
        found.lacks.append(f"unknown {what}")


def _class_body(class_id: UUID, place: int) -> dict[str, Any]:
    return {
        "name": f"label-{class_id.hex[:8]}",
        "colour": PALETTE[place % len(PALETTE)][0],
        "hotkey": None,
        "attributes": {},
    }
