"""One table a file; no I/O. Importing this package registers every table on ``Base``."""

from app.db.base import Base
from app.models.alert import Alert, AlertMessage
from app.models.annotation import Annotation
from app.models.api_key import ApiKey
from app.models.audit_event import AuditEvent
from app.models.collection import Collection
from app.models.collection_member import CollectionMember
from app.models.file_key import KEY_AT_WORK, FileKey
from app.models.former_master import FormerMaster
from app.models.image import LIVE, MARKED_DESTROYED, NOT_DESTROYED, Image
from app.models.installation import Installation
from app.models.job import Job
from app.models.kek_version import KekVersion
from app.models.label_class import LabelClass
from app.models.maintenance_run import MaintenanceRun
from app.models.month_count import MonthCount
from app.models.session import Session
from app.models.stale_record import StaleRecord
from app.models.tag import ImageTag, Tag
from app.models.user import User

__all__ = [
    "KEY_AT_WORK",
    "LIVE",
    "MARKED_DESTROYED",
    "NOT_DESTROYED",
    "Alert",
    "AlertMessage",
    "Annotation",
    "ApiKey",
    "AuditEvent",
    "Base",
    "Collection",
    "CollectionMember",
    "FileKey",
    "FormerMaster",
    "Image",
    "ImageTag",
    "Installation",
    "Job",
    "KekVersion",
    "LabelClass",
    "MaintenanceRun",
    "MonthCount",
    "Session",
    "StaleRecord",
    "Tag",
    "User",
]
