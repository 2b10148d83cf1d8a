#!/usr/bin/python3
"""What daemons.py does at the moments that a quiet machine seldom shows."""

import builtins
import os
import signal
import subprocess
import tempfile
import unittest
from unittest import mock

import daemons


class ServerThatEndsMeanwhile(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.run = folder.name
        self.server = subprocess.Popen(["sleep", "1000"])
        self.addCleanup(self.end)
        with open(f"{self.run}/ns2.pid", "w") as file:
            file.write(f"{self.server.pid}\n")

    def end(self, kill=os.kill):
        if self.server.poll() is None:
            kill(self.server.pid, signal.SIGKILL)
            self.server.wait()

    def test_is_gone_when_it_ends_between_opening_and_reading_its_state(self):
        def open_and_end(path, *rest, **more):
            file = open_file(path, *rest, **more)
            if str(path).startswith("/proc/"):
                self.end()
            return file

        open_file = open
        with mock.patch.object(builtins, "open", open_and_end):
            self.assertFalse(daemons.alive(self.run, "ns2"))

    def test_is_stopped_when_it_ends_before_it_is_killed(self):
        def end_and_kill(pid, number):
            self.end()
            kill(pid, number)

        kill = os.kill
        with mock.patch.object(os, "kill", end_and_kill):
            daemons.stop(self.run, "ns2")
        self.assertFalse(daemons.alive(self.run, "ns2"))


if __name__ == "__main__":
    unittest.main()
