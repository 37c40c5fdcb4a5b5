"""``flask store``: the sealed store and what can be made from it; one file a family."""

from __future__ import annotations

import click

from app.cli.store.heal import heal
from app.cli.store.rebuild import rebuild_db
from app.cli.store.reconcile import reconcile
from app.cli.store.salvage import salvage
from app.cli.store.verify import verify


@click.group("store")
def group() -> None:
    """The sealed store: look for damage and mend it; make a lost database anew."""


group.add_command(heal)
group.add_command(reconcile)
group.add_command(salvage)
group.add_command(verify)
group.add_command(rebuild_db)
