# SPDX-License-Identifier: GPL-2.0-only
"""Starting and stopping tracers, and what can be learnt of them from outside: CPU time, rows, memory."""
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

START_SECONDS = 20
QUIET_SECONDS = 0.12
QUIET_NS = 300_000  # of CPU time in that while: what a timer or two takes
# Numbers of epoll_wait, epoll_pwait, epoll_pwait2.
EPOLL = {"x86_64": ("232", "281", "441"), "aarch64": ("22", "441")}
# Peers look for tracefs only where it is usually mounted. They get it there, in a mount namespace of their own.
WITH_TRACEFS = [
    "unshare", "--mount", "sh", "-c",
    '[ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing || exit 1; exec "$@"', "sh",
]
# "lost 12 events on CPU #0", "Lost 12 events", and portsnoop's JSON.
LOST = re.compile(r'[Ll]ost (\d+) events|"event_name":"lost".*?"count":(\d+)')
ONE_LINER = r'tracepoint:sock:inet_sock_set_state { printf("%d %d %d\n", pid, args->sport, args->dport); }'


class CannotRun(Exception):
    """A tracer is not there or does not work here; the text says why."""


def task_times(pid):
    """(CPU time, time spent waiting for a CPU) of all threads of a process so far, ns."""
    run = wait = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            fields = (task / "schedstat").read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        run += int(fields[0])
        wait += int(fields[1])
    return run, wait


def holds_bpf_links(pid):
    try:
        targets = [os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return False
    return any("bpf_link" in target or "bpf-link" in target or "[perf_event]" in target for target in targets)


def others():
    """Names of the processes that hold BPF links already: their programs cost every run alike."""
    names = []
    for process in Path("/proc").glob("[0-9]*"):
        if holds_bpf_links(process.name):
            names.append((process / "comm").read_text().strip())
    return sorted(names)


def waits_for_events(pid):
    """Whether the main thread sleeps in epoll: attached, and nothing to do. "running" while it is runnable."""
    call = Path(f"/proc/{pid}/syscall").read_text().split()[0]
    return call in EPOLL.get(platform.machine(), ()) or (
        call != "running" and "epoll" in Path(f"/proc/{pid}/wchan").read_text()
    )


def wait_until_quiet(pid, seconds):
    """Until the process neither runs nor wants to. True when it came to rest in time."""
    deadline = time.monotonic() + seconds
    before = task_times(pid)
    while time.monotonic() < deadline:
        time.sleep(QUIET_SECONDS)
        now = task_times(pid)
        if sum(now) - sum(before) < QUIET_NS and waits_for_events(pid):
            return True
        before = now
    return False


class Tracer:
    """A program that traces: what to run, and how to read a row of it."""

    def __init__(self, name, argv, rows_per_connection=0, parse=None):
        self.name = name
        self.argv = argv
        self.rows_per_connection = rows_per_connection
        self.parse = parse

    def start(self, output=None):
        return Running(self, output)


class Running:
    """A tracer that is attached; as a context manager it is ended with SIGINT, as a person would."""

    def __init__(self, tracer, output):
        if not shutil.which(tracer.argv[0]):
            raise CannotRun("not installed")
        argv = tracer.argv if tracer.name.startswith("portsnoop") else WITH_TRACEFS + tracer.argv
        self.errors = tempfile.TemporaryFile(mode="w+")
        with open(output or os.devnull, "wb") as out:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=self.errors)
        self.pid = self.process.pid
        try:
            self.wait_until_attached()
        except CannotRun:
            self.end()
            raise

    def wait_until_attached(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise CannotRun(self.complaint() or f"ended at once, status {self.process.returncode}")
            # No CPU time is no sign: attaching is mostly waiting inside the kernel.
            if holds_bpf_links(self.pid) and waits_for_events(self.pid):
                wait_until_quiet(self.pid, START_SECONDS)
                return
            time.sleep(0.02)
        raise CannotRun(f"not attached after {START_SECONDS} s")

    def complaint(self):
        """The last thing it said on standard error."""
        self.errors.seek(0)
        lines = [line.strip() for line in self.errors if line.strip()]
        return lines[-1] if lines else ""

    def cpu_ns(self):
        return task_times(self.pid)[0]

    def drain(self):
        wait_until_quiet(self.pid, 10)

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
        self.errors.close()

    # --- memory ---------------------------------------------------------------------------------------

    def memory(self):
        """Bytes by name, of /proc/PID/status, and what of the resident pages is the mapped ring."""
        wanted = ("RssAnon", "RssFile", "RssShmem", "VmRSS", "VmHWM")
        fields = {}
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in wanted:
                fields[name] = int(value.split()[0]) * 1024
        fields["ring"] = self.mapped("bpf-map")
        return fields

    def mapped(self, what):
        resident, inside = 0, False
        for line in Path(f"/proc/{self.pid}/smaps").read_text().splitlines():
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                inside = what in line
            elif inside and line.startswith("Rss:"):
                resident += int(line.split()[1]) * 1024
        return resident


# --- rows: (process named or None, local port, remote port) or None when the line is none ---------------------


def parse_portsnoop(line):
    event = json.loads(line)
    if event["event_name"] not in ("connect", "accept", "close"):
        return None
    network = event["network"]
    pid = event.get("process", {}).get("pid")
    return pid, network.get("local", {}).get("port", 0), network.get("peer", {}).get("port", 0)


def parse_from_right(local, remote):
    """Columns counted from the right: names of commands may hold spaces."""

    def parse(line):
        fields = line.split()
        pid = fields[1] if fields and fields[0].startswith("ffff") else fields[0] if fields else ""
        if not pid.isdigit() or len(fields) < -local or not fields[local].isdigit():
            return None
        return int(pid), int(fields[local]), int(fields[remote])

    return parse


def all_tracers(tool):
    """Name to tracer, in the order of the table. State changes: ten a connection; lives: two."""
    tracers = [
        Tracer("portsnoop", [tool, "trace", "--quiet"]),
        Tracer("portsnoop --json", [tool, "trace", "--quiet", "--json"], 4, parse_portsnoop),
        Tracer("tcplife", ["tcplife"], 2, parse_from_right(-6, -4)),
        Tracer("tcpstates", ["tcpstates"], 10, parse_from_right(-7, -5)),
        Tracer("bpftrace", ["bpftrace", "-e", ONE_LINER], 10, parse_from_right(-2, -1)),
    ]
    return {tracer.name: tracer for tracer in tracers}


def count_rows(path, tracer, actors):
    """Rows of the connections on actors["port"], those that name another process, and losses it tells of."""
    counts = {"rows": 0, "other_process": 0, "no_process": 0, "reported_lost": 0}
    without_peer = 0
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            told = LOST.search(line) if "ost " in line or '"lost"' in line else None
            row = tracer.parse(line) if not told else None
            if told:
                counts["reported_lost"] += int(told.group(1) or told.group(2))
            elif row and actors["port"] in row[1:]:
                without_peer += not row[2]
                count_row(counts, row, actors)
    # The listener's own beginning and end; older kernels have no peer yet in other rows.
    counts["rows"] -= min(without_peer, 2)
    return counts


def count_row(counts, row, actors):
    pid, local, _ = row
    counts["rows"] += 1
    if pid is None:
        counts["no_process"] += 1
    elif pid != (actors["server"] if local == actors["port"] else actors["client"]):
        counts["other_process"] += 1
