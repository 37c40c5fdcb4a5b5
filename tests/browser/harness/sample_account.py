"""Sample view-models of the account pages and of the upload page."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace as Model

from tests.browser.harness.samples import NOW, id_of


def session_rows() -> tuple[Model, ...]:
    rows = (
        (True, "Firefox 145 on Linux", "192.0.2.14", 0, 3),
        (False, "Safari on iPhone", "198.51.100.7", 2, 9),
        (False, "Chrome on Windows", "2001:db8::4c2", 6, 12),
    )
    return tuple(
        Model(
            id=id_of(i),
            is_current=current,
            agent=agent,
            address=address,
            created_at=NOW - timedelta(days=since),
            last_seen_at=NOW - timedelta(days=seen, minutes=3),
            expires_at=NOW + timedelta(days=14 - since),
        )
        for i, (current, agent, address, seen, since) in enumerate(rows)
    )


def api_key_rows() -> tuple[Model, ...]:
    rows = (
        ("Backup script", "dk_3f9a", ("images:read",), 40, 0, 50, None),
        ("Camera trap", "dk_b71c", ("images:read", "images:write"), 12, None, None, None),
        ("Old laptop", "dk_09e2", ("images:read", "annotations:read"), 200, 150, None, 90),
    )
    return tuple(
        Model(
            id=id_of(i),
            name=name,
            prefix=prefix,
            scopes=scopes,
            created_at=NOW - timedelta(days=made),
            last_used_at=None if used is None else NOW - timedelta(days=used),
            expires_at=None if left is None else NOW + timedelta(days=left),
            revoked_at=None if revoked is None else NOW - timedelta(days=revoked),
        )
        for i, (name, prefix, scopes, made, used, left, revoked) in enumerate(rows)
    )


SCOPES = (
    Model(value="images:read", title="See pictures", checked=True),
    Model(value="images:write", title="Add, change and remove pictures", checked=False),
    Model(value="annotations:read", title="Read boxes and labels", checked=False),
    Model(value="annotations:write", title="Draw and label", checked=False),
)


ACCOUNT = Model(
    name="Ada Lindqvist",
    email="ada@example.org",
    created_at=NOW - timedelta(days=400),
    used_bytes=3_412_000_000,
    quota_bytes=10 * 1024**3,
    pictures=1396,
)
LIMITS = Model(
    max_bytes=104_857_600,
    max_pixels=50_000_000,
    max_files=10,
    kinds="JPEG, PNG, WebP, AVIF, HEIC, TIFF, GIF and BMP",
    accept=".jpg,.jpeg,.png,.webp,.avif,.heic,.heif,.tif,.tiff,.gif,.bmp",
)


def _part(name: str, about: str, schema: str | None = None) -> Model:
    return Model(name=name, about=about, schema=schema)


REFERENCE = Model(
    groups=(
        Model(
            name="Images",
            calls=(
                Model(
                    method="GET",
                    path="/api/v1/images/{image_id}",
                    title="One picture with all that is known of it",
                    about="Metadata, checksums, tags, state and a signed address.",
                    scope="images:read",
                    parameters=(_part("image_id in path", "string, uuid, required"),),
                    body=(),
                    answers=(
                        _part("200", "The picture.", "ImageDetail"),
                        _part("404", "There is nothing here.", "Problem"),
                    ),
                ),
            ),
        ),
    ),
    schemas={"ImageDetail": '{\n  "type": "object"\n}', "Problem": '{\n  "type": "object"\n}'},
)
