"""Sealed records: what the database knows beside the pictures, kept in the store as well."""

from app.services.records.keeper import RecordsKeeper
from app.services.records.marks import mark_behind
from app.services.records.writer import Records, RecordsReport

__all__ = ["Records", "RecordsKeeper", "RecordsReport", "mark_behind"]
