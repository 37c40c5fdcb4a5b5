"""The WSGI application, for gunicorn (``wsgi:app``) and for ``flask --app wsgi``.

Importing this never fails and touches nothing: settings are read, and the vault, the store
and the database are opened, on first use.
"""

from __future__ import annotations

from app import create_app

app = create_app()
