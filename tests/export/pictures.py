# SPDX-License-Identifier: GPL-2.0-only
"""Not a test: two hosts on which enough happens for pictures of the dashboard (docs/dashboard), which are then plotted from
what Prometheus answers."""
import time

from fleet import Host
from prom import Prometheus
from world import ROOT, run, until, until_ready

FOLDER = ROOT / "docs/dashboard"
WARM_UP_SECONDS = 20  # until rates are what they are called
SECONDS = 80


def host(world, name, server, client):
    """A namespace whose portsnoop counts its two programs and no others."""
    pid, inode, address = world.namespace()
    programs = world.python(server), world.python(client)
    world.export("--listen", f"{address}:10198", "netns", str(inode), "or", "comm", server, "or", "comm", client, netns=pid,
                 name=name)
    return Host(pid, f"{address}:10198", programs)


def pictures(world):
    hosts = [host(world, "a", "frontend", "checkout"), host(world, "b", "ledger", "worker")]
    for one in hosts:
        until_ready(one.target)
    prometheus = Prometheus(world, [one.target for one in hosts])
    until(lambda: prometheus.value("sum(portsnoop_build_info)") == 2, "both are scraped")
    for one, port, dead in ((hosts[0], "443", "9000"), (hosts[1], "5432", "6379")):
        run("nsenter", "-t", one.pid, "-n", "sysctl", "-qw", "net.ipv4.ip_local_port_range=32768 60999")
        world.act("answer", port, netns=one.pid, python=one.python[0])
        world.act("traffic", port, dead, netns=one.pid, python=one.python[1])
    world.act("overflow", "8443", netns=hosts[0].pid, python=hosts[0].python[0])
    time.sleep(WARM_UP_SECONDS)
    begin = time.time()
    time.sleep(SECONDS)  # it is about what happens meanwhile
    FOLDER.mkdir(exist_ok=True)
    run(ROOT / "scripts/plot-dashboard", prometheus.url, begin, time.time(), FOLDER)
