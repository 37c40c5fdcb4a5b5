"""What a form says about an import or an export, as the same choices that JSON says."""

from __future__ import annotations

import re
from typing import Any, Final

from werkzeug.datastructures import FileStorage, MultiDict

from app.errors import InvalidInput
from app.services.exchange.options import (
    ExportOptions,
    ImportOptions,
    Mode,
    read_export,
    read_import,
)
from app.web.forms import flag, number, wrong
from app.web.request_class import FileOfForm

_ARROW: Final = re.compile(r"\s*(?:=>|->|=|→)\s*")
MAX_SEED: Final = 2**31 - 1
Form = MultiDict[str, str]


def upload_of(file: FileStorage | None) -> tuple[FileOfForm, str]:
    """The data set of a form and its name; ``InvalidInput`` where none was sent."""
    spool = file.stream if file is not None else None
    if file is None or not isinstance(spool, FileOfForm) or not spool.size:
        raise wrong("file", "must be a ZIP file or a file of labels")
    if spool.overflowed:
        raise wrong("file", "is larger than this site takes in one request")
    return spool, file.filename or ""


def import_options(form: Form) -> ImportOptions:
    """``InvalidInput`` with the field that is wrong."""
    told: dict[str, Any] = {
        name: form.get(name) or None for name in ("format", "mode", "state", "task")
    }
    told["images"] = _flag(form, "images", usual=True)
    told["origin"] = _origin(form)
    told["classes"] = _classes(form.get("classes", ""))
    return read_import(told)


def export_options(form: Form) -> ExportOptions:
    """``InvalidInput`` with the field that is wrong."""
    told: dict[str, Any] = {
        name: form.get(name) or None for name in ("format", "metadata", "filenames", "task")
    }
    told["images"] = _flag(form, "images", usual=False)
    told["crops"] = _flag(form, "crops", usual=False)
    told["origin"] = _origin(form)
    told["states"] = [word for word in form.getlist("states") if word]
    told["labels"] = [
        line.strip() for line in form.get("labels", "").splitlines() if line.strip()
    ]
    told |= _splits(form)
    return read_export(told)


def mode_of(text: str | None) -> Mode | None:
    """``InvalidInput`` for a word that is none."""
    if not text:
        return None
    found = next((mode for mode in Mode if mode == text), None)
    if found is None:
        raise wrong("mode", "must be one of " + ", ".join(Mode))
    return found


def _flag(form: Form, name: str, *, usual: bool) -> bool:
    return flag(form.get(name), name) if name in form else usual


def _origin(form: Form) -> int | None:
    text = form.get("origin", "")
    if text not in {"", "0", "1"}:
        raise wrong("origin", "must be 0 or 1")
    return int(text) if text else None


def _classes(text: str) -> dict[str, str]:
    """A line each: ``theirs = ours``."""
    found: dict[str, str] = {}
    for line in filter(str.strip, text.splitlines()):
        parts = _ARROW.split(line.strip(), maxsplit=1)
        if len(parts) != 2 or not all(parts):
            raise wrong(
                "classes", "must have a line for each class: name in the file = name here"
            )
        found[parts[0]] = parts[1]
    return found


def _splits(form: Form) -> dict[str, Any]:
    shares = {name: form.get(f"split_{name}", "").strip() for name in ("train", "val", "test")}
    if not any(shares.values()):
        return {}
    try:
        told = {name: number(text, f"split_{name}", 0, 100, 0) for name, text in shares.items()}
        return {"splits": told, "seed": number(form.get("seed"), "seed", 0, MAX_SEED, 0)}
    except InvalidInput as refusal:
        raise wrong("splits", "are shares of whole hundreds and a seed") from refusal
