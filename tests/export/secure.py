# SPDX-License-Identifier: GPL-2.0-only
"""The web config: TLS, certificates of clients, passwords, all of it read again, by a service that is not root though the
files are root's alone."""
import base64
import signal
import ssl
import urllib.request

from hardening import as_unit
from world import get, must, run, until

URL = "https://localhost:10199"


def make_certificates(folder):
    curve = ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    run("openssl", "req", "-x509", "-newkey", *curve, "-days", "2", "-subj", "/CN=ca", "-keyout", folder / "ca.key",
        "-out", folder / "ca.pem")
    for name in ("server", "server2", "client"):
        (folder / "leaf.ext").write_text("basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost\n")
        run("openssl", "req", "-newkey", *curve, "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key",
            "-out", folder / f"{name}.csr")
        run("openssl", "x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", folder / "leaf.ext", "-out", folder / f"{name}.pem")


def opener(folder, client=None, version=None):
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    if client:
        context.load_cert_chain(folder / f"{client}.pem", folder / f"{client}.key")
    if version:
        context.maximum_version = version
    return urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))


def basic(name, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def status(path, headers=None, using=None):
    return get(URL + path, headers, using)[0]


def shows_certificate(folder, name):
    said = run("openssl", "s_client", "-connect", "localhost:10199", "-CAfile", folder / "ca.pem", check=False, input="")[1]
    return f"CN = {name}\n" in said


def secure(world):
    folder = world.folder
    make_certificates(folder)
    hash_of = run("htpasswd", "-nbBC", "5", "x", "secret")[1].strip().split(":")[1]
    config = folder / "web.yml"
    config.write_text("tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n"
                      f"basic_auth_users:\n  alice: {hash_of}\n")
    for path in (config, *folder.glob("*.key")):
        path.chmod(0o600)
    child = world.export("--listen", "127.0.0.1:10199", "--web-config", config, prefix=as_unit())
    plain, right = opener(folder), basic("alice", "secret")
    until(lambda: status("/readyz", right, plain) == 200, "TLS with a password")
    must(status("/metrics", right, plain) == 200, "no metrics by TLS")
    must(status("/metrics", None, plain) == 401, "who says nothing is let in")
    must(status("/healthz", None, plain) == 401, "a place without a password")
    must(status("/metrics", basic("alice", "wrong"), plain) == 401, "a wrong password is let in")
    must(get("http://localhost:10199/metrics")[0] != 200, "there is plain text")
    until(lambda: status("/metrics", basic("alice", "guess"), plain) == 429, "guesses are limited")
    must(status("/metrics", right, plain) == 200, "who was let in before is kept out by guesses")

    # Another certificate, TLS 1.3 alone, clients must show theirs, no passwords.
    config.write_text("tls_server_config:\n  cert_file: server2.pem\n  key_file: server2.key\n  client_ca_file: ca.pem\n"
                      "  client_auth_type: RequireAndVerifyClientCert\n  min_version: TLS13\n")
    child.send_signal(signal.SIGHUP)
    shows = opener(folder, "client")
    until(lambda: status("/metrics", None, shows) == 200, "the second config")
    must(shows_certificate(folder, "server2"), "the old certificate is shown")
    must(status("/metrics", right, plain) == 403, "a client without a certificate is let in")
    must(status("/metrics", None, opener(folder, "client", ssl.TLSVersion.TLSv1_2)) == 0, "TLS 1.2 is spoken")

    # What cannot be used changes nothing, and is said.
    config.write_text("tls_server_config:\n  cert_file: server.pem\n  key_file: client.key\n")
    child.send_signal(signal.SIGHUP)
    log = folder / "export.log"
    until(lambda: "cannot be used together" in log.read_text(), "a key that does not fit is told of")
    config.write_text("rate_limit: {}\n")
    child.send_signal(signal.SIGHUP)
    until(lambda: "web.yml:1: rate_limit is not supported" in log.read_text(), "a key that is not supported is told of")
    must(status("/metrics", None, shows) == 200, "a bad config took the good one away")
    must(world.end(child) == 0, "it did not end cleanly")
