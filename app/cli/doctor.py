"""``flask doctor``: the deployment checklist, each box looked at."""

from __future__ import annotations

import click

from app.cli.terminal import all_services, as_json, command, say_json
from app.domain.access import OPERATOR
from app.services.doctor import FOR_PEOPLE, Box, Verdict

MARKS = {Verdict.GOOD: "[x]", Verdict.OPEN: "[ ]", Verdict.WRONG: "[!]"}


@click.command("doctor")
@click.option("--strict", is_flag=True, help="An open box is a failure too.")
@as_json
@command
def command_line(strict: bool, as_json: bool) -> None:
    """Go through the deployment checklist. 1 if something is wrong; open boxes only count
    with --strict."""
    services = all_services()
    boxes = list(services.doctor.look(services.posture.report(OPERATOR)))
    if as_json:
        say_json({"boxes": [_told(box) for box in boxes], "for_people": FOR_PEOPLE})
    else:
        _say(boxes)
    wrong = {Verdict.WRONG, Verdict.OPEN} if strict else {Verdict.WRONG}
    if any(box.verdict in wrong for box in boxes):
        raise SystemExit(1)


def _say(boxes: list[Box]) -> None:
    for box in boxes:
        advice = f": {box.advice}" if box.advice else ""
        click.echo(f"{MARKS[box.verdict]} {box.title}{advice}")
    for line in FOR_PEOPLE:
        click.echo(f"[?] {line}")


def _told(box: Box) -> dict[str, str]:
    return {"title": box.title, "verdict": box.verdict.value, "advice": box.advice}
