"""Is everything there, sealed and whole? Reads; what it finds it names with what helps."""

from app.services.verification.findings import Damage, Finding
from app.services.verification.rows import Expected, ExpectedImages
from app.services.verification.walk import RawSample, Verification

__all__ = [
    "Damage",
    "Expected",
    "ExpectedImages",
    "Finding",
    "RawSample",
    "Verification",
]
