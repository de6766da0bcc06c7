# SPDX-License-Identifier: GPL-2.0-only
"""Two hosts (namespaces, each with a portsnoop that counts that one's programs and no others), one Prometheus: the questions
of docs/monitoring.md, alerts that fire, and a dashboard whose every panel has an answer."""
import json
import re
from pathlib import Path
from typing import NamedTuple

from prom import Prometheus
from world import ROOT, get, must, run, until, until_ready

DOCS = ROOT / "docs/monitoring.md"
DASHBOARD = ROOT / "deploy/grafana/portsnoop.json"
CONNECTIONS = 2000
REFUSED = 300
RANGE = "40000 40199"


def question(title):
    """The PromQL below a heading of the docs."""
    found = re.search(rf"^### {re.escape(title)}\n.*?^```promql\n(.*?)^```", DOCS.read_text(), re.M | re.S)
    must(found, f"docs/monitoring.md no longer answers: {title}")
    return found[1]


class Host(NamedTuple):
    pid: int  # of the namespace
    target: str  # where its portsnoop is
    python: Path  # its own program


def begin(world):
    hosts = []
    for name in ("a", "b"):
        pid, inode, address = world.namespace()
        python = world.python(f"program-{name}")
        world.export("--listen", f"{address}:10198", "netns", str(inode), "or", "comm", python.name, netns=pid, name=name)
        hosts.append(Host(pid, f"{address}:10198", python))
    for host in hosts:
        until_ready(host.target)
    return hosts


def check_metrics(target):
    _, headers, text = get(f"http://{target}/metrics")
    must("version=0.0.4" in headers["Content-Type"], "text is not what one gets")
    run("promtool", "check", "metrics", input=text.decode())
    _, headers, text = get(f"http://{target}/metrics", {"Accept": "application/openmetrics-text"})
    must("openmetrics" in headers["Content-Type"] and text.endswith(b"# EOF\n"), "no OpenMetrics")


def act(world, a, b):
    for host, *words in ((a, "serve", "5432"), (a, "connect", "5432", CONNECTIONS), (a, "fail_to_bind", "6000"),
                         (b, "fail_to_connect", "9", REFUSED), (b, "overflow", "6001"), (b, "serve", "80")):
        world.act(*words, netns=host.pid, python=host.python)
    run("nsenter", "-t", b.pid, "-n", "sysctl", "-qw", f"net.ipv4.ip_local_port_range={RANGE}")
    world.act("use_up", "6002", "150", netns=b.pid, python=b.python)


def instances(rows):
    return {labels["instance"] for labels, _ in rows or []}


def ask_questions(prometheus, a, b):
    must(until(lambda: instances(prometheus.query(question("Which hosts have anything on 5432?"))), "who has 5432")
         == {a.target}, "somebody else than a has 5432")
    failing = until(lambda: prometheus.query(question("Who fails to connect?")), "who fails to connect")
    must([(row["instance"], row["process_executable_name"], row["server_port"], row["error_type"]) for row, _ in failing]
         == [(b.target, b.python.name, "9", "ECONNREFUSED")], f"who fails to connect: {failing}")
    until(lambda: instances(prometheus.query(question("Where will ports run out?"))) == {b.target},
          "ports run out on b alone")


def until_counted(prometheus, a, b):
    for query, host, labels, count in (
            ("portsnoop_accepts_total", a, 'local_port="5432"', CONNECTIONS),
            ("portsnoop_connects_total", a, 'server_port="5432"', CONNECTIONS),
            ("portsnoop_connect_errors_total", b, 'server_port="9"', REFUSED),
            ("portsnoop_bind_errors_total", a, 'error_type="EADDRINUSE"', 1)):
        text = f'sum({query}{{instance="{host.target}",process_executable_name="{host.python.name}",{labels}}})'
        until(lambda: prometheus.value(text) == count, f"{text} is {count}")


def until_alerted(prometheus, a, b):
    for alert, host in (("PortsnoopBindFailures", a), ("PortsnoopAcceptQueueOverflow", b),
                        ("PortsnoopEphemeralExhaustionForecast", b), ("PortsnoopConnectFailures", b)):
        until(lambda: {labels["instance"] for labels in prometheus.firing().get(alert, [])} == {host.target},
              f"{alert} fires on {host.target} and nowhere else")


def ask_dashboard(prometheus):
    panels = [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row"]
    must(len(panels) > 15, "the dashboard has lost its panels")
    for panel in panels:
        for target in panel["targets"]:
            query = target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")
            until(lambda: prometheus.query(query), f"the panel \"{panel['title']}\" has data: {query}")


def fleet(world):
    a, b = begin(world)
    prometheus = Prometheus(world, [a.target, b.target])
    until(lambda: prometheus.value("sum(portsnoop_build_info)") == 2, "both are scraped")
    act(world, a, b)
    check_metrics(a.target)
    until_counted(prometheus, a, b)
    ask_questions(prometheus, a, b)
    until_alerted(prometheus, a, b)
    ask_dashboard(prometheus)
