"""Attributes of a document as far as an annotation can carry them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.annotation import Attributes
from app.domain.attributes import check_attributes
from app.errors import InvalidInput
from app.formats.losses import Ledger, LossCode


def flat(
    told: Mapping[str, Any], place: str, ledger: Ledger
) -> tuple[Attributes, dict[str, Any]]:
    """What fits, and what does not: nested values, names that are none, too many or too long
    ones. The latter is told; the caller keeps it."""
    try:
        return check_attributes(dict(told), place) or {}, {}
    except InvalidInput:
        ledger.add(LossCode.ATTRIBUTES_KEPT, place)
    shown: dict[str, Any] = {}
    unfit: dict[str, Any] = {}
    for name, value in told.items():
        try:
            shown = dict(check_attributes({**shown, name: value}, place) or {})
        except InvalidInput:
            unfit[name] = value
    return shown, unfit
