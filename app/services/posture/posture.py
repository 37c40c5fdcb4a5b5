"""Everything about keys that an auditor asks, of this moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from app.db.times import utc_now
from app.domain.access import Action, Actor, require
from app.services.key_status import vault_problem
from app.services.keys import ROOT_NAMES
from app.services.posture.column_tokens import ColumnTokens, TokenCount
from app.services.posture.forecast import Experience, Forecast, forecast
from app.services.posture.inventory import Inventory, take_inventory
from app.services.runs import RunView

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.keys import KeyVaulting, RootKeys
    from app.services.runs import Runs

LAST: Final = ("rotation", "rewrap", "verify", "scrub", "backup", "drill", "migration")


@dataclass(frozen=True, slots=True)
class Setting:
    """What the settings say about keys: ``cryptoperiod_days`` 0 is on demand only."""

    vault_mode: str
    keying: str
    cryptoperiod_days: int
    grace_hours: int
    cache_minutes: int
    backup_scheduled: bool


@dataclass(frozen=True, slots=True)
class PostureReport:
    """``master`` and ``previous_masters`` are the first 8 hex digits of check values.

    ``root_versions`` counts the enabled versions of each root key. ``last`` has the latest
    finished run of each kind, None where there is none. ``legacy_left``: files that the last
    migration found and did not take in.
    """

    at: datetime
    setting: Setting
    master: str
    previous_masters: tuple[str, ...]
    vault_problem: str | None
    root_versions: Mapping[str, int]
    inventory: Inventory
    columns: TokenCount
    legacy_left: int
    last: Mapping[str, RunView | None]
    runs: tuple[RunView, ...]
    due: Forecast
    everything: Forecast


class Posture:
    """Reads only; the vault is asked outside of transactions."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        vaulting: KeyVaulting,
        roots: RootKeys,
        runs: Runs,
        tokens: ColumnTokens,
        setting: Setting,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._uow = uow
        self._vaulting = vaulting
        self._roots = roots
        self._runs = runs
        self._tokens = tokens
        self._setting = setting
        self._clock = clock

    def report(self, actor: Actor) -> PostureReport:
        """All figures, for administrators; raises NotPermitted."""
        require(actor, Action.SEE_SITE)
        now = self._clock()
        with self._uow.read() as session:
            inventory = take_inventory(session, now)
        last = {kind: self._runs.last(kind) for kind in LAST}
        whole = self._forecast(inventory.files, inventory.sealed_bytes, last["rotation"])
        share = inventory.past_cryptoperiod / inventory.files if inventory.files else 0
        due_bytes = int(inventory.sealed_bytes * share)
        migration = self._runs.last("migration", state=None)
        return PostureReport(
            at=now,
            setting=self._setting,
            master=self._vaulting.master_id,
            previous_masters=self._vaulting.previous_ids,
            vault_problem=vault_problem(self._vaulting.vault),
            root_versions={name: len(self._roots.all(name)) for name in ROOT_NAMES},
            inventory=inventory,
            columns=self._tokens.count(),
            legacy_left=migration.remaining + migration.failed if migration else 0,
            last=last,
            runs=self._runs.latest(),
            due=self._forecast(inventory.past_cryptoperiod, due_bytes, last["rotation"]),
            everything=whole,
        )

    def _forecast(self, files: int, sealed_bytes: int, last: RunView | None) -> Forecast:
        return forecast(files, sealed_bytes, self._setting.vault_mode, _experience(last))


def _experience(run: RunView | None) -> Experience | None:
    if run is None or run.finished_at is None or not run.done:
        return None
    return Experience(run.done, (run.finished_at - run.started_at).total_seconds())
