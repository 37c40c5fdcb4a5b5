"""Metadata taken out of a picture's file without touching a pixel; see `stripping`."""

from __future__ import annotations

from app.media.stripping.pictures import POLICIES, Policy, Stripped, can_strip, strip

__all__ = ["POLICIES", "Policy", "Stripped", "can_strip", "strip"]
