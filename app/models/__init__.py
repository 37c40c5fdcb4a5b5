"""One table a file; no I/O. Importing this package registers every table on ``Base``."""

from app.db.base import Base
from app.models.agreement_round import AgreementCopy, AgreementRound
from app.models.alert import Alert, AlertMessage
from app.models.annotation import Annotation
from app.models.annotation_op import AnnotationOp
from app.models.api_key import ApiKey
from app.models.audit_event import AuditEvent
from app.models.collection import Collection
from app.models.collection_member import CollectionMember
from app.models.comment import Comment
from app.models.exchange_note import ExchangeNote
from app.models.file_key import KEY_AT_WORK, FileKey
from app.models.former_master import FormerMaster
from app.models.image import LIVE, MARKED_DESTROYED, NOT_DESTROYED, Image
from app.models.image_task import ImageTask
from app.models.installation import Installation
from app.models.job import Job
from app.models.kek_version import KekVersion
from app.models.label_class import LabelClass
from app.models.label_schema import LabelSchema, LabelSchemaVersion, LabelToken
from app.models.maintenance_run import MaintenanceRun
from app.models.month_count import MonthCount
from app.models.preference import Preference
from app.models.presence import Presence
from app.models.saved_filter import SavedFilter
from app.models.session import Session
from app.models.stale_record import StaleRecord
from app.models.tag import ImageTag, Tag
from app.models.user import User

__all__ = [
    "KEY_AT_WORK",
    "LIVE",
    "MARKED_DESTROYED",
    "NOT_DESTROYED",
    "AgreementCopy",
    "AgreementRound",
    "Alert",
    "AlertMessage",
    "Annotation",
    "AnnotationOp",
    "ApiKey",
    "AuditEvent",
    "Base",
    "Collection",
    "CollectionMember",
    "Comment",
    "ExchangeNote",
    "FileKey",
    "FormerMaster",
    "Image",
    "ImageTag",
    "ImageTask",
    "Installation",
    "Job",
    "KekVersion",
    "LabelClass",
    "LabelSchema",
    "LabelSchemaVersion",
    "LabelToken",
    "MaintenanceRun",
    "MonthCount",
    "Preference",
    "Presence",
    "SavedFilter",
    "Session",
    "StaleRecord",
    "Tag",
    "User",
]
