#!/usr/bin/python3
"""The agent follows a mail log and is killed wherever it hurts, while the log goes on and is rotated: nothing is counted
twice, nothing is lost.
"""

import json
import os
import shutil
import signal
import sqlite3
import unittest
from datetime import datetime, timezone

from living_lab import LivingLab, until

PARTNER = "healthy.test"


class Following(unittest.TestCase):
    def setUp(self):
        self.lab = LivingLab()
        self.addCleanup(self.lab.close)
        self.log = f"{self.lab.dir}/mail.log"
        self.lab.configure_agent([PARTNER], postfix={"log": self.log})
        self.number = 0

    def write(self, *lines):
        with open(self.log, "a") as file:
            file.writelines(f"{datetime.now(timezone.utc):%FT%T}+00:00 out postfix/smtp[7]: {line}\n" for line in lines)

    def session(self):
        """Its one line about TLS."""
        self.write(f"Verified TLS connection established to mx.{PARTNER}[192.0.2.1]:25: TLSv1.3 with cipher X")

    def recipients(self, *names):
        """Of one message, in that session."""
        self.number += 1
        self.write(
            *(
                f"4jcKpc4yXSz{self.number}: to=<{name}@{PARTNER}>, relay=mx.{PARTNER}[192.0.2.1]:25, delay=1, "
                "dsn=2.0.0, status=sent (250 ok)"
                for name in names
            )
        )

    def sum_up(self):
        found = self.lab.get(f"/api/v1/domains/{PARTNER}/deliveries")
        sent = {}
        for day in found.get("days", []):
            for level, count in day["sent"].items():
                sent[level] = sent.get(level, 0) + count
        return found["messages_a_month"], sent

    def read(self, messages, recipients):
        want = (messages, {"verified": recipients})
        until(f"{want} is counted", 30, lambda: self.sum_up()[0] >= messages)
        self.assertEqual(self.sum_up(), want)

    def is_saved(self):
        """How far the log is read, as it is kept."""
        with sqlite3.connect(f"file:{self.lab.dir}/danelaw.db?mode=ro", uri=True) as db:
            rows = db.execute("SELECT value FROM own_delivery_state WHERE key = 'position'").fetchall()
        # Of each log its name and where it stands, the one that is followed first.
        return rows != [] and json.loads(json.loads(rows[0][0])[0][1])["offset"] == os.path.getsize(self.log)

    def kill(self):
        self.lab.stop_agent(signal.SIGKILL)

    def test_killed_anywhere(self):
        self.session()
        self.recipients("a", "b")
        self.session()  # the delivery is to come
        self.lab.start_agent()
        self.read(1, 2)
        until("that is kept", 30, self.is_saved)
        self.kill()

        # Between a session and its delivery, and the file is renamed.
        self.recipients("c")
        os.rename(self.log, f"{self.log}.1")
        self.session()
        self.recipients("d", "e")
        self.lab.start_agent()
        self.read(3, 5)

        # Most of that is not kept yet.
        self.kill()
        self.lab.start_agent()
        self.read(3, 5)
        until("that is kept", 30, self.is_saved)

        # The file is copied away, and cut to nothing.
        self.session()
        self.recipients("f")
        self.read(4, 6)
        self.kill()
        self.session()
        self.recipients("g")
        shutil.copyfile(self.log, f"{self.log}.1")
        os.truncate(self.log, 0)
        self.session()
        self.recipients("h")
        self.lab.start_agent()
        self.read(6, 8)

        # Under the agent's eyes, with a recipient of a message on either side of a kill.
        self.session()
        self.recipients("i")
        self.read(7, 9)
        until("that is kept", 30, self.is_saved)
        self.kill()
        self.number -= 1
        self.recipients("j")
        self.lab.start_agent()
        until("both have it", 30, lambda: self.sum_up()[1] == {"verified": 10})
        self.assertEqual(self.sum_up()[0], 7)


if __name__ == "__main__":
    unittest.main()
