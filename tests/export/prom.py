# SPDX-License-Identifier: GPL-2.0-only
"""A real Prometheus, and what it is asked."""
import json
import re
import urllib.parse

from world import ROOT, get, until

DEPLOY = ROOT / "deploy/prometheus"


class Prometheus:
    """Scrapes every second, and has the rules of deploy/ with nothing to wait for."""

    def __init__(self, world, targets, port=9090):
        self.url = f"http://127.0.0.1:{port}"
        folder = world.folder / "prometheus"
        folder.mkdir()
        rules = re.sub(r"for: \w+", "for: 0s", (DEPLOY / "portsnoop.rules.yml").read_text())
        (folder / "portsnoop.rules.yml").write_text(rules)
        config = (DEPLOY / "scrape.yml").read_text()
        config = re.sub(r"_interval: \w+", "_interval: 1s", config)
        config = config.replace('["localhost:10198"]', json.dumps(targets))
        (folder / "prometheus.yml").write_text(config)
        world.start("prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                    f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn", log="prometheus")
        until(lambda: get(f"{self.url}/-/ready")[0] == 200, "Prometheus is ready")

    def _ask(self, what):
        status, _, body = get(self.url + what)
        return json.loads(body)["data"] if status == 200 else None

    def query(self, text):
        """[(labels, value)], or None when the query is refused."""
        data = self._ask("/api/v1/query?" + urllib.parse.urlencode({"query": text}))
        return None if data is None else [(row["metric"], float(row["value"][1])) for row in data["result"]]

    def value(self, text):
        rows = self.query(text)
        return rows[0][1] if rows else 0.0

    def firing(self):
        """{alert: [labels]}"""
        found = {}
        for alert in (self._ask("/api/v1/alerts") or {"alerts": []})["alerts"]:
            if alert["state"] == "firing":
                found.setdefault(alert["labels"]["alertname"], []).append(alert["labels"])
        return found
