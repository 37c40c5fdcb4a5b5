"""How gunicorn serves Darkroom; ``python3 dev.py run`` becomes gunicorn with this file.

The start check and the migration run once, in ``on_starting``, before a socket is opened or a
worker is forked: a wrong setting ends the program with one sentence and exit code 2. An error
at import would make gunicorn start workers for ever.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from gunicorn.glogging import Logger

from app.config import ENV_FILE, load_settings
from app.errors import DarkroomError, KeyVaultUnavailable
from app.logs import set_up_logging

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker

PR_SET_PDEATHSIG = 1  # prctl(2)
WORK_STOP_SECONDS = 2.0
"""For jobs and records, once the requests are answered. What takes longer is taken up at the
next start."""


def refuse(error: DarkroomError | OSError) -> NoReturn:
    """End the program with one sentence and exit code 2."""
    sys.stderr.write(f"{type(error).__name__}: {error}\n")
    sys.exit(2)


def server_settings() -> tuple[str, int, int, str]:
    """Return BIND, WEB_CONCURRENCY, WEB_THREADS and PUBLIC_URL; nothing secret stays here."""
    try:
        settings, _ = load_settings(os.environ, ENV_FILE)
    except (DarkroomError, OSError) as error:
        refuse(error)
    set_up_logging(settings.log_format)
    return settings.bind, settings.web_concurrency, settings.web_threads, settings.public_url


class ServerLog(Logger):  # type: ignore[misc]
    """Gunicorn's events in the form of the application's log, without what clients sent.

    A request's line may carry a token or a name that somebody searched for.
    """

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True

    def warning(self, msg: str, *args: object, **kwargs: Any) -> None:
        if msg.startswith("Invalid request"):
            msg = "Invalid request"
        super().warning(msg, *args, **kwargs)

    def exception(self, msg: object, *_args: object, **kwargs: Any) -> None:
        if isinstance(sys.exc_info()[1], BlockingIOError):  # see app/web/worker.py
            super().info("A client was too slow and was cut")
            return
        super().exception(str(msg).partition(" %s")[0], **kwargs)


vault_away: KeyVaultUnavailable | None = None
"""Why the start has to be completed by the workers; they inherit it."""


def end_at_once(number: int, _frame: object) -> NoReturn:
    """A start that is stopped has written nothing that the next one does not finish."""
    sys.exit(128 + number)


def on_starting(_server: Arbiter) -> None:
    """Check the whole start and bring the database up to date, before anything listens."""
    from app.startup import prepare_or_wait

    global vault_away
    try:
        vault_away = prepare_or_wait(os.environ)
    except (DarkroomError, OSError) as error:
        refuse(error)


def pre_fork(_server: Arbiter, _worker: Worker) -> None:
    """Modules are loaded once, before the fork: worker and first process share their memory,
    and the collector does not go through it, which would copy it page by page."""
    import app.factory  # noqa: F401

    gc.collect()
    gc.freeze()


def when_ready(_server: Arbiter) -> None:
    state = "ready" if vault_away is None else "waiting for its key vault"
    logging.getLogger("darkroom").info("Darkroom is %s at %s", state, public_url)


def post_fork(_server: Arbiter, worker: Worker) -> None:
    """Let a worker die with its parent: else the port stays taken after a SIGKILL."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != worker.ppid:
            os._exit(1)


def post_worker_init(worker: Worker) -> None:
    """Say that this instance is in use; begin to work jobs beside the requests, unless they
    are worked apart."""
    from app.late_start import begin
    from app.services.keys.root_watch import watch_roots
    from app.storage.instance_lock import hold_running

    house = worker.wsgi.extensions["darkroom"]
    hold_running(house.settings.instance_path)

    def work() -> None:
        watch_roots(lambda: house.roots)
        if house.settings.jobs_embedded:
            house.jobs.queue.start(house.settings.jobs_threads)
            house.jobs.keeper.start()
            worker.at_stop = house.jobs.queue.ask_to_stop

    begin(house, vault_away, work)


def worker_exit(_server: Arbiter, worker: Worker) -> None:
    """Give jobs a moment to end at a step; what does not is taken up at the next start."""
    wsgi = getattr(worker, "wsgi", None)  # none in a worker that never booted
    house = wsgi.extensions["darkroom"] if wsgi else None
    if house is not None and house.unready is None and house.settings.jobs_embedded:
        began = time.monotonic()
        house.jobs.keeper.ask_to_stop()
        house.jobs.queue.stop(WORK_STOP_SECONDS)
        house.jobs.keeper.stop(max(0.0, WORK_STOP_SECONDS - (time.monotonic() - began)))


def child_exit(_server: Arbiter, worker: Worker) -> None:
    """Take the gauges of a dead worker out of metrics that several workers share."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


# Gunicorn listens for it later; until then the first process of a container, for which no
# signal has a default action, would not hear it at all. On a reload it listens already.
if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
    signal.signal(signal.SIGTERM, end_at_once)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold file keys
bind, workers, threads, public_url = server_settings()
worker_class = "app.web.worker.PatientWorker"
logger_class = ServerLog
control_socket_disable = True
# Below the 10 s within which the port has to be free after SIGTERM.
graceful_timeout = 6
# The heartbeat comes from the main loop, not from the threads that work: long answers are fine.
timeout = 60
keepalive = 15
# Only the application believes X-Forwarded-*, and only from TRUSTED_PROXIES.
forwarded_allow_ips = ""
# The heartbeat's file: in memory, not on a disk that may be read-only or slow.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
chdir = str(Path(__file__).resolve().parent)
