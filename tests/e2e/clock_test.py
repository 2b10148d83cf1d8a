#!/usr/bin/python3
"""The clock is set while the agent runs: an hour back, forty days back, forward and back again. Everybody is looked
at on and on, and it is said. One lab, one agent.
"""

import signal
import time
import unittest
import urllib.request

from living_lab import LivingLab, until

SCHEDULE = {"interval": "10s", "fastest": "2s", "confirm_after": "2s", "retry_after": "2s", "workers": 4}
DAY = 86400


class SteppingClock(unittest.TestCase):
    def setUp(self):
        self.lab = LivingLab()
        self.addCleanup(self.lab.close)
        self.lab.configure_agent(["shared-a.test", "healthy.test"], schedule=SCHEDULE)
        self.offset = f"{self.lab.dir}/offset"
        self.set_clock(0)
        self.lab.start_agent(clock_file=self.offset)
        self.is_looked_at()

    def set_clock(self, seconds):
        """Have the agent's wall clock differ from the real one by so much, at once."""
        with open(self.offset, "w") as file:
            file.write(f"{seconds:+d}s\n")

    def status(self):
        return self.lab.get("/api/v1/status")

    def is_looked_at(self, rounds=12):
        """Both domains and their hosts, again and again."""
        before = self.status()["scheduler"]["rounds"]
        until("looks go on", 60, lambda: self.status()["scheduler"]["rounds"] >= before + rounds)
        until("both are well", 60, lambda: self.status()["counts"]["ok"] == 2)
        with urllib.request.urlopen(f"http://127.0.0.1:{self.lab.port}/-/healthy", timeout=5) as reply:
            self.assertEqual(reply.status, 200)
        self.assertEqual(self.status()["scheduler"]["lag_seconds"], 0)

    def observed_at(self):
        return [self.lab.domain(name)["observed_at"] for name in ("shared-a.test", "healthy.test")]

    def is_said(self, steps):
        until("the step is noticed", 30, lambda: f"danelaw_clock_steps_total {steps}" in self.lab.text("/metrics"))
        until(
            "and said",
            60,
            lambda: [a for a in self.lab.alerts(code="monitor-fault") if a["subject"]["name"] == "clock"],
        )
        self.assertIn("clock-stepped", self.lab.agent_log())

    def test_looks_go_on_whatever_the_clock_says(self):
        for step, (name, seconds) in enumerate((("an hour back", -3600), ("forward again", 0)), 1):
            with self.subTest(name):
                self.set_clock(seconds)
                self.is_said(step)
                self.is_looked_at()
                now = time.strftime("%Y-%m-%dT%H", time.gmtime(time.time() + seconds))
                self.assertTrue(all(at.startswith(now[:10]) for at in self.observed_at()), self.observed_at())
        with self.subTest("forty days back: signatures are not valid yet, and nobody is blamed"):
            self.set_clock(-40 * DAY)
            self.is_said(3)
            before = self.status()["scheduler"]["rounds"]
            until("looks go on", 60, lambda: self.status()["scheduler"]["rounds"] >= before + 12)
            until("targets are unknown", 60, lambda: self.status()["counts"]["unknown"] == 2)
            self.assertEqual([a["code"] for a in self.lab.alerts()], ["monitor-fault"])
            self.set_clock(0)
            self.is_said(4)
            self.is_looked_at()
        with self.subTest("history says so"):
            items = self.lab.get("/api/v1/domains/healthy.test/history")["items"]
            steps = [item["content"]["seconds"] for item in items if item["kind"] == "clock"]
            self.assertEqual(len(steps), 4)
            self.assertLess(abs(steps[-1] + 3600), 10)
        code, seconds = self.lab.stop_agent(signal.SIGTERM)
        self.assertEqual(code, 0)


if __name__ == "__main__":
    unittest.main()
