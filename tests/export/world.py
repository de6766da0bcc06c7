# SPDX-License-Identifier: GPL-2.0-only
"""Network namespaces, programs in them, and waiting for what must come."""
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PORTSNOOP = Path(os.environ.get("OUT") or ROOT / f"build/{os.uname().machine}-cc").resolve() / "portsnoop"
ACT = ROOT / "tests/export/act"
PYTHON = os.path.basename(os.path.realpath("/usr/bin/python3"))  # as portsnoop calls the actors
PATIENCE_SECONDS = 90  # of a busy machine


class Failure(Exception):
    pass


def must(condition, what):
    if not condition:
        raise Failure(what)


def until(condition, what, seconds=PATIENCE_SECONDS):
    """Waits for something that must come, and returns it."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {seconds} s")
        time.sleep(0.05)


def run(*words, check=True, **options):
    """(exit code, output and errors) of a program that ends by itself."""
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=PATIENCE_SECONDS, check=False, **options)
    if check and done.returncode:
        raise Failure(f"{' '.join(map(str, words))}: exit code {done.returncode}\n{done.stdout}")
    return done.returncode, done.stdout


def own_network():
    """Runs this program again in a network namespace of its own."""
    if os.environ.get("EXPORT_TEST_INSIDE"):
        run("ip", "link", "set", "lo", "up")
        return
    os.environ["EXPORT_TEST_INSIDE"] = "1"
    os.execvp("unshare", ["unshare", "-n", sys.executable, *sys.argv])


class World:
    """What was started here, and ends with it."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.children = []
        self.links = 0
        self.cgroups = []

    def start(self, *words, netns=None, env=None, log=None, **options):
        inside = ["nsenter", "-t", str(netns), "-n", "--"] if netns else []
        out = open(self.folder / f"{log}.log", "ab") if log else subprocess.PIPE
        child = subprocess.Popen(inside + [str(word) for word in words], stdin=subprocess.PIPE, stdout=out,
                                 stderr=subprocess.STDOUT if log else None, env={**os.environ, **(env or {})}, **options)
        self.children.append(child)
        return child

    def end(self, child, how=signal.SIGTERM):
        """Its exit code."""
        child.stdin.close()
        child.send_signal(how)
        code = child.wait(PATIENCE_SECONDS)
        self.children.remove(child)
        return code

    def end_all(self):
        for child in reversed(self.children):
            child.kill()
            child.wait()
        for path in reversed(self.cgroups):
            until(lambda: run("rmdir", path, check=False)[0] == 0, f"{path} is empty")
        if self.cgroups:
            run("umount", self.folder / "cgroup2")

    def namespace(self):
        """(pid of who keeps it, its inode, the address under which it is reached from here)."""
        keeper = self.start("unshare", "-n", "cat")
        own = os.readlink("/proc/self/ns/net")
        until(lambda: os.readlink(f"/proc/{keeper.pid}/ns/net") != own, "a network namespace")
        inode = int(re.search(r"\d+", os.readlink(f"/proc/{keeper.pid}/ns/net"))[0])
        self.links += 1
        here, there, net = f"v{self.links}a", f"v{self.links}b", f"10.77.{self.links}"
        run("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", keeper.pid)
        run("ip", "address", "add", f"{net}.1/24", "dev", here)
        run("ip", "link", "set", here, "up")
        for words in (f"address add {net}.2/24 dev {there}", f"link set {there} up", "link set lo up"):
            run("nsenter", "-t", keeper.pid, "-n", "ip", *words.split())
        return keeper.pid, inode, f"{net}.2"

    def container(self, ident):
        """The control group of a container; whoever is started with this as its first word is in it."""
        place = self.folder / "cgroup2"
        if not self.cgroups:
            place.mkdir()
            run("mount", "-t", "cgroup2", "none", place)
        path = place / f"docker-{ident}.scope"
        path.mkdir()
        self.cgroups.append(path)
        return path

    def python(self, name):
        """A program of another name that runs the actors."""
        path = self.folder / name
        shutil.copy(os.path.realpath("/usr/bin/python3"), path)
        return path

    def act(self, *words, netns=None, python="/usr/bin/python3", cgroup=None):
        """Begins or does it all; returns when it says so."""
        inside = ["sh", "-c", 'echo 0 >"$0/cgroup.procs" && exec "$@"', str(cgroup)] if cgroup else []
        child = self.start(*inside, python, ACT, *words, netns=netns)
        must(child.stdout.readline() == b"ok\n", f"act {words} did not succeed")
        return child

    def export(self, *words, netns=None, name="export", prefix=(), env=None):
        rundir = self.folder / name
        rundir.mkdir(exist_ok=True)
        os.chmod(rundir, 0o777)
        return self.start(*prefix, PORTSNOOP, "export", *words, netns=netns, log=name,
                          env={"PORTSNOOP_RUNDIR": str(rundir), **(env or {})})


def get(url, headers=None, opener=None):
    """(status, headers, body); status 0 when nobody answers."""
    request = urllib.request.Request(url, headers=headers or {})
    try:
        with (opener.open if opener else urllib.request.urlopen)(request, timeout=PATIENCE_SECONDS) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()
    except OSError:
        return 0, {}, b""


def until_ready(address):
    until(lambda: get(f"http://{address}/readyz")[0] == 200, f"portsnoop at {address} is ready")


SAMPLE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')


def samples(text):
    """{(name, ((label, value)...)): number} of a scrape without exotic label values."""
    found = {}
    for line in text.splitlines():
        match = SAMPLE.match(line)
        if match and not line.startswith("#"):
            labels = tuple(sorted(re.findall(r'(\w+)="([^"]*)"', match[2] or "")))
            found[match[1], labels] = float(match[3])
    return found


def total(text, name, **labels):
    """The sum of a family's series that have these labels."""
    return sum(value for (family, has), value in samples(text).items()
               if family == name and set(labels.items()) <= set(has))
