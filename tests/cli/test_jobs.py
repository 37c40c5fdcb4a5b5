"""Jobs worked by real processes: apart, embedded, killed, stopped."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from app.cli.progress import until_stopped, wait_for_a_signal
from app.db.times import utc_now
from app.jobs.watch import Unwatched
from app.models import AuditEvent, Image, Job
from tests.fixtures import programs
from tests.fixtures.installation import Installation
from tests.fixtures.jobs import JobRoom
from tests.fixtures.programs import BARE, TOP
from tests.fixtures.server import STOP_SECONDS, Server
from tests.fixtures.uploads import PictureRoom, picture
from tests.fixtures.wire import until

PICTURES = 40


def flask(installation: Installation, *words: str) -> subprocess.CompletedProcess[str]:
    return programs.flask(*words, environ=installation.environ)


class Worker:
    """``flask jobs worker`` as a process."""

    def __init__(self, installation: Installation, before: str = "") -> None:
        program = f"{before}\nfrom flask.cli import main\nmain()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", program, "--app", "wsgi", "jobs", "worker"],
            cwd=TOP,
            env=BARE | installation.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def says(self, words: str) -> None:
        """Read what it says until it has said this."""
        assert self._process.stdout is not None
        assert any(words in line for line in self._process.stdout), words

    @property
    def would_stop(self) -> bool:
        """Whether it has come so far that SIGTERM ends it in order."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        (caught,) = (line for line in status.splitlines() if line.startswith("SigCgt:"))
        return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)

    def end(self, number: signal.Signals) -> tuple[int, str]:
        self._process.send_signal(number)
        try:
            said, _ = self._process.communicate(timeout=3 * STOP_SECONDS)  # on a busy machine
        finally:
            self.kill()
        return self._process.returncode, said

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def worker(installation: Installation) -> Iterator[Worker]:
    worker = Worker(installation)
    yield worker
    worker.kill()


def trashed(installation: Installation, count: int = PICTURES) -> list[UUID]:
    """Pictures whose time in the trash is over."""
    room = PictureRoom(installation)
    ids = [room.upload(picture(n)).id for n in range(count)]
    for image in ids:
        installation.services.trash.trash(room.actor, image)
    with installation.house.uow.write() as session:
        session.execute(update(Image).values(destroy_at=utc_now()))
    return ids


def left(installation: Installation) -> int:
    with installation.house.uow.read_rows() as rows:
        return int(rows.execute(text("SELECT count(*) FROM images")).scalar_one())


def job_of(installation: Installation, kind: str) -> Job | None:
    with installation.house.uow.read() as session:
        found = session.scalars(
            select(Job).where(Job.kind == kind).order_by(Job.created_at.desc())
        ).first()
        if found is not None:
            session.expunge(found)
        return found


def let_time_pass(installation: Installation) -> None:
    """As after every lease and pause."""
    past = utc_now() - timedelta(minutes=2)
    with installation.house.uow.write() as session:
        session.execute(update(Job).where(Job.state == "running").values(lease_until=past))


def destroyed(installation: Installation) -> list[str]:
    chosen = select(AuditEvent.subject_id).where(AuditEvent.action == "image.destroy")
    with installation.house.uow.read_rows() as rows:
        return [str(found) for found in rows.scalars(chosen)]


