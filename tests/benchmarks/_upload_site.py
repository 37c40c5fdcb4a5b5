"""Two ways to take in one large file of a form, side by side in one server.

``/sealed`` has our request class, so the file is sealed while it is parsed; then it is sealed
again into the store under its own key. ``/plain`` is Werkzeug's default: a plain temporary
file, copied by ``save``. Neither syncs. Served by gunicorn as
``tests.benchmarks._upload_site:app``; PLACE names a folder.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from flask import Flask, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from app.crypto.context import BlobContext, Role
from app.crypto.keys import generate_key
from app.crypto.stream import seal_stream
from app.storage.local_disk import LocalDisk
from app.web.request_class import DarkroomRequest, FileOfForm

PLACE = Path(os.environ["PLACE"])
MOST = 1 << 30

sealed, plain = Flask("sealed"), Flask("plain")
sealed.request_class = DarkroomRequest
sealed.config.update(SPOOL_FOLDER=PLACE, FILE_BYTES=MOST)
store = LocalDisk(PLACE / "store")


@sealed.post("/")
def take_in() -> dict[str, int]:
    spool = cast("FileOfForm", request.files["files"].stream)
    about = BlobContext(file_id=uuid4(), role=Role.ORIGINAL, key_version_id=os.urandom(16))
    with store.stage("dam/upload.enc", durable=False) as staged:
        source: Any = spool
        spool.seek(0)
        facts = seal_stream(source, staged, generate_key(), about, size=spool.size)
        staged.commit(replace=True)
    return {"size": facts.plain_size}


@plain.post("/")
def save() -> dict[str, int]:
    target = PLACE / "plain-upload"
    request.files["files"].save(target)
    return {"size": target.stat().st_size}


app = DispatcherMiddleware(plain, {"/sealed": sealed, "/plain": plain})
