#!/usr/bin/python3
"""The digest, from the agent to a mailbox: at its hour, of what its owner is there for, once."""

import os
import signal
import subprocess
import sys
import unittest
from datetime import datetime, timedelta, timezone

import mail_sink
from living_lab import ROOT, LivingLab, until

PORT = 9465
SCHEDULE = {"interval": "20s", "fastest": "2s", "confirm_after": "2s", "retry_after": "2s", "workers": 8}
LEAD = timedelta(seconds=50)  # in which the agent judges everything


def hour_of(moment):
    """As `digest_at` says it, which ends at 23:59."""
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
    return f"{seconds if seconds < 86_340 else 0}s"


class Digest(unittest.TestCase):
    def setUp(self):
        self.lab = LivingLab()
        self.addCleanup(self.lab.close)
        self.folder, chain = f"{self.lab.dir}/mails", f"{self.lab.dir}/sink.pem"
        made = subprocess.run(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=sink "
            "-addext subjectAltName=IP:127.0.0.1 -keyout -".split(),
            capture_output=True,
            check=True,
        )
        with open(chain, "wb") as file:
            file.write(made.stdout)
        self.lab.start_inside(
            "mail-sink", sys.executable, f"{ROOT}/tests/e2e/mail_sink.py", self.folder, chain, str(PORT)
        )
        until("the mail server is there", 20, lambda: os.path.isdir(self.folder))
        entry = {
            "server": f"smtps://127.0.0.1:{PORT}",
            "from": "danelaw@example.test",
            "ca_file": chain,
            "digest": "daily",
            "digest_at": hour_of(datetime.now(timezone.utc) + LEAD),
            "tells_alerts": False,
        }
        mail = [
            {**entry, "name": "shop", "to": ["shop@example.test"], "matchers": ["group=shop"]},
            {**entry, "name": "office", "to": ["office@example.test"], "matchers": ["group=office"]},
        ]
        self.lab.configure_agent(
            [{"name": "mismatch.test", "group": "shop"}, {"name": "healthy.test", "group": "office"}],
            schedule=SCHEDULE,
            notify={"mail": mail},
        )
        self.lab.start_agent()

    def mails(self):
        return {mail["To"].addresses[0].username: mail for mail in mail_sink.received(self.folder)}

    def test_each_owner_is_told_of_what_is_theirs_once_a_day(self):
        until("the mismatch fires", 40, lambda: self.lab.alerts("firing", code="tlsa-mismatch"))
        self.assertEqual(self.mails(), {}, "nothing comes before its hour, nor does an alert")
        until("both came", 120, lambda: {"shop", "office"} <= set(self.mails()))

        shop = self.mails()["shop"]
        self.assertIn("1 alert", shop["Subject"])
        told = shop.get_body().get_content()
        self.assertIn("mx.mismatch.test", told)
        self.assertNotIn("healthy.test", told)
        self.assertIn("1 domain is watched", told)

        office = self.mails()["office"]
        self.assertIn("all is well", office["Subject"])
        self.assertNotIn("mismatch", self.mails()["office"].get_body().get_content())
        self.assertRegex(shop["Message-ID"], "@")
        self.assertNotEqual(shop["Message-ID"], office["Message-ID"])

        # Sent is remembered: a restart tells nothing again.
        self.lab.stop_agent(signal.SIGTERM)
        self.lab.start_agent()
        before = self.lab.domain("healthy.test")["observed_at"]
        until("it probed anew", 60, lambda: (self.lab.domain("healthy.test")["observed_at"] or "") > (before or ""))
        everybody = [mail["To"].addresses[0].username for mail in mail_sink.received(self.folder)]
        self.assertEqual(sorted(everybody), ["office", "shop"])


if __name__ == "__main__":
    unittest.main()
