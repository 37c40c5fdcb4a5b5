"""The file that a job made, streamed to its owner and kept by no cache."""

from __future__ import annotations

import logging
from uuid import UUID

from flask import Response

from app.services.job_results import ResultFile
from app.web.responses import MediaFacts, stream_media
from app.web.stream_slots import stream_slot

log = logging.getLogger("darkroom.jobs")


def send_result(job_id: UUID, file: ResultFile) -> Response:
    """Answer with the file as a download; its first chunk is verified in here."""
    facts = MediaFacts(
        mime_type=file.mime_type,
        etag=job_id.hex,
        cache="no-store",
        inline=False,
        download_name=file.name,
    )
    try:
        slot = stream_slot()
    except BaseException:
        file.blob.close()
        raise

    def close() -> None:
        file.blob.close()
        slot.release()

    return stream_media(file.blob.reader, facts, close=close, on_error=_log)


def _log(error: BaseException) -> None:
    log.warning("a result could not be sent to its end", exc_info=error)
