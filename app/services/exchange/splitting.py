"""Which part of a data set a picture falls into: by its id and a seed, for ever the same."""

from __future__ import annotations

import hashlib
from uuid import UUID

from app.services.exchange.options import Splits

_WHOLE = 1 << 64


def split_of(image_id: UUID, splits: Splits) -> str:
    """The part's name. Other pictures that come or go move none: each is dealt by itself,
    so that the parts have their shares in the mean and not to the last picture.
    """
    told = f"darkroom split {splits.seed} {image_id}".encode()
    drawn = int.from_bytes(hashlib.sha256(told).digest()[:8], "big")
    upto = 0
    for name, share in splits.shares.items():
        upto += share
        if drawn * 100 < upto * _WHOLE:
            return name
    raise ValueError("shares make 100 together")
