"""The query of a list of pictures and of a removal, for the description of the API."""

from __future__ import annotations

from app.blueprints.api.v1.description import parameter
from app.blueprints.api.v1.schemas_images import SHOWN_STATUSES
from app.blueprints.api.v1.shapes import boolean, items, moment, one_of, text, whole
from app.domain.limits import DEFAULT_PAGE, MAX_PAGE
from app.domain.media_kinds import MediaKind
from app.domain.search_terms import MAX_TERMS, MAX_TEXT
from app.domain.states import AnnotationState
from app.services.listing import Sort

LIST_PARAMETERS = (
    parameter("collection", text(), "slug; left out: all of yours"),
    parameter("tag", text(), "a tag's name"),
    parameter("kind", one_of(MediaKind)),
    parameter("status", one_of(SHOWN_STATUSES), "trashed lists the trash"),
    parameter("state", one_of(AnnotationState), "of annotation"),
    parameter("q", text(maxLength=MAX_TEXT), "words of the name, all of them"),
    parameter("label", text(), "name or alias of a class; an annotation has it"),
    parameter(
        "attribute",
        items(text(), maxItems=MAX_TERMS),
        "of that annotation: name, name:value, name:>3, name:>=3, name:<3, name:<=3, name:1..5",
    ),
    parameter("annotator", text(), "who drew that annotation: id of an account, or me"),
    parameter("from", moment(), "inclusive"),
    parameter("to", moment(), "exclusive"),
    parameter("sort", one_of([order.value for order in Sort], "- is newest or largest first")),
    parameter("limit", whole(minimum=1, maximum=MAX_PAGE, default=DEFAULT_PAGE)),
    parameter("cursor", text(), "`next_cursor` of the page before"),
    parameter("total", boolean(), "count what all pages of this list have"),
)
PERMANENT = parameter("permanent", boolean(), "shred the key now, instead of the trash")
