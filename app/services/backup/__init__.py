"""Backups: made while people work, looked at without touching anything, put back whole."""

from app.services.backup.backups import BackupReport, Backups, Plan
from app.services.backup.create import Creation
from app.services.backup.drill import Drill, DrillReport
from app.services.backup.locks import Locks
from app.services.backup.opened import BackupKeys, OpenedBackup, open_backup
from app.services.backup.places import RESTORING, Destination
from app.services.backup.recovery import Recovery
from app.services.backup.restore import Restore, RestoreReport

__all__ = [
    "RESTORING",
    "BackupKeys",
    "BackupReport",
    "Backups",
    "Creation",
    "Destination",
    "Drill",
    "DrillReport",
    "Locks",
    "OpenedBackup",
    "Plan",
    "Recovery",
    "Restore",
    "RestoreReport",
    "open_backup",
]
