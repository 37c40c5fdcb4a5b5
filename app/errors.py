"""Every error that Darkroom raises on purpose; no HTTP in here.

::

    DarkroomError
    ├── ConfigurationError          the start is refused, exit code 2
    ├── EncryptionError             a key is missing or malformed, or sealing went wrong
    │   └── DecryptionFailed        wrong key or damaged data, with no hint which
    │       └── RolledBack          an older state of the file than the database knows
    ├── KeyVaultError               the vault refused, or answered nonsense
    │   ├── KeyNotFound             no such reference or version
    │   ├── KeyDamaged              what lies under a reference is no key of ours
    │   └── KeyVaultUnavailable     the vault cannot be reached now
    ├── KeyManagementError          the life of a key: state, generation, lease
    │   └── KeyLeaseLost            another worker rotates this file, or it is gone
    ├── StoreError                  the blob store
    │   ├── BlobNotFound
    │   ├── BlobExists
    │   ├── ForeignBlob             a link, folder or pipe where a blob belongs
    │   ├── SidecarInvalid
    │   ├── StoreFull               no space left
    │   │   └── KeyVaultFull        in the key vault: a KeyVaultUnavailable as well
    │   └── StoreUnavailable        I/O error, read-only, unmounted
    ├── DatabaseUnavailable         locked for too long, down
    ├── DecoderUnavailable          the decoder program cannot be started
    ├── AlertNotSent                a webhook or mail server did not take a message
    ├── WorkStopped                 a long piece of work was asked to end, and did
    │   └── JobLeaseLost            another worker has taken the job over
    └── RefusedError                the caller can mend it
        ├── AuthenticationFailed
        ├── NotPermitted            may see it, may not do it
        ├── NotFound                is not there, or may not be seen
        ├── Gone                    expired or revoked
        ├── Conflict
        │   ├── Quarantined         the file is damaged and is not served
        │   ├── SchemaChanged       the label set is of another version than the caller saw
        │   └── PictureSubmitted    read-only until somebody who may takes it back
        ├── StaleRevision           the caller's revision is not the current one
        ├── RevisionRequired        a write without a revision
        ├── FileTooLarge
        ├── UnsupportedType
        ├── InvalidInput            with the place of every mistake
        │   └── UndecodableMedia    the decoder refused the file
        ├── QuotaExceeded
        └── RateLimited

A message is a sentence that a person may read: it holds no key, plaintext, filename or
token. ``details`` holds facts of the same harmlessness for logs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

Detail = str | int | float | bool | None


class DarkroomError(Exception):
    """The root of the tree.

    ``message`` is for people, ``operation`` says what was being done (``"blob.open"``),
    ``at`` is when (UTC), ``details`` are harmless facts, ``code`` is a stable slug.
    """

    code = "error"

    def __init__(
        self,
        message: str,
        *,
        operation: str = "",
        details: Mapping[str, Detail] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.operation = operation
        self.details: dict[str, Detail] = dict(details or {})
        self.at = datetime.now(UTC)


class ConfigurationError(DarkroomError):
    code = "configuration"


class EncryptionError(DarkroomError):
    code = "encryption"


class DecryptionFailed(EncryptionError):
    """One message for every cause, so that an attacker learns nothing from it."""

    code = "decryption_failed"

    def __init__(
        self, *, operation: str = "", details: Mapping[str, Detail] | None = None
    ) -> None:
        super().__init__(
            "Decryption failed - invalid key or corrupted data",
            operation=operation,
            details=details,
        )


class RolledBack(DecryptionFailed):
    code = "rolled_back"


class KeyVaultError(DarkroomError):
    code = "key_vault"


class KeyNotFound(KeyVaultError):
    code = "key_not_found"


class KeyDamaged(KeyVaultError):
    code = "key_damaged"


class KeyVaultUnavailable(KeyVaultError):
    code = "key_vault_unavailable"


class KeyManagementError(DarkroomError):
    code = "key_management"


class KeyLeaseLost(KeyManagementError):
    code = "key_lease_lost"


class StoreError(DarkroomError):
    code = "store"


class BlobNotFound(StoreError):
    code = "blob_not_found"


class BlobExists(StoreError):
    code = "blob_exists"


class ForeignBlob(StoreError):
    code = "foreign_blob"


class SidecarInvalid(StoreError):
    code = "sidecar_invalid"


class StoreFull(StoreError):
    code = "store_full"


class KeyVaultFull(StoreFull, KeyVaultUnavailable):
    """To callers as any other full disk; its ``code`` is that of StoreFull."""


class StoreUnavailable(StoreError):
    code = "store_unavailable"


class DatabaseUnavailable(DarkroomError):
    code = "database_unavailable"


class DecoderUnavailable(DarkroomError):
    code = "decoder_unavailable"


class AlertNotSent(DarkroomError):
    code = "alert_not_sent"


class WorkStopped(DarkroomError):
    """Not a fault: what was complete stays, the rest waits for the next run."""

    code = "stopped"


class JobLeaseLost(WorkStopped):
    code = "lease_lost"


class RefusedError(DarkroomError):
    code = "refused"


class AuthenticationFailed(RefusedError):
    code = "authentication_failed"


class NotPermitted(RefusedError):
    code = "not_permitted"


class NotFound(RefusedError):
    code = "not_found"


class Gone(RefusedError):
    code = "gone"


class Conflict(RefusedError):
    code = "conflict"


class Quarantined(Conflict):
    code = "quarantined"


class SchemaChanged(Conflict):
    code = "schema_changed"  # ``version`` is the one that the label set has now

    def __init__(self, version: int, *, operation: str = "") -> None:
        super().__init__(
            "Somebody changed these labels in the meantime. Look again, then try again.",
            operation=operation,
            details={"version": version},
        )
        self.version = version


class PictureSubmitted(Conflict):
    code = "picture-submitted"  # ``details["may_reopen"]``: by saying that it is in progress


class StaleRevision(RefusedError):
    """``current`` is what the caller should look at before it tries again; never logged."""

    code = "stale_revision"

    def __init__(
        self,
        message: str,
        *,
        current: object = None,
        operation: str = "",
        details: Mapping[str, Detail] | None = None,
    ) -> None:
        super().__init__(message, operation=operation, details=details)
        self.current = current


class RevisionRequired(RefusedError):
    code = "revision_required"


class FileTooLarge(RefusedError):
    code = "file_too_large"


class UnsupportedType(RefusedError):
    code = "unsupported_type"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in an input: ``path`` is a JSON path or a field's name."""

    path: str
    message: str


class InvalidInput(RefusedError):
    code = "invalid_input"

    def __init__(
        self,
        message: str,
        *,
        mistakes: Sequence[Mistake] = (),
        operation: str = "",
        details: Mapping[str, Detail] | None = None,
    ) -> None:
        super().__init__(message, operation=operation, details=details)
        self.mistakes = tuple(mistakes)


class UndecodableMedia(InvalidInput):
    code = "undecodable_media"


class QuotaExceeded(RefusedError):
    code = "quota_exceeded"


class RateLimited(RefusedError):
    """``retry_after`` is in whole seconds."""

    code = "rate_limited"

    def __init__(self, message: str, *, retry_after: int, operation: str = "") -> None:
        super().__init__(message, operation=operation)
        self.retry_after = retry_after
