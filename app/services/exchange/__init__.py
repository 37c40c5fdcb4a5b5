"""Data sets in and out: archives, matching, the loss report, jobs that import and export."""

from __future__ import annotations
