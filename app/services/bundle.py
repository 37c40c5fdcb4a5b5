"""All services of one installation, as views and commands reach for them."""

from __future__ import annotations

from dataclasses import dataclass

from app.services.account_administration import AccountAdministration
from app.services.accounts import Accounts
from app.services.alerts import Alerts
from app.services.annotations import Annotations
from app.services.api_keys import ApiKeys
from app.services.audit import AuditLog
from app.services.backup import Backups
from app.services.collections import Collections
from app.services.delivery import DeliveryService
from app.services.demo import Demo
from app.services.doctor import Doctor
from app.services.healing import Healing
from app.services.health import Health
from app.services.ingest import IngestService
from app.services.job_overview import JobOverview
from app.services.jobs import Jobs
from app.services.key_status import KeyReport
from app.services.keys import RootKeys
from app.services.keys.changes import KeyChanges
from app.services.labels import Labels
from app.services.library import Library
from app.services.members import Members
from app.services.migration.moving_in import MovingIn
from app.services.moves import Moves
from app.services.orphans import Orphans
from app.services.posture import Posture
from app.services.rebuild import Rebuild
from app.services.receipts import Receipts
from app.services.reconciliation import Reconciler
from app.services.records import Records
from app.services.recovery_kit import RecoveryKits
from app.services.rotation import Rotation, RotationRequests
from app.services.runs import Runs
from app.services.scrub import Scrub
from app.services.sessions import Sessions
from app.services.store_check import StoreCheck
from app.services.tags import Tags
from app.services.trash import Trash
from app.services.verification import Verification
from app.services.views import Views


@dataclass(frozen=True, slots=True)
class Services:
    """Built once by wiring; every member may be used by several threads."""

    account_administration: AccountAdministration
    accounts: Accounts
    alerts: Alerts
    annotations: Annotations
    api_keys: ApiKeys
    audit: AuditLog
    backups: Backups
    collections: Collections
    delivery: DeliveryService
    demo: Demo
    doctor: Doctor
    healing: Healing
    health: Health
    ingest: IngestService
    job_overview: JobOverview
    jobs: Jobs
    key_changes: KeyChanges
    key_report: KeyReport
    labels: Labels
    library: Library
    members: Members
    moves: Moves
    moving_in: MovingIn
    orphans: Orphans
    receipts: Receipts
    reconciler: Reconciler
    rebuild: Rebuild
    records: Records
    posture: Posture
    recovery_kits: RecoveryKits
    roots: RootKeys
    rotation: Rotation
    rotation_requests: RotationRequests
    runs: Runs
    scrub: Scrub
    sessions: Sessions
    store_check: StoreCheck
    tags: Tags
    trash: Trash
    verification: Verification
    views: Views
