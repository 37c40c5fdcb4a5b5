"""The services of a house, subject by subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app import wiring_verification
from app.services.account_administration import AccountAdministration
from app.services.accounts import Accounts
from app.services.annotations import Annotations
from app.services.api_keys import ApiKeys
from app.services.bundle import Services
from app.services.collections import Collections
from app.services.delivery import DeliveryService
from app.services.demo import Demo
from app.services.derivatives import Derivatives
from app.services.draft_keys import DraftKeys
from app.services.email_index import EmailIndex
from app.services.examination import Examination
from app.services.ingest import IngestService
from app.services.key_status import KeyReport
from app.services.library import Library
from app.services.members import Members
from app.services.moves import Moves
from app.services.orphans import Orphans
from app.services.password_check import PasswordCheck
from app.services.preferences import Preferences
from app.services.receipts import Receipts
from app.services.records import Records
from app.services.sessions import Sessions
from app.services.store_check import StoreCheck
from app.services.views import Views
from app.wiring_alerts import build_alerts
from app.wiring_annotating import annotating_services
from app.wiring_backup import backup_services
from app.wiring_exchange import build_exchange
from app.wiring_health import build_health
from app.wiring_keys import build_key_changes
from app.wiring_labels import label_services
from app.wiring_migration import build_moving_in
from app.wiring_posture import build_doctor, build_posture
from app.wiring_rebuild import build_rebuild
from app.wiring_rotation import build_noticed, build_rotation, build_rotation_requests
from app.wiring_sessions import session_terms
from app.wiring_work import work_services

if TYPE_CHECKING:
    from app.wiring import House

Parts = dict[str, Any]
"""Services by the name of their field; `Services` refuses one too many or too few."""


def build_services(house: House) -> Services:
    """Return the services, each made once."""
    return Services(**_people(house), **_pictures(house), **_keys(house), **_upkeep(house))


def _people(house: House) -> Parts:
    uow, audit = house.uow, house.audit
    emails, passwords = EmailIndex(house.roots), PasswordCheck(house.password_cost)
    accounts = (uow, emails, passwords, audit, house.quota)
    return {
        "account_administration": AccountAdministration(*accounts),
        "accounts": Accounts(*accounts),
        "api_keys": ApiKeys(uow, audit),
        "audit": audit,
        "draft_keys": DraftKeys(house.roots),
        "members": Members(uow, emails, audit),
        "preferences": Preferences(uow),
        "sessions": Sessions(uow, audit, session_terms(house.settings)),
        "views": Views(uow, audit),
    }


def _pictures(house: House) -> Parts:
    uow, audit, tags, rows = house.uow, house.audit, house.tags, house.image_rows
    collections, ingest = Collections(uow, audit), _ingest(house)
    writing = house.writing
    annotations, delivery = Annotations(uow, writing), _delivery(house)
    library = Library(uow, tags)
    annotations = Annotations(uow, writing)
    return {
        **annotating_services(house),
        "annotations": annotations,
        "collections": collections,
        "delivery": delivery,
        **build_exchange(house, ingest, delivery, writing),
        "demo": Demo(collections, ingest, annotations),
        "ingest": ingest,
        "library": library,
        **label_services(house, library),
        "moves": Moves(
            uow=uow, roots=house.roots, rows=rows, tags=tags, audit=audit, writing=writing
        ),
        "moving_in": build_moving_in(house, rows, ingest, annotations, audit),
        "receipts": Receipts(uow),
        "tags": tags,
        "trash": house.trash,
        **work_services(house),
    }


def _keys(house: House) -> Parts:
    uow, runs, roots = house.uow, house.runs, house.roots
    return {
        "key_changes": build_key_changes(house, house.audit, runs),
        "key_report": KeyReport(uow, house.vaulting),
        "posture": build_posture(house.settings, uow, house.vaulting, roots, runs),
        "roots": roots,
        "rotation": build_rotation(house, house.audit),
        "rotation_requests": build_rotation_requests(house),
    }


def _upkeep(house: House) -> Parts:
    uow, vault = house.uow, house.vault
    health = build_health(uow, house.blobs, vault)
    verification = wiring_verification.verification(house, house.audit)
    return {
        "alerts": build_alerts(house.settings, uow, house.audit, vault),
        **backup_services(house, house.audit),
        "doctor": build_doctor(house.settings, uow, health),
        "healing": wiring_verification.build_healing(house, house.quarantine),
        "health": health,
        "job_overview": house.jobs.overview,
        "jobs": house.jobs.service,
        "orphans": Orphans(uow, house.blobs, vault),
        "reconciler": wiring_verification.build_reconciler(house, house.audit),
        "rebuild": build_rebuild(house, house.audit),
        "records": Records(uow, house.store, house.keys),
        "runs": house.runs,
        "scrub": wiring_verification.build_scrub(house),
        "store_check": StoreCheck(verification, house.runs, house.quarantine),
        "verification": verification,
    }


def _delivery(house: House) -> DeliveryService:
    noticed = build_noticed(house)
    return DeliveryService(
        uow=house.uow,
        store=house.store,
        roots=house.roots,
        derivatives=Derivatives(house.store, house.keys, house.decoder),
        quarantine=house.quarantine,
        overdue=noticed.note if noticed is not None else None,
    )


def _ingest(house: House) -> IngestService:
    rows, most = house.image_rows, house.settings.upload_max_size
    return IngestService(
        uow=house.uow,
        store=house.store,
        keys=house.keys,
        examination=Examination(house.uow, rows, house.decoder, most),
        rows=rows,
        trash=house.trash,
    )
