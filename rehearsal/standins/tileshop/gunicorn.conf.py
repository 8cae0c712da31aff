"""gunicorn reads this file by itself: `gunicorn reboot_dashboard:app`."""

import os
import sys

import faults

bind = f"0.0.0.0:{os.environ.get('PORT') or 8080}"
# One process, since Socket.IO keeps its clients in memory; a WebSocket holds a thread.
workers = 1
worker_class = "gthread"
threads = 100
graceful_timeout = 25
# It would be made in the user's home folder, which services often can't write to.
control_socket_disable = True


def on_starting(server):
    faults.at_start()


def post_worker_init(worker):
    import reboot_dashboard

    reboot_dashboard.serving = lambda: worker.alive


def worker_exit(server, worker):
    # By now every request is answered; a long poll whose client has left would still hold the process for 25 s.
    if worker.booted:
        sys.stdout.flush()
        os._exit(0)
