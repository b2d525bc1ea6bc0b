"""Runs one command and ends it, with all it started, when whoever asked for it is gone.

    supervise.py GRACE_SECONDS COMMAND [ARGUMENT ...]

The command runs in a session of its own. Its end is asked for by closing this program's standard input (which
happens by itself when the asking process dies, however it dies), or by SIGINT, SIGTERM or SIGHUP: first SIGTERM to
the command's process group, then, after the grace, SIGKILL to whatever is left. The emulator needs the second
signal: with a custom resource that hangs it ignores the first, and the function binaries are children of its own.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """On Linux, makes orphaned descendants children of this process, so that none is out of reach."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children(process_id):
    try:
        with open(f"/proc/{process_id}/task/{process_id}/children", encoding="ascii") as listing:
            return [int(child) for child in listing.read().split()]
    except OSError:
        return []


def descendants(process_id):
    """Child first, so that a parent cannot start a replacement for a child that was just ended."""
    found = []
    for child in children(process_id):
        found.append(child)
        found.extend(descendants(child))
    return found


def reap(child):
    """Collects every ended process; the command's own status is kept by `child`."""
    child.poll()
    if not hasattr(os, "waitid"):
        return
    with contextlib.suppress(ChildProcessError):
        # The command itself is left to `child.poll`, which would lose its status otherwise.
        while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
            if ended.si_pid == child.pid and child.returncode is None:
                child.poll()
            else:
                os.waitpid(ended.si_pid, os.WNOHANG)


def group_lives(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def end(child, grace_seconds):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while time.monotonic() < deadline:
        reap(child)
        if not group_lives(child.pid) and not descendants(os.getpid()):
            return
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    while left := descendants(os.getpid()):
        for process_id in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGKILL)
        reap(child)
        time.sleep(0.02)


def main():
    grace_seconds, command = float(sys.argv[1]), sys.argv[2:]
    adopt_orphans()
    wake_reader, wake_writer = os.pipe()
    for descriptor in (wake_reader, wake_writer):
        os.set_blocking(descriptor, False)
    signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)
    asked = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: asked.append(received))
    signal.signal(signal.SIGCHLD, lambda *_: None)

    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as problem:
        print(f"supervise.py: cannot start {command[0]}: {problem.strerror}", file=sys.stderr)
        return 127

    while child.poll() is None and not asked:
        ready, _, _ = select.select([0, wake_reader], [], [])
        if wake_reader in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(wake_reader, 4096)
        if 0 in ready and not os.read(0, 4096):
            break
    end(child, grace_seconds)
    status = child.wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
