# SPDX-License-Identifier: GPL-2.0-only
"""--max-memory is reached, by series first and then by the tables: it is kept, and nothing is told wrongly meanwhile."""
import os
import re

from world import get, must, total, until, until_ready

ADDRESS = "127.0.0.1:10198"
MOST = 16 << 20
A_PROCESS = 3000  # listeners of one; nobody may have many more descriptors than that everywhere
FORMATS = ({}, {"Accept": "application/openmetrics-text"}, {"Accept-Encoding": "gzip"})


def allocated(child):
    with open(f"/proc/{child.pid}/status", encoding="ascii", errors="replace") as file:
        return int(re.search(r"^RssAnon:\s*(\d+) kB", file.read(), re.M)[1]) << 10


def scrape(child):
    """The text; in every format, as more memory is taken by all of them."""
    for headers in FORMATS:
        must(get(f"http://{ADDRESS}/metrics", headers)[0] == 200, "a scrape is answered")
    text = get(f"http://{ADDRESS}/metrics")[2].decode()
    have = allocated(child)
    must(have <= MOST, f"{have} bytes are allocated, of {MOST}")
    must(total(text, "portsnoop_memory_limit_bytes") == MOST, "the limit is told")
    return text


def listen(world, first, count):
    for begin in range(first, first + count, A_PROCESS):
        world.act("listen_many", begin, min(A_PROCESS, first + count - begin))


def listeners_are(child, count):
    """All of them are told, by themselves or under `other`."""
    def seen():
        text = scrape(child)
        return text if total(text, "portsnoop_listeners") == count else None

    return until(seen, f"{count} listeners")


def memory(world):
    inode = os.stat("/proc/self/ns/net").st_ino
    child = world.export("--listen", ADDRESS, "--max-memory", "16M", "netns", str(inode))
    until_ready(ADDRESS)
    log = world.folder / "export.log"

    listen(world, 0, 500)
    text = listeners_are(child, 501)  # with its own
    must(total(text, "portsnoop_series_dropped_total") == 0, "there was room for all of them")
    must(log.read_text() == "", f"it complains: {log.read_text()}")

    listen(world, 500, 5500)
    text = listeners_are(child, 6001)
    other = total(text, "portsnoop_listeners", local_port="other")
    must(0 < other < 5500, f"{other} listeners have found no room of their own")
    must(total(text, "portsnoop_series_dropped_total") > 0, "what is told as other is counted")
    must(total(text, "portsnoop_listeners", local_port="10000") == 1, "who had a place has kept it")
    must(total(text, "portsnoop_table_left_out_total", table="sockets") == 0, "the tables have room")

    listen(world, 6000, 9000)
    until(lambda: total(scrape(child), "portsnoop_table_left_out_total", table="sockets") > 0, "the tables are full")
    text = until(lambda: (text := scrape(child)) and total(text, "portsnoop_events_lost_total", stage="table") and text,
                 "what the tables could not take is told as lost")
    entries = total(text, "portsnoop_table_entries", table="sockets")
    must(entries == total(text, "portsnoop_table_capacity", table="sockets"), "the tables are full")
    must(6001 <= total(text, "portsnoop_listeners") <= entries, "more or fewer are told than the tables have")
    must(log.read_text().count("--max-memory") == 1, f"it is told once: {log.read_text()}")
    must(world.end(child) == 0, "it did not end cleanly")
