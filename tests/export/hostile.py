# SPDX-License-Identifier: GPL-2.0-only
"""Clients that are slow, dead or malicious, while connections are counted."""
import contextlib
import socket
import threading

from world import PYTHON, get, must, total, until, until_ready

ADDRESS = ("127.0.0.1", 10198)
CONNECTIONS = 2000


def dial(stack, room=None):
    sock = stack.enter_context(socket.socket())
    sock.settimeout(60)
    if room:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    sock.connect(ADDRESS)
    return sock


def status_of(answer):
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0


def say(stack, text):
    """The status that one gets for it; 0 when the connection just ends."""
    sock = dial(stack)
    with contextlib.suppress(OSError):  # it may be ended before all is said
        sock.sendall(text)
    try:
        return status_of(sock.recv(65536))
    except OSError:
        return 0


def crowd(stack):
    """A thousand that say nothing or half of something, and among them some that take nothing."""
    for n in range(1000):
        takes_nothing = n % 50 == 0
        sock = dial(stack, 4096 if takes_nothing else None)
        with contextlib.suppress(OSError):
            if takes_nothing:
                sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
            elif n % 2:
                sock.sendall(b"GET /metrics HTT")


def hostile(world):
    url = "http://%s:%d" % ADDRESS
    child = world.export("--listen", "%s:%d" % ADDRESS)
    until_ready("%s:%d" % ADDRESS)
    world.act("serve", "7000")
    with contextlib.ExitStack() as stack:
        working = threading.Thread(target=world.act, args=("connect", "7000", str(CONNECTIONS)))
        working.start()
        many = b"".join(b"X-%d: y\r\n" % n for n in range(10000))
        for text, right, what in (
                (b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + many + b"\r\n", (431, 0), "10,000 headers"),
                (b"GET /" + b"a" * 60000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", (414, 0), "an endless address"),
                (b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", (413,), "a body"),
                (b"BREW /metrics HTTP/1.1\r\nHost: x\r\n\r\n", (405,), "another method"),
                (b"GET /etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", (404,), "another place"),
                (b"\x16\x03\x01\x00\xff" * 50 + b"\r\n\r\n", (400, 0), "what is not HTTP")):
            got = say(stack, text)
            must(got in right, f"{what}: {got}")
        for _ in range(3):
            crowd(stack)
            # For a second nobody may have taken his answer too slowly yet.
            until(lambda: get(f"{url}/healthz")[0] == 200, "others are answered beside a crowd")
        working.join()
        who = {"local_port": "7000", "process_executable_name": PYTHON}
        until(lambda: total(get(f"{url}/metrics")[2].decode(), "portsnoop_accepts_total", **who) == CONNECTIONS,
              f"{CONNECTIONS} accepts")
        text = get(f"{url}/metrics")[2].decode()
        must(total(text, "portsnoop_events_lost_total") == 0, "events were lost")
        must(total(text, "process_open_fds") < 500, "descriptors are not given back")
    must(world.end(child) == 0, "it did not end cleanly")
