"""``flask store``: the sealed store and what can be made from it; one file a family."""

from __future__ import annotations

import click


@click.group("store")
def group() -> None:
    """The sealed store: make a lost database anew from it."""
