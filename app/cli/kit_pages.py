"""The recovery kit as it is printed: plain text, or one HTML file that needs nothing else."""

from __future__ import annotations

from html import escape

from app.services.recovery_kit import Kit, Sheet

FORM_FEED = "\f"
STYLE = """
body { font: 12pt/1.5 Georgia, serif; margin: 2cm; color: #000; background: #fff; }
section { page-break-after: always; break-after: page; max-width: 17cm; }
section:last-child { page-break-after: auto; break-after: auto; }
h1 { font-size: 18pt; }
pre { font: 13pt/1.9 "DejaVu Sans Mono", Menlo, monospace; }
pre { border: 1pt solid #000; padding: 8mm; }
dt { float: left; clear: left; width: 9em; font-weight: bold; }
"""


def as_text(kit: Kit) -> str:
    """Each sheet on a page of its own."""
    return f"\n{FORM_FEED}\n".join(_text(kit, sheet) for sheet in kit.sheets) + "\n"


def _text(kit: Kit, sheet: Sheet) -> str:
    facts = "\n".join(f"{name:<14} {value}" for name, value in _facts(kit, sheet))
    steps = "\n".join(f"{number}. {step}" for number, step in enumerate(_steps(kit), 1))
    return "\n\n".join([_title(kit, sheet), facts, _what(kit), "\n".join(sheet.lines), steps])


def as_html(kit: Kit) -> str:
    """One document; its sheets break into pages when it is printed."""
    sheets = "".join(_section(kit, sheet) for sheet in kit.sheets)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Darkroom recovery kit {escape(kit.master)}</title>"
        f"<style>{STYLE}</style></head><body>{sheets}</body></html>\n"
    )


def _section(kit: Kit, sheet: Sheet) -> str:
    facts = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in _facts(kit, sheet)
    )
    steps = "".join(f"<li>{escape(step)}</li>" for step in _steps(kit))
    lines = escape("\n".join(sheet.lines))
    return (
        f"<section><h1>{escape(_title(kit, sheet))}</h1><dl>{facts}</dl>"
        f"<p>{escape(_what(kit))}</p><pre>{lines}</pre><ol>{steps}</ol></section>"
    )


def _title(kit: Kit, sheet: Sheet) -> str:
    if len(kit.sheets) == 1:
        return "Darkroom recovery kit"
    return f"Darkroom recovery kit: share {sheet.number} of {len(kit.sheets)}"


def _facts(kit: Kit, sheet: Sheet) -> list[tuple[str, str]]:
    facts = [
        ("Installation", str(kit.installation)),
        ("Master key", kit.master),
        ("Made", f"{kit.made_at:%Y-%m-%d}"),
    ]
    if len(kit.sheets) > 1:
        facts.append(("Needed", f"{kit.threshold} of {len(kit.sheets)} shares"))
    del sheet
    return facts


def _what(kit: Kit) -> str:
    if len(kit.sheets) > 1:
        return (
            f"Any {kit.threshold} of these shares make the key that opens every picture of this"
            f" installation. Fewer tell nothing. Give each to somebody else."
        )
    if kit.locked:
        return "This makes the key that opens every picture, together with its passphrase."
    return (
        "This is the key that opens every picture. Whoever has it and a backup sees them all."
    )


def _steps(kit: Kit) -> list[str]:
    more = " --passphrase-file FILE" if kit.locked else ""
    typed = "of enough shares " if len(kit.sheets) > 1 else ""
    return [
        "Keep this paper apart from the backups, dry and locked away.",
        f"When the key is lost: type the numbered lines {typed}into a file.",
        f"Run: flask --app wsgi keys restore-kit FILE{more}",
        "Put the line that it prints into .env (mode 0600); start, or restore a backup.",
    ]