def test_a_killed_worker_loses_nothing_and_repeats_nothing(installation: Installation) -> None:
    ids = trashed(installation)
    first = Worker(installation)
    try:
        assert until(lambda: left(installation) < PICTURES, 60)
    finally:
        code, _ = first.end(signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert 0 < left(installation) < PICTURES, "it was in the middle"
    job = job_of(installation, "trash.empty")
    assert job is not None
    assert (job.state, job.tries) == ("running", 1)
    let_time_pass(installation)
    second = Worker(installation)
    try:
        assert until(lambda: left(installation) == 0, 60)
        assert until(lambda: job_of(installation, "trash.empty").state == "done", 10)
    finally:
        assert second.end(signal.SIGTERM)[0] == 0
    again = job_of(installation, "trash.empty")
    assert again is not None
    assert (again.id, again.tries) == (job.id, 2), "the same job, taken up"
    assert sorted(destroyed(installation)) == sorted(str(image) for image in ids)
    left_over = (installation.settings.store_path / "dam").rglob("*.enc")
    assert [path for path in left_over if path.parent.name != "_directory"] == []
    keys = set(installation.house.vault.references("file-"))
    assert not keys & {f"file-{image}" for image in ids}


def test_two_workers_share_the_work(installation: Installation) -> None:
    """Periodic work is done once, whoever does it."""
    ids = trashed(installation, 10)
    workers = [Worker(installation) for _ in range(2)]
    try:
        assert until(lambda: left(installation) == 0, 60)
        with installation.house.uow.read_rows() as rows:
            kinds = rows.execute(text("SELECT kind, count(*) FROM jobs GROUP BY kind")).all()
        assert {count for _, count in kinds} <= {1, 2}, "the last one is kept for a minute"
        assert until(lambda: all(worker.would_stop for worker in workers), 60)
    finally:
        ends = [worker.end(signal.SIGTERM) for worker in workers]
    for code, said in ends:
        assert (code, "Traceback" in said) == (0, False), said
    assert sorted(destroyed(installation)) == sorted(str(image) for image in ids)


def test_a_server_works_jobs_and_stops_in_time(tmp_path: Path) -> None:
    """In the middle of a job: it is parked, and the next start goes on with it."""
    server = Server(tmp_path)
    with server.filled() as installation:
        trashed(installation, 120)
    server.start()
    with server_view(server) as installation:
        assert until(lambda: left(installation) < 120, 30)
        begun = time.monotonic()
        server.stop()
        assert time.monotonic() - begun < STOP_SECONDS
        assert 0 < left(installation) < 120
        job = job_of(installation, "trash.empty")
        assert job is not None
        assert (job.state, job.tries, job.lease_token) == ("waiting", 0, None)
        server.start()
        assert until(lambda: left(installation) == 0, 60)
    server.stop()
    assert "Traceback" not in server.log


def test_a_server_that_works_none_leaves_them_to_a_worker(tmp_path: Path) -> None:
    server = Server(tmp_path, JOBS_EMBEDDED="false")
    with server.filled() as installation:
        trashed(installation, 1)
    server.start()
    with server_view(server) as installation:
        time.sleep(1)
        assert left(installation) == 1
        worker = Worker(installation)
        try:
            assert until(lambda: left(installation) == 0, 60)
        finally:
            worker.end(signal.SIGTERM)
    server.stop()


def test_a_signal_that_wakes_nobody_is_heard() -> None:
    """As when it comes just before the wait begins: its handler has run, nothing wakes."""

    def send() -> None:
        time.sleep(0.1)
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    with until_stopped() as stop:
        threading.Thread(target=send).start()
        wait_for_a_signal()
    assert stop.requested


def test_a_worker_notices_new_root_keys_by_itself(installation: Installation) -> None:
    look_often = "import app.services.keys.root_watch as watch; watch.REFRESH_SECONDS = 0.2"
    worker = Worker(installation, look_often)
    try:
        worker.says("Working jobs")
        assert installation.services.key_changes.roots.run(Unwatched(), "columns").complete
        worker.says("the root keys have changed")
    finally:
        code, said = worker.end(signal.SIGTERM)
    assert (code, "Traceback" in said) == (0, False)


def server_view(server: Server):
    """The rooms of its installation in this process, while it runs."""
    from tests.fixtures.installation import running_installation

    return running_installation(server.environ)


def test_run_once_works_what_is_due_and_tells_of_failures(installation: Installation) -> None:
    trashed(installation, 2)
    done = flask(installation, "jobs", "run-once", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["states"], told["stopped"]) == ({"done": told["jobs"]}, False)
    assert left(installation) == 0
    again = flask(installation, "jobs", "run-once")
    assert again.returncode == 0
    assert again.stdout.endswith((" done.\n", "Nothing was due.\n"))  # a minute may be over
    JobRoom(installation).enqueue()  # of a kind that only this process knows
    failed = flask(installation, "jobs", "run-once")
    assert failed.returncode == 1
    assert failed.stdout.endswith("1 waiting.\n")


def test_the_list_tells_every_kind(installation: Installation) -> None:
    installation.house.jobs.queue.run_due()
    listed = flask(installation, "jobs", "list", "--json")
    assert listed.returncode == 0
    kinds = {one["kind"]: one for one in json.loads(listed.stdout)}
    known = {kind.name for kind in installation.house.jobs.registry}
    assert kinds.keys() == known
    assert kinds["trash.empty"]["last"] == "done"
    table = flask(installation, "jobs", "list").stdout
    assert "trash.empty" in table
    assert "Traceback" not in table


def test_the_demo_is_stopped_with_a_word(installation: Installation) -> None:
    """Ctrl-C: what was stored stays, and the exit code is that of an interruption."""
    words = ["demo", "--user", installation.person().email, "--count", "200"]
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", *words],
        cwd=TOP,
        env=BARE | installation.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert until(lambda: left(installation) > 2, 60)
    process.send_signal(signal.SIGINT)
    said, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert said.startswith("Stopped: ")
    assert "of 200 sample pictures are stored in /collections/c-" in said
    assert "Aborted" not in said + errors
    assert "Traceback" not in errors
