"""The pages of one collection that stand side by side, as far as somebody may open them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.domain.access import Action, Actor, CollectionFacts, Role, allows

PAGES: Final = (
    ("collections.show", "Overview", Action.SEE_COLLECTION),
    ("collections.labels", "Labels", Action.SEE_COLLECTION),
    ("work.progress", "Progress", Action.SEE_PROGRESS),
    ("work.review", "Review", Action.LEAD_WORK),
    ("work.agreement", "Agreement", Action.TAKE_TASKS),
    ("exchange.page", "Import and export", Action.IMPORT),
)


@dataclass(frozen=True, slots=True)
class Tab:
    """``endpoint`` takes the collection's ``slug``."""

    endpoint: str
    title: str


def tabs_of(actor: Actor, role: Role) -> tuple[Tab, ...]:
    """The pages that somebody with this role may open, in order."""
    facts = CollectionFacts(role)
    return tuple(Tab(end, title) for end, title, what in PAGES if allows(actor, what, facts))
