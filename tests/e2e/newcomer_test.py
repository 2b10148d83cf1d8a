#!/usr/bin/python3
"""script/run --with-monitoring: the files of dashboards/ as they are shipped, with all their patience."""

import unittest

import sink
from living_lab import ROOT, LivingLab, until

SCHEDULE = {"interval": "20s", "fastest": "2s", "confirm_after": "2s", "retry_after": "2s", "workers": 4}


class Newcomer(unittest.TestCase):
    def test_alerts_travel_to_the_receivers(self):
        lab = LivingLab()
        self.addCleanup(lab.close)
        lab.configure_agent(["healthy.test", "nostarttls.test"], schedule=SCHEDULE)
        lab.start_agent()
        lab.start_inside("monitoring", f"{ROOT}/script/monitoring", lab.dir)
        told = f"{lab.dir}/monitoring/told"
        # A scrape, `for: 1m`, and group_wait.
        until(
            "the receiver is told",
            300,
            lambda: [
                alert["labels"]
                for one in sink.received(told, "/pager")
                for alert in one["json"]["alerts"]
                if alert["labels"]["alertname"] == "DanelawStarttlsMissing"
            ],
        )
        names = {
            alert["labels"]["alertname"]
            for way in ("/pager", "/mail-team")
            for one in sink.received(told, way)
            for alert in one["json"]["alerts"]
        }
        self.assertEqual(names, {"DanelawStarttlsMissing"})


if __name__ == "__main__":
    unittest.main()
