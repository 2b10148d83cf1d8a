#!/usr/bin/python3
"""The agent where memory, threads or stacks are limited, and under a service manager that wants to hear how it fares;
on loopback, without a lab."""

import contextlib
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from living_lab import DANELAW, until

PORT = 8000 + os.getpid() % 2000
CONFIG = """domains: [nothing.invalid]
dns: {resolvers: [127.0.0.1@1], timeout: 1s, every_server: false}
mta_sts: {enabled: false}
storage: {path: danelaw.db}
web: {port: %d}
"""
MIB = 1 << 20


def reply(text):
    with socket.create_connection(("127.0.0.1", PORT), timeout=10) as client:
        client.sendall(text.encode())
        said = b""
        with contextlib.suppress(ConnectionResetError):
            while part := client.recv(65536):
                said += part
        return said.decode()


def get(path):
    return reply(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")


def is_healthy():
    with contextlib.suppress(OSError):
        return get("/-/healthy").startswith("HTTP/1.1 200")


class Alone(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="danelaw-limits-")
        self.addCleanup(shutil.rmtree, self.dir)
        with open(f"{self.dir}/danelaw.yaml", "w") as file:
            file.write(CONFIG % PORT)

    def start(self, *limits, environment=(), user=None):
        def limit():
            for what, value in limits:
                resource.setrlimit(what, (value, value))

        with open(f"{self.dir}/log", "w") as log:
            agent = subprocess.Popen(
                [DANELAW, "run", "--config", f"{self.dir}/danelaw.yaml"],
                cwd=self.dir,
                stderr=log,
                preexec_fn=limit,
                env={**os.environ, **dict(environment)},
                user=user,
                group=user,
                extra_groups=[] if user else None,
            )

        def end():
            if agent.poll() is None:
                agent.kill()
            agent.wait()

        self.addCleanup(end)
        return agent

    def log(self):
        with open(f"{self.dir}/log") as log:
            return log.read()

    def stop(self, agent):
        agent.terminate()
        self.assertEqual(agent.wait(10), 0, self.log())


class Limits(Alone):
    def test_with_little_memory_it_works_or_says_in_one_line_why_not(self):
        works = []
        for mib in (16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048):
            with self.subTest(mib=mib):
                agent = self.start((resource.RLIMIT_AS, mib * MIB))
                until("it answers or has ended", 30, lambda: agent.poll() is not None or is_healthy())
                if agent.poll() is None:
                    works.append(mib)
                    for path in ("/", "/metrics", "/api/v1/status"):
                        self.assertIn(" ", get(path), path)  # any status; but an answer
                    self.assertTrue(is_healthy())
                    self.stop(agent)
                else:
                    # 127: it could not even be loaded; 1: its configuration could not be.
                    self.assertIn(agent.returncode, (1, 2, 127), self.log())
                    self.assertRegex(self.log(), r"memory|threads|cannot allocate|failed to map", self.log())
                    self.assertLessEqual(len(self.log().splitlines()), 3, self.log())
                self.assertNotIn("terminate called", self.log())
        self.assertIn(256, works, "which is plenty")

    def test_with_fewer_threads_than_wanted_it_says_so(self):
        # How much room the program takes itself differs from version to version.
        for mib in range(112, 512, 8):
            agent = self.start((resource.RLIMIT_AS, mib * MIB))
            until("it answers or has ended", 30, lambda agent=agent: agent.poll() is not None or is_healthy())
            few = re.search(r'event=few-threads started="(\d+)" wanted="48"', self.log())
            if agent.poll() is None and few and int(few[1]) > 5:
                break
            agent.kill()
            agent.wait()
        self.assertTrue(few, self.log())
        # A page that follows what happens holds a thread: it must not be the last one.
        with contextlib.ExitStack() as followers:
            for _ in range(4):
                client = followers.enter_context(socket.create_connection(("127.0.0.1", PORT), timeout=10))
                client.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertTrue(client.recv(12))
            self.assertTrue(is_healthy())
        self.stop(agent)

    def test_with_few_threads_allowed_it_works_or_says_in_one_line_why_not(self):
        # RLIMIT_NPROC counts the threads of a user, and root's are not counted: a user that nobody else is.
        nobody = 60000 + os.getpid() % 4000
        os.chown(self.dir, nobody, nobody)
        works = []
        for threads in (1, 2, 3, 5, 8, 12, 20, 40, 100):
            with self.subTest(threads=threads):
                agent = self.start((resource.RLIMIT_NPROC, threads), user=nobody)
                until("it answers or has ended", 30, lambda: agent.poll() is not None or is_healthy())
                if agent.poll() is None:
                    works.append(threads)
                    self.stop(agent)
                else:
                    self.assertEqual(agent.returncode, 2, self.log())
                    self.assertRegex(self.log(), "event=too-few-threads")
                self.assertNotIn("terminate called", self.log())
        self.assertIn(12, works)

    def test_no_request_needs_a_deep_stack(self):
        agent = self.start((resource.RLIMIT_STACK, MIB))
        until("it answers", 30, is_healthy)
        for method in ("GET", "POST", "DELETE"):
            said = reply(
                f"{method} /{'a' * 8100} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                "Content-Length: 0\r\n\r\n"
            )
            self.assertRegex(said, "^HTTP/1.1 4", method)
        self.assertTrue(is_healthy())
        self.stop(agent)


class ServiceManager(Alone):
    """What systemd hears with Type=notify and WatchdogSec."""

    def setUp(self):
        super().setUp()
        self.ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.ear.close)
        self.ear.bind(f"{self.dir}/notify")
        self.ear.settimeout(30)
        self.heard = []

    def hear(self, wanted):
        """The next message with this line in it; all that came before it is kept."""
        while True:
            message = self.ear.recv(4096).decode().splitlines()
            self.heard += message
            if any(line.startswith(wanted) for line in message):
                return message

    def test_it_hears_of_readiness_life_reload_and_end(self):
        agent = self.start(environment={"NOTIFY_SOCKET": f"{self.dir}/notify", "WATCHDOG_USEC": "300000"}.items())
        self.hear("READY=1")
        self.assertEqual(self.heard[0], "READY=1", "nothing before it is so")
        self.assertTrue(is_healthy())
        for _ in range(3):
            self.hear("WATCHDOG=1")
        agent.send_signal(signal.SIGHUP)
        self.hear("RELOADING=1")
        self.hear("READY=1")
        self.hear("WATCHDOG=1")
        agent.terminate()
        self.hear("STOPPING=1")
        self.assertEqual(agent.wait(10), 0)

    def test_who_is_not_started_is_not_ready(self):
        with open(f"{self.dir}/danelaw.yaml", "a") as file:
            file.write("no_such_key: 1\n")
        agent = self.start(environment={"NOTIFY_SOCKET": f"{self.dir}/notify"}.items())
        self.assertEqual(agent.wait(20), 1)
        self.ear.setblocking(False)
        with self.assertRaises(BlockingIOError):
            self.ear.recv(4096)


if __name__ == "__main__":
    unittest.main()
