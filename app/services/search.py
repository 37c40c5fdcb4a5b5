"""Lists of pictures by what is sealed: words of names, labels, attributes, who drew.

What clear columns can tell (collection, tag, state, kind, date) is walked along an index as
ever; of what is left, a page opens at most 2,000 pictures with their annotations, and then
says how far it came. Where a collection keeps an index of its labels only the pictures that
it names are opened; where these are few, nothing else is walked at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.access import Action, Actor, Role, require, require_scope
from app.domain.label_schema import names_of
from app.domain.search_terms import SearchTerms
from app.errors import DecryptionFailed
from app.models import Annotation, LabelToken
from app.services.image_card import ImageCard
from app.services.label_rows import all_classes
from app.services.label_tallies import opened_label
from app.services.listing import ListQuery, cards_of, cursor_of, list_images
from app.services.schema_rows import is_indexed, schema_row

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.label_index import LabelIndex
    from app.services.library import Library

#: Pictures that one page opens at most.
MOST_LOOKED_AT: Final = 2000
#: Pictures of a label from which on a walk of the time line finds a page of them sooner.
FEW: Final = 2000
AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Found:
    """``looked_at``: so many pictures were opened and the rest was left for the next page;
    None where the page is full, or the end."""

    cards: tuple[ImageCard, ...]
    next_cursor: str | None
    looked_at: int | None = None


@dataclass(frozen=True, slots=True)
class _Plan:
    """A search resolved: which ids the label has, which of its pictures an index names.

    ``tokens``: by collection, where it keeps an index. ``few``: all pictures that can fit.
    """

    query: ListQuery
    terms: SearchTerms
    labels: frozenset[UUID]
    tokens: dict[UUID, list[bytes]]
    few: tuple[UUID, ...] | None


class Search:
    """Reads only; every method is one read transaction."""

    def __init__(self, uow: UnitOfWork, library: Library, index: LabelIndex) -> None:
        self._uow = uow
        self._library = library
        self._index = index

    def page(
        self,
        actor: Actor,
        query: ListQuery,
        terms: SearchTerms,
        *,
        slug: str | None = None,
        tag: str | None = None,
        least: Role = Role.VIEWER,
    ) -> Found:
        """One page; as `Library.page` where the terms ask for nothing.

        What annotations say is told to keys that may read them: ``NotPermitted``.
        """
        _require(actor, terms)
        with self._uow.read() as session:
            wanted = self._library.wanted(session, actor, query, slug, tag, least)
            if not terms.any:
                page = list_images(session, wanted)
                return Found(page.cards, page.next_cursor)
            return _searched(session, self._plan(session, wanted, terms))

    def count(
        self,
        actor: Actor,
        query: ListQuery,
        terms: SearchTerms,
        *,
        slug: str | None = None,
        tag: str | None = None,
        least: Role = Role.VIEWER,
    ) -> int | None:
        """How many pictures all pages have; None where everything had to be opened for it.

        Pictures of a label and nothing more are told by the tallies.
        """
        if not terms.any:
            return self._library.count(actor, query, slug=slug, tag=tag, least=least)
        _require(actor, terms)
        if not terms.only_label or tag or query.is_filtered:
            return None
        with self._uow.read() as session:
            wanted = self._library.wanted(session, actor, query, slug, tag, least)
            total = 0
            for collection_id in wanted.collections:
                tallies = schema_row(session, collection_id).tallies
                for label_id in _label_ids(session, collection_id, terms):
                    total += tallies.get(label_id.hex, (0, 0))[1]
            return total

    def _plan(self, session: Session, query: ListQuery, terms: SearchTerms) -> _Plan:
        if terms.label is None:
            return _Plan(query, terms, frozenset(), {}, None)
        found = {
            collection_id: ids
            for collection_id in query.collections
            if (ids := _label_ids(session, collection_id, terms))
        }
        tokens = {
            collection_id: self._index.candidates(collection_id, ids)
            for collection_id, ids in found.items()
            if is_indexed(session, collection_id)
        }
        plain = not (query.tag_ids or query.trashed)
        is_few = plain and tokens.keys() == found.keys()
        return _Plan(
            query=_narrowed(query, found.keys()),
            terms=terms,
            labels=frozenset(label for ids in found.values() for label in ids),
            tokens=tokens,
            few=_few(session, tokens) if is_few else None,
        )


def _require(actor: Actor, terms: SearchTerms) -> None:
    require(actor, Action.LIST_IMAGES)
    if terms.about_annotations:
        require_scope(actor, Action.READ_ANNOTATIONS)


def _label_ids(session: Session, collection_id: UUID, terms: SearchTerms) -> tuple[UUID, ...]:
    """The class of this name, or of this alias, or else those that differ in case only."""
    classes = all_classes(session, collection_id).values()
    names, wanted = names_of(classes), terms.label or ""
    if wanted in names:
        meant = {names[wanted].id}
    else:
        folded = wanted.casefold()
        meant = {label.id for name, label in names.items() if name.casefold() == folded}
    # What was merged into it may wait for its turn to be written anew.
    return tuple(label.id for label in classes if meant & {label.id, label.merged_into})


def _narrowed(query: ListQuery, collections: Any) -> ListQuery:
    """The query for these collections only; tags go with their collections."""
    kept = [n for n, id_ in enumerate(query.collections) if id_ in collections]
    return replace(
        query,
        collections=tuple(query.collections[n] for n in kept),
        tag_ids=tuple(query.tag_ids[n] for n in kept) if query.tag_ids else (),
    )


def _few(session: Session, tokens: dict[UUID, list[bytes]]) -> tuple[UUID, ...] | None:
    """The pictures that the tokens name, if they are not many."""
    found: list[UUID] = []
    for collection_id, wanted in tokens.items():
        chosen = select(LabelToken.image_id).where(
            LabelToken.collection_id == collection_id, LabelToken.token.in_(wanted)
        )
        left = FEW - len(found)
        first = chosen.limit(left + 1).subquery()  # however many there are, no more are counted
        if (session.scalar(select(func.count()).select_from(first)) or 0) > left:
            return None
        found.extend(session.scalars(chosen))
    return tuple(dict.fromkeys(found))


def _searched(session: Session, plan: _Plan) -> Found:
    limit, query = plan.query.limit, plan.query
    fitting: list[ImageCard] = []
    looked = 0
    batches = _batches(session, plan)
    for cards in batches:
        fitting += _fitting(session, plan, cards)
        looked += len(cards)
        if len(fitting) > limit:
            return Found(tuple(fitting[:limit]), cursor_of(query, fitting[limit - 1]).encode())
        if looked >= MOST_LOOKED_AT and next(batches, ()):
            return Found(tuple(fitting), cursor_of(query, cards[-1]).encode(), looked)
    return Found(tuple(fitting), None)


def _batches(session: Session, plan: _Plan) -> Iterator[Sequence[ImageCard]]:
    """The pictures that clear columns let through, in the order of the list."""
    if plan.few is not None:
        yield from cards_of(session, plan.query, plan.few, AT_ONCE)
        return
    query = replace(plan.query, limit=AT_ONCE)
    while True:
        page = list_images(session, query)
        if page.cards:
            yield page.cards
        if page.next_cursor is None:
            return
        query = replace(query, cursor=cursor_of(query, page.cards[-1]))


def _fitting(session: Session, plan: _Plan, cards: Sequence[ImageCard]) -> list[ImageCard]:
    named = [card for card in cards if plan.terms.name_fits(card.name)]
    if not plan.terms.about_annotations:
        return named
    drawn = [card for card in named if card.annotation_count]
    ids = {card.id for card in drawn if card.collection_id not in plan.tokens}
    for collection_id, tokens in plan.tokens.items():
        those = [card.id for card in drawn if card.collection_id == collection_id]
        if those:
            ids |= set(
                session.scalars(
                    select(LabelToken.image_id).where(
                        LabelToken.collection_id == collection_id,
                        LabelToken.token.in_(tokens),
                        LabelToken.image_id.in_(those),
                    )
                )
            )
    fitting = _drawn_so(session, plan, ids)
    return [card for card in drawn if card.id in fitting]


def _drawn_so(session: Session, plan: _Plan, ids: set[UUID]) -> set[UUID]:
    """Those of these pictures that have an annotation for which all terms are true."""
    if not ids:
        return set()
    terms = plan.terms
    wanted = select(Annotation.id, Annotation.image_id, Annotation.label, Annotation.attributes)
    wanted = wanted.where(Annotation.image_id.in_(ids)).order_by(Annotation.image_id)
    if terms.annotator is not None:
        wanted = wanted.where(Annotation.author_id == terms.annotator)
    rows = session.execute(wanted).all()
    return {
        image_id
        for image_id, those in groupby(rows, key=lambda row: row.image_id)
        if any(_fits(row, plan) for row in those)
    }


def _fits(row: Any, plan: _Plan) -> bool:
    if plan.terms.label is not None and opened_label(row) not in plan.labels:
        return False
    if not plan.terms.attributes:
        return True
    try:
        attributes = row.attributes.of(row.id) if row.attributes is not None else {}
    except DecryptionFailed:
        return False
    return all(term.fits(attributes) for term in plan.terms.attributes)
