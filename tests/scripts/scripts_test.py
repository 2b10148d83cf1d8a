#!/usr/bin/python3
"""The scripts' manners: help is help, and setup leaves the machine what it was."""

import glob
import os
import re
import subprocess
import tempfile
import unittest

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
SCRIPTS = sorted(os.path.basename(path) for path in glob.glob(f"{ROOT}/script/*") if not path.endswith("/common"))


def run(*command, **more):
    return subprocess.run(command, text=True, capture_output=True, timeout=120, **more)


class Help(unittest.TestCase):
    def test_it_is_printed_and_nothing_is_done(self):
        """PATH has what printing needs, and nothing that could install, build or run."""
        with tempfile.TemporaryDirectory() as folder:
            for name in ("bash", "sed", "dirname", "readlink", "env"):
                os.symlink(f"/usr/bin/{name}", f"{folder}/{name}")
            for script in SCRIPTS:
                for word in ("--help", "-h"):
                    with self.subTest(f"{script} {word}"):
                        done = run(f"{ROOT}/script/{script}", word, env={"PATH": folder}, cwd="/")
                        self.assertEqual((done.returncode, done.stderr), (0, ""))
                        with open(f"{ROOT}/script/{script}") as file:
                            first = file.read().splitlines()[1].removeprefix("# ")
                        self.assertTrue(done.stdout.startswith(first), done.stdout)
                        self.assertNotIn("set -euo", done.stdout)

    def test_an_unknown_word_runs_nothing_either(self):
        for script in SCRIPTS:
            with self.subTest(script):
                done = run(f"{ROOT}/script/{script}", "--frobnicate")
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertIn(
                    "script/" + script if script in ("build", "run", "setup", "monitoring") else script,
                    done.stdout + done.stderr,
                )


def packages(name):
    """One of the lists of script/setup."""
    with open(f"{ROOT}/script/setup") as file:
        return re.search(rf"^{name}=\(([^)]*)\)", file.read(), re.M).group(1).split()


class Setup(unittest.TestCase):
    """What apt would do, which it says without doing it."""

    @classmethod
    def setUpClass(cls):
        if not run("apt-cache", "show", "exim4-daemon-light").stdout:
            raise AssertionError("apt has no package lists: apt-get update")
        cls.installed = packages("build") + ["nodejs"] + packages("lab") + packages("test")

    def bare_root(self, *names):
        """dpkg's status of a machine with only these packages, as the archive has them."""
        file = tempfile.NamedTemporaryFile("w", suffix="-status")
        self.addCleanup(file.close)
        for name in names:
            fields = run("apt-cache", "show", "--no-all-versions", name).stdout.split("\n\n")[0].splitlines()
            kept = [
                line
                for line in fields
                if re.match(r"(Package|Version|Architecture|Conflicts|Provides|Replaces): ", line)
            ]
            file.write("\n".join(["Status: install ok installed", *kept]) + "\n\n")
        file.flush()
        return f"Dir::State::status={file.name}"

    def would(self, status, *words):
        done = run("apt-get", "-s", "-o", status, "--no-install-recommends", "install", *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return {
            verb: [line.split()[1] for line in done.stdout.splitlines() if line.startswith(verb + " ")]
            for verb in ("Inst", "Remv")
        }

    def test_mail_servers_stay(self):
        for server in ("exim4-daemon-light", "sendmail-bin", "postfix"):
            with self.subTest(server):
                status = self.bare_root(server)
                if server != "postfix":
                    self.assertEqual(self.would(status, "postfix")["Remv"], [server], "what is to be kept from")
                self.assertEqual(self.would(status, *self.installed)["Remv"], [])

    def test_no_service_is_installed(self):
        """Those that come as dependencies included; the lab's are unpacked."""
        groups = ("lab", "monitoring", "recipe", "mailbox")
        servers = {one for group in groups for one in packages(f"{group}_servers")}
        would = self.would(self.bare_root(), *self.installed)["Inst"]
        self.assertGreater(len(would), 100)
        self.assertEqual(servers & set(would), set())
        shown = run("apt-cache", "show", "--no-all-versions", *would).stdout.split("\n\n")
        starting = [text.splitlines()[0] for text in shown if "init-system-helpers (>=" in text]
        # The last have none of their own on a server: a message bus (of Chromium's), sysctl at boot, GnuPG's helpers.
        self.assertLessEqual(
            {one.split()[1] for one in starting},
            {"dbus", "procps", "gpg-agent", "dirmngr"},
            "what starts something depends on init-system-helpers",
        )

    def test_a_build_needs_few_packages(self):
        would = self.would(self.bare_root(), *packages("build"), "nodejs")["Inst"]
        self.assertNotIn("npm", would)
        # 408 of what was installed to build came with Debian's npm.
        self.assertLess(len(would), 250, "of a machine that has no package at all")


if __name__ == "__main__":
    unittest.main()
