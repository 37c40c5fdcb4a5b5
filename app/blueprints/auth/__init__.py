"""Accounts: set-up, sign in and out, password, sessions, API keys."""

from __future__ import annotations

from app.blueprints.auth import account, keymap, keys, sessions, sign_in
from app.blueprints.auth.base import blueprint

__all__ = ["account", "blueprint", "keymap", "keys", "sessions", "sign_in"]
