"""New keys for the files: every blob sealed again, while it is read, in an order that
survives a crash after any step (docs/adr/0013)."""

from app.services.rotation.noticed import Noticed
from app.services.rotation.one_file import Parts
from app.services.rotation.pace import BESIDE_REQUESTS, ON_REQUEST, UNBOUND, Terms
from app.services.rotation.report import Failure, RotationReport, Scope
from app.services.rotation.requests import RotationRequests, scope_of
from app.services.rotation.service import Policy, Rotation

__all__ = [
    "BESIDE_REQUESTS",
    "ON_REQUEST",
    "UNBOUND",
    "Failure",
    "Noticed",
    "Parts",
    "Policy",
    "Rotation",
    "RotationReport",
    "RotationRequests",
    "Scope",
    "Terms",
    "scope_of",
]
