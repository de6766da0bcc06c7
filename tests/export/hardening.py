# SPDX-License-Identifier: GPL-2.0-only
"""The unit, its capabilities, the rules, and how the service manager is spoken to."""
import os
import re
import signal
import socket

from prom import DEPLOY
from world import PORTSNOOP, PYTHON, ROOT, get, must, run, total, until, until_ready

UNIT = ROOT / "deploy/portsnoop-export.service"
ADDRESS = "127.0.0.1:10198"
EXPOSURE_MAX = 4.0
CONTAINER = "0123456789abcdef" * 4


def rules(world):
    run("promtool", "check", "config", DEPLOY / "scrape.yml")
    run("promtool", "check", "rules", DEPLOY / "portsnoop.rules.yml")
    run("promtool", "test", "rules", DEPLOY / "portsnoop.rules_test.yml")


def unit(world):
    """As `make install` leaves it: sound, and with little to reach."""
    run("make", "-s", "-C", ROOT, "install", f"DESTDIR={world.folder}/root", "PREFIX=/usr", f"OUT={os.path.relpath(PORTSNOOP.parent, ROOT)}")
    installed = world.folder / "root/usr/lib/systemd/system/portsnoop-export.service"
    text = installed.read_text()
    must("ExecStart=/usr/sbin/portsnoop export" in text, "the unit starts another program than was installed")
    must((world.folder / "root/etc/default/portsnoop-export").is_file(), "no environment file")
    # What it starts is not in this machine's own folders.
    installed.write_text(text.replace("/usr/sbin/portsnoop", str(world.folder / "root/usr/sbin/portsnoop")))
    _, said = run("systemd-analyze", "verify", "--man=no", installed)
    must(not said.strip(), f"systemd-analyze verify: {said}")
    _, said = run("systemd-analyze", "security", "--offline=yes", "--no-pager", installed)
    exposure = float(re.search(r"Overall exposure level.*: ([0-9.]+)", said)[1])
    must(exposure < EXPOSURE_MAX, f"exposure {exposure}, below {EXPOSURE_MAX} was promised")


def unit_capabilities():
    sets = re.findall(r"^(?:AmbientCapabilities|CapabilityBoundingSet)=(.*)$", UNIT.read_text(), re.M)
    must(len(sets) == 2 and sets[0] == sets[1], "the unit's two sets differ")
    return ",".join("+" + name[4:].lower() for name in sets[0].split())


def as_unit():
    """The words before a program that make it what the unit makes it: an ordinary user with these capabilities."""
    may = unit_capabilities()
    return ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", f"--inh-caps=-all,{may}",
            f"--ambient-caps=-all,{may}", f"--bounding-set=-all,{may}", "--no-new-privs")


def status_of_threads(pid):
    """[(effective capabilities, filtered)] of each thread."""
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="ascii", errors="replace") as file:
            text = file.read()
        found.append((int(re.search(r"^CapEff:\s*(\w+)", text, re.M)[1], 16),
                      re.search(r"^Seccomp:\s*(\d)", text, re.M)[1] == "2"))
    return found


def capabilities(world):
    """An ordinary user with the unit's set and nothing else sees what root sees, and keeps little of it."""
    other, inode, _ = world.namespace()
    world.act("serve", "5432", netns=other)
    child = world.export("--listen", ADDRESS, prefix=as_unit())
    until_ready(ADDRESS)
    world.act("serve", "5433", netns=other, cgroup=world.container(CONTAINER))
    world.act("connect", "5433", "100", netns=other)
    who = {"netns": str(inode), "process_executable_name": PYTHON}

    def seen():
        text = get(f"http://{ADDRESS}/metrics")[2].decode()
        return (total(text, "portsnoop_listeners", local_port="5432", **who) == 1
                and total(text, "portsnoop_listeners", local_port="5433", **who) == 1
                and total(text, "portsnoop_accepts_total", local_port="5433", container_id=CONTAINER, **who) == 100)

    until(seen, "listeners of another namespace, from before and after the start, their container and accepts")
    threads = status_of_threads(child.pid)
    must(all(filtered for _, filtered in threads), "a thread is not confined to its system calls")
    left = sorted(have for have, _ in threads)
    walking = 1 << 21 | 1 << 19 | 1 << 2 | 1 << 38 | 1 << 39  # SYS_ADMIN SYS_PTRACE DAC_READ_SEARCH PERFMON BPF
    names = 1 << 19 | 1 << 2 | 1 << 39
    must(len(left) == 3 and left[0] == 0, f"the thread that speaks HTTP has capabilities: {left}")
    must(left[1] & ~names == 0 and left[2] & ~walking == 0, f"more is kept than needed: {left}")
    must(world.end(child) == 0, "it did not end cleanly")


def manager(world):
    """READY, WATCHDOG, RELOADING and READY again, STOPPING; an address that is taken is no start."""
    path = str(world.folder / "notify")
    told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    told.bind(path)
    told.settimeout(90)
    lines = []

    def until_told(text):
        while not any(line.startswith(text) for line in lines):
            lines.append(told.recv(4096).decode())
        lines.clear()

    place = f"unix:{world.folder}/metrics.sock"
    child = world.export("--listen", ADDRESS, "--listen", place, env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "60000000"})
    until_told("READY=1")
    must(get(f"http://{ADDRESS}/readyz")[0] == 200, "READY was told before it is")
    until_told("WATCHDOG=1")
    child.send_signal(signal.SIGHUP)
    until_told("RELOADING=1\nMONOTONIC_USEC=")
    until_told("READY=1")
    code, said = run(PORTSNOOP, "export", check=False)
    must(code not in (0, 3) and "who 127.0.0.1:10198" in said, f"a second one on the address: {code}: {said}")
    code, said = run(PORTSNOOP, "export", "--listen", place, check=False)
    must(code not in (0, 3) and said.endswith("metrics.sock: Address already in use\n"), f"a second one there: {code}: {said}")
    must(world.end(child) == 0, "it did not end cleanly")
    until_told("STOPPING=1")
