"""What a form says about an import or an export, as the same choices that JSON says."""

from __future__ import annotations

from typing import Any, Final

from werkzeug.datastructures import FileStorage, MultiDict

from app.errors import InvalidInput, Mistake
from app.services.exchange.options import (
    IMPORT_MEMBERS,
    MAX_SEED,
    ExportOptions,
    ImportOptions,
    Mode,
    classes_of,
    read_export,
    read_import,
)
from app.web.forms import flag, number, wrong
from app.web.request_class import FileOfForm

_FIELDS: Final = IMPORT_MEMBERS | {"csrf_token"}
Form = MultiDict[str, str]


def upload_of(file: FileStorage | None) -> tuple[FileOfForm, str]:
    """The data set of a form and its name; ``InvalidInput`` where none was sent."""
    spool = file.stream if file is not None else None
    if file is None or not isinstance(spool, FileOfForm) or not spool.size:
        raise wrong("file", "must be a ZIP file or a file of labels")
    if spool.overflowed:
        raise wrong("file", "is larger than this site takes in one request")
    return spool, file.filename or ""


def at_the_file(error: InvalidInput) -> InvalidInput:
    """The same refusal; what is wrong in the archive is told at its field, with the place."""
    told = [
        each if each.path in _FIELDS else Mistake("file", _with_place(each))
        for each in error.mistakes
    ]
    return InvalidInput(error.message, mistakes=told, operation=error.operation)


def import_options(form: Form) -> ImportOptions:
    """``InvalidInput`` with the field that is wrong."""
    told: dict[str, Any] = {
        name: form.get(name) or None for name in ("format", "mode", "state", "task")
    }
    told["images"] = _flag(form, "images", usual=True)
    told["origin"] = _origin(form)
    told["classes"] = classes_of(form.get("classes", "").splitlines())
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


def form_of_export(options: ExportOptions) -> Form:
    """The form that says the same as these choices."""
    shares = options.splits.shares if options.splits else {}
    lists: dict[str, list[str]] = {
        "format": [options.format],
        "metadata": [options.metadata.value],
        "filenames": [options.names.value],
        "task": [options.task.value if options.task else ""],
        "images": [str(int(options.images))],
        "crops": [str(int(options.crops))],
        "origin": [str(options.origin) if options.origin is not None else ""],
        "states": [state.value for state in options.states],
        "labels": ["\n".join(options.labels)],
        "seed": [str(options.splits.seed) if options.splits else ""],
    }
    lists |= {f"split_{name}": [str(share)] for name, share in shares.items()}
    return MultiDict(lists)


def known_fields(form: Form) -> Form:
    """``InvalidInput`` with the fields that no import has."""
    # The name of a part may be one that cannot be read: then the form has it under None.
    unknown = [
        Mistake(name or "", "is not a known field") for name in form if name not in _FIELDS
    ]
    if unknown:
        raise InvalidInput("A field of this form is not known.", mistakes=unknown)
    return form


def mode_of(text: str | None) -> Mode | None:
    """``InvalidInput`` for a word that is none."""
    if not text:
        return None
    found = next((mode for mode in Mode if mode == text), None)
    if found is None:
        raise wrong("mode", "must be one of " + ", ".join(Mode))
    return found


def _with_place(mistake: Mistake) -> str:
    known = mistake.path in {"file", "archive"}
    return mistake.message if known else f"{mistake.path}: {mistake.message}"


def _flag(form: Form, name: str, *, usual: bool) -> bool:
    return flag(form.get(name), name) if name in form else usual


def _origin(form: Form) -> int | None:
    text = form.get("origin", "")
    if text not in {"", "0", "1"}:
        raise wrong("origin", "must be 0 or 1")
    return int(text) if text else None


def _splits(form: Form) -> dict[str, Any]:
    shares = {name: form.get(f"split_{name}", "").strip() for name in ("train", "val", "test")}
    seed = number(form.get("seed"), "seed", 0, MAX_SEED, 0)
    if not any(shares.values()):
        return {}
    try:
        told = {name: number(text, f"split_{name}", 0, 100, 0) for name, text in shares.items()}
    except InvalidInput:
        told = {}
    if sum(told.values()) != 100:
        raise wrong("split_train", "must be whole numbers that make 100 together")
    return {"splits": told, "seed": seed}
