#!/usr/bin/python3
"""The way back from a backup, as docs/backup.md has it: what the agent knew when it was made is there again, what came
later is not, and the database that was replaced lies beside it.
"""

import json
import os
import signal
import sqlite3
import subprocess
import tempfile
import unittest

from living_lab import DANELAW, until


class Agent(unittest.TestCase):
    """An agent that reaches nobody: people's silences are what it has to remember."""

    def setUp(self):
        self.dir = tempfile.TemporaryDirectory(prefix="danelaw-e2e-")
        self.addCleanup(self.dir.cleanup)
        self.port = 23000 + os.getpid() % 3000
        self.database = self.path("danelaw.db")
        self.config = self.path("danelaw.yaml")
        with open(self.config, "w") as file:
            file.write(
                f"domains: [a.test]\nstorage: {{path: {self.database}}}\n"
                f"dns: {{resolvers: [127.0.0.1@9]}}\nweb: {{port: {self.port}}}\n"
            )
        self.agent = None
        self.addCleanup(self.stop, signal.SIGKILL)

    def path(self, name):
        return os.path.join(self.dir.name, name)

    def start(self):
        with open(self.path("log"), "a") as log:
            self.agent = subprocess.Popen([DANELAW, "run", "--config", self.config], stdout=log, stderr=log)
        until("it answers", 30, lambda: self.run_it("alerts").returncode == 0)

    def stop(self, number=signal.SIGTERM):
        if self.agent:
            self.agent.send_signal(number)
            self.agent.wait(30)
            self.agent = None

    def run_it(self, *arguments):
        env = {"PATH": os.environ["PATH"], "DANELAW_URL": f"http://127.0.0.1:{self.port}"}
        return subprocess.run([DANELAW, *arguments], text=True, capture_output=True, env=env, timeout=60)

    def done(self, *arguments):
        out = self.run_it(*arguments)
        self.assertEqual(out.returncode, 0, out.stdout + out.stderr)
        return out.stdout

    def silence(self, comment):
        self.done("silence", "domain=a.test", "--for", "2h", "--comment", comment)

    def silences(self):
        listed = json.loads(self.done("silences", "--format", "json"))["items"]
        return {one["comment"] for one in listed}


class Restore(Agent):
    def test_the_way_back(self):
        backup = self.path("backup.db")
        self.start()
        self.silence("before")
        until("it is written", 30, lambda: self.silences() == {"before"})
        self.done("backup", "--config", self.config, backup)
        self.silence("after")
        until("that too", 30, lambda: self.silences() == {"before", "after"})

        # Not under an agent that runs: nothing is changed then.
        refused = self.run_it("restore", "--config", self.config, backup)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn(self.database, refused.stderr)
        self.assertEqual(self.silences(), {"before", "after"})

        # Nor from what is no backup, whole or not.
        self.stop()
        with open(backup, "rb") as file:
            octets = bytearray(file.read())
        middle = len(octets) // 2
        octets[middle : middle + 4096] = os.urandom(4096)
        with open(self.path("damaged.db"), "wb") as file:
            file.write(octets)
        with open(self.path("text.db"), "w") as file:
            file.write("no database\n")
        for wrong in ("damaged.db", "text.db", "missing.db"):
            refused = self.run_it("restore", "--config", self.config, self.path(wrong))
            self.assertNotEqual(refused.returncode, 0, wrong)
        self.assertFalse(os.path.exists(f"{self.database}.before-restore"))

        told = self.done("restore", "--config", self.config, backup)
        self.assertIn(f"{self.database}.before-restore", told)
        self.assertEqual(os.stat(self.database).st_mode & 0o777, 0o600)
        self.start()
        self.assertEqual(self.silences(), {"before"})
        # What was replaced is whole, and has what came later.
        with sqlite3.connect(f"{self.database}.before-restore") as kept:
            bodies = [body for (body,) in kept.execute("SELECT body FROM silence")]
        kept.close()
        self.assertTrue(any("after" in body for body in bodies), bodies)


if __name__ == "__main__":
    unittest.main()
