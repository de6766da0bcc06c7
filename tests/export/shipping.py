# SPDX-License-Identifier: GPL-2.0-only
"""Events out: `trace --json` by way of rsyslog, as docs/monitoring.md has it; nothing is lost or altered on the way."""
import json
import re
import subprocess

from world import PORTSNOOP, ROOT, must, until

DOCS = ROOT / "docs/monitoring.md"
CONNECTIONS = 200


def config_of_docs(source, target):
    """The piece of configuration that people copy, with our files in it."""
    text = re.search(r"^```rsyslog\n(.*?)^```", DOCS.read_text(), re.M | re.S)[1]
    must("/var/log/portsnoop/events.json" in text, "the docs' own file has another name")
    text = text.replace("/var/log/portsnoop/events.json", str(source))
    return re.sub(r'action\(type="omfwd"[^)]*\)', f'action(type="omfile" file="{target}" template="portsnoop")', text)


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def events_out(world):
    events, shipped, config = (world.folder / name for name in ("events.json", "shipped.json", "rsyslog.conf"))
    config.write_text(f'global(workDirectory="{world.folder}")\n' + config_of_docs(events, shipped))
    world.start("rsyslogd", "-n", "-f", config, "-i", world.folder / "rsyslog.pid", log="rsyslog")
    with open(events, "ab") as out:
        trace = subprocess.Popen([PORTSNOOP, "trace", "--json", "port", "7001"], stdin=subprocess.PIPE, stdout=out,
                                 env={"PORTSNOOP_RUNDIR": str(world.folder)})
    world.children.append(trace)
    until(lambda: lines(events), "trace is ready")
    world.act("serve", "7001")
    world.act("connect", "7001", str(CONNECTIONS))
    until(lambda: sum('"event_name":"accept"' in line for line in lines(events)) == CONNECTIONS, "all accepts in the file")
    must(world.end(trace) == 0, "trace did not end cleanly")
    until(lambda: len(lines(shipped)) >= len(lines(events)), "as many lines shipped")
    must(lines(shipped) == lines(events), "what was shipped differs from what was told")
    must(all(json.loads(line)["event_name"] for line in lines(shipped)), "a line is no event")
