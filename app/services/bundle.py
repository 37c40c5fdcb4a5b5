"""All services of one installation, as views and commands reach for them."""

from __future__ import annotations

from dataclasses import dataclass

from app.services.account_administration import AccountAdministration
from app.services.accounts import Accounts
from app.services.agreement import Adjudication, Copies, Handover, Rounds
from app.services.alerts import Alerts
from app.services.annotation_changes import AnnotationChanges
from app.services.annotation_history import AnnotationHistory
from app.services.annotation_ops import AnnotationOps
from app.services.annotations import Annotations
from app.services.api_keys import ApiKeys
from app.services.audit import AuditLog
from app.services.backup import Backups
from app.services.collections import Collections
from app.services.comments import Comments
from app.services.delivery import DeliveryService
from app.services.demo import Demo
from app.services.doctor import Doctor
from app.services.draft_keys import DraftKeys
from app.services.exchange.export_jobs import Exports
from app.services.exchange.exporting import Exporting
from app.services.exchange.import_jobs import Imports
from app.services.exchange.importing import Importing
from app.services.healing import Healing
from app.services.health import Health
from app.services.ingest import IngestService
from app.services.job_overview import JobOverview
from app.services.jobs import Jobs
from app.services.key_status import KeyReport
from app.services.keys import RootKeys
from app.services.keys.changes import KeyChanges
from app.services.label_indexing import LabelIndexing
from app.services.label_schema import LabelSchemas
from app.services.labels import Labels
from app.services.library import Library
from app.services.members import Members
from app.services.migration.moving_in import MovingIn
from app.services.moves import Moves
from app.services.orphans import Orphans
from app.services.posture import Posture
from app.services.preferences import Preferences
from app.services.progress import Progress
from app.services.rebuild import Rebuild
from app.services.receipts import Receipts
from app.services.reconciliation import Reconciler
from app.services.records import Records
from app.services.recovery_kit import RecoveryKits
from app.services.review_queue import ReviewQueue
from app.services.rotation import Rotation, RotationRequests
from app.services.runs import Runs
from app.services.saved_filters import SavedFilters
from app.services.scrub import Scrub
from app.services.search import Search
from app.services.sessions import Sessions
from app.services.store_check import StoreCheck
from app.services.tags import Tags
from app.services.tasks import Tasks
from app.services.trash import Trash
from app.services.verification import Verification
from app.services.views import Views


@dataclass(frozen=True, slots=True)
class Services:
    """Built once by wiring; every member may be used by several threads."""

    account_administration: AccountAdministration
    accounts: Accounts
    adjudication: Adjudication
    alerts: Alerts
    annotation_changes: AnnotationChanges
    annotation_history: AnnotationHistory
    annotation_ops: AnnotationOps
    annotations: Annotations
    api_keys: ApiKeys
    audit: AuditLog
    backups: Backups
    collections: Collections
    comments: Comments
    copies: Copies
    delivery: DeliveryService
    demo: Demo
    doctor: Doctor
    draft_keys: DraftKeys
    exporting: Exporting
    exports: Exports
    handover: Handover
    healing: Healing
    health: Health
    importing: Importing
    imports: Imports
    ingest: IngestService
    job_overview: JobOverview
    jobs: Jobs
    key_changes: KeyChanges
    key_report: KeyReport
    label_indexing: LabelIndexing
    label_schemas: LabelSchemas
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
    preferences: Preferences
    progress: Progress
    recovery_kits: RecoveryKits
    review_queue: ReviewQueue
    roots: RootKeys
    rotation: Rotation
    rounds: Rounds
    rotation_requests: RotationRequests
    runs: Runs
    saved_filters: SavedFilters
    scrub: Scrub
    search: Search
    sessions: Sessions
    store_check: StoreCheck
    tags: Tags
    tasks: Tasks
    trash: Trash
    verification: Verification
    views: Views
