# SPDX-License-Identifier: GPL-2.0-only
"""The table for people and the one JSON line for programs."""
import json
from statistics import median


def middle(values):
    return median(values) if values else None


def spread(values):
    """Half of the distance between the quartiles: how far a round is usually from the median."""
    ordered = sorted(values)
    return (ordered[len(ordered) * 3 // 4] - ordered[len(ordered) // 4]) / 2


class Report:
    """Collects figures under dotted names and prints them as they come."""

    def __init__(self):
        self.figures = {}
        self.goals = {}

    def keep(self, name, value):
        *path, last = name.split(".")
        place = self.figures
        for key in path:
            place = place.setdefault(key, {})
        place[last] = round(value, 3) if isinstance(value, float) else value

    def title(self, text):
        print(f"\n{text}\n{'-' * len(text)}", flush=True)

    def text(self, text):
        print(text, flush=True)

    def figure(self, name, label, value, unit, note=""):
        """A figure without a goal."""
        self.keep(name, value)
        self.line(label, value, unit, "", "", note)

    def goal(self, name, label, value, unit, most, note=""):
        """A figure that should not be above `most`. Missing it is told, not punished: times are no tests."""
        verdict = "met" if value <= most else "missed"
        self.keep(name, value)
        self.goals[name] = {"value": round(value, 3), "at_most": round(most, 3), "verdict": verdict}
        limit = f"{most:,.0f}" if most >= 1000 else f"{most:.3g}"
        self.line(label, value, unit, f"<= {limit}", verdict, note)

    def line(self, label, value, unit, goal, verdict, note):
        shown = f"{value:.2f}" if isinstance(value, float) and abs(value) < 100 else f"{value:,.0f}"
        print(f"{label:<46}{shown:>12} {unit:<14}{goal:<10}{verdict:<7}{note}".rstrip(), flush=True)

    def finish(self):
        met = sum(goal["verdict"] == "met" for goal in self.goals.values())
        self.title(f"{met} of {len(self.goals)} goals met")
        print(json.dumps({**self.figures, "goals": self.goals}, separators=(",", ":")))
