"""What people say of annotations, held against what their labels declare.

A value is looked at when it is said: what was there before its label declared otherwise
stays, and so does what no label declares. Whether something needed is missing is asked when a
picture becomes done or accepted, by whatever way, and not while it is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from app.domain.annotation import Annotation, Change
from app.domain.attribute_types import check_said, missing_of
from app.domain.labels import LabelClass
from app.domain.states import AnnotationState
from app.errors import InvalidInput, Mistake
from app.services.annotation_rows import read_rows
from app.services.label_rows import all_classes
from app.services.picture_access import PictureAccess

MOST: Final = 50
TO_BE_SUBMITTED: Final = "Some attributes are needed before this picture can be submitted."
TO_BE_ACCEPTED: Final = (
    "Some attributes are needed before this picture can be accepted. Say them, or send it back."
)


def check_annotation(
    after: Annotation,
    before: Annotation | None,
    classes: Mapping[UUID, LabelClass],
    path: str,
) -> None:
    """``InvalidInput`` at the attribute that its label declares otherwise."""
    label = classes.get(after.label_id)
    if label is not None and label.attributes:
        was = before.attributes if before else {}
        check_said(after.attributes, was, label.attributes, f"{path}.attributes")


def check_steps(
    steps: Iterable[Change], paths: Mapping[UUID, str], classes: Mapping[UUID, LabelClass]
) -> None:
    """As `check_annotation`, for operations; ``paths`` by their ids."""
    for step in steps:
        if step.after is not None:
            check_annotation(step.after, step.before, classes, paths.get(step.op_id, "$"))


def require_complete(
    session: Session,
    picture: PictureAccess,
    paths: Mapping[UUID, str] | None = None,
    state: AnnotationState = AnnotationState.DONE,
) -> None:
    """``InvalidInput`` with the place of every needed attribute that nobody has said.

    ``paths``: where annotations stand in what was sent, by their ids; of others, and by
    default, it is their place in the set as it is read.
    """
    classes = all_classes(session, picture.collection_id)
    if any(each.required for label in classes.values() for each in label.attributes):
        check_complete(read_rows(session, picture.id, classes), classes, paths, state)


def check_complete(
    annotations: Iterable[Annotation],
    classes: Mapping[UUID, LabelClass],
    paths: Mapping[UUID, str] | None = None,
    state: AnnotationState = AnnotationState.DONE,
) -> None:
    """As `require_complete`, for annotations that are open already."""
    told = paths or {}
    mistakes = [
        Mistake(f"{told.get(one.id, f'annotations[{n}]')}.attributes.{name}", "This is needed.")
        for n, one in enumerate(annotations)
        if one.label_id in classes
        for name in missing_of(one.attributes, classes[one.label_id].attributes)
    ]
    if mistakes:
        raise InvalidInput(
            TO_BE_ACCEPTED if state is AnnotationState.ACCEPTED else TO_BE_SUBMITTED,
            mistakes=mistakes[:MOST],
            operation="task.submit",
        )
