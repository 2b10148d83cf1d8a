#!/usr/bin/python3
"""When nothing can be recorded: a full disk, a database that another process holds, a file that nobody may write,
a disk that is slow. People are told from memory, page, API and metrics say what the agent knows, and afterwards
history says what it does not know. One lab, one agent.
"""

import os
import signal
import subprocess
import unittest
import urllib.error
import urllib.request

import sink
from living_lab import DANELAW, LivingLab, until

SCHEDULE = {"interval": "10s", "fastest": "2s", "confirm_after": "2s", "retry_after": "2s", "workers": 8}
HOST = "mx.provider.test"


class OnADisk(unittest.TestCase):
    def setUp(self):
        self.lab = LivingLab()
        self.addCleanup(self.lab.close)
        self.sink = self.lab.start_sink()
        # A small disk of its own, inside the lab's namespaces.
        self.disk = f"{self.lab.dir}/disk"
        self.lab.inside("mkdir", "-p", self.disk, check=True)
        self.mount_disk()
        self.lab.configure_agent(
            ["shared-a.test", "healthy.test"],
            schedule=SCHEDULE,
            storage=self.place(),
            notify={"webhooks": [{"name": "chat", "url": "http://127.0.0.1:9099/chat"}]},
        )
        self.lab.start_agent()
        until("both domains were looked at", 60, lambda: self.counts()["ok"] == 2)

    def place(self):
        return {"path": f"{self.disk}/danelaw.db"}

    disk_size = "4m"

    def mount_disk(self):
        self.lab.inside("mount", "-t", "tmpfs", "-o", f"size={self.disk_size}", "tmpfs", self.disk, check=True)

    def counts(self):
        return self.lab.get("/api/v1/status")["counts"]

    def storage(self):
        return self.lab.get("/api/v1/status")["storage"]

    def ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.lab.port}/-/ready", timeout=5) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def faults(self, state="firing"):
        return [a for a in self.lab.alerts(state, code="monitor-fault") if a["subject"]["name"] == "storage"]

    def mismatches(self, state="firing"):
        return self.lab.alerts(state, code="tlsa-mismatch", subject={"kind": "host", "name": HOST})

    def heard(self, code):
        return [
            one["json"]
            for one in sink.received(self.sink, "/chat")
            if one["answer"] == "200" and one["json"]["alert"]["code"] == code
        ]

    def nothing_is_recorded(self, reason):
        until("it is not ready", 40, lambda: self.ready()[0] == 503)
        self.assertIn("nothing is recorded", self.ready()[1])
        until("it says why", 40, lambda: reason in (self.storage()["fault"] or ""))
        until("that is a fault", 40, self.faults)
        until(
            "people hear of it, from memory",
            40,
            lambda: [one for one in self.heard("monitor-fault") if one["event"] == "opened"],
        )
        with urllib.request.urlopen(f"http://127.0.0.1:{self.lab.port}/-/healthy", timeout=5) as reply:
            self.assertEqual(reply.status, 200, "it looks on")

    def it_is_recorded_again(self):
        until("it is ready", 60, lambda: self.ready()[0] == 200)
        until("the fault is over", 60, lambda: not self.faults())

    def trouble(self):
        """A host goes wrong; returns the alert, once page, API, metrics and people know of it."""
        self.lab.lab("prepare", HOST)
        self.lab.lab("swap", HOST)
        alert = until("the mismatch fires", 60, self.mismatches)[0]
        self.assertEqual(self.counts()["critical"], 1)
        self.assertEqual(self.lab.get("/api/v1/domains?status=critical")["total"], 1)
        self.assertEqual(self.lab.domain("shared-a.test")["verdict"], "deferred")
        self.assertIn('danelaw_domains{status="critical"} 1', self.lab.text("/metrics"))
        self.assertRegex(self.lab.text("/metrics"), r'danelaw_alert_firing\{code="tlsa-mismatch"[^}]*\} 1')
        until(
            "people are told",
            40,
            lambda: [one for one in self.heard("tlsa-mismatch") if one["alert"]["id"] == alert["id"]],
        )
        return alert

    def is_told_once(self, alert):
        """Whatever was tried again had the same id, and after a restart nothing is told anew."""
        notices = until(
            "it is recorded who was told",
            40,
            lambda: [one for one in self.lab.get(f"/api/v1/alerts/{alert['id']}")["notices"] if one["delivered_at"]],
        )
        self.assertEqual([one["event"] for one in notices], ["opened"])
        self.lab.stop_agent(signal.SIGKILL)
        self.lab.start_agent()
        self.assertEqual([a["id"] for a in self.mismatches()], [alert["id"]], "the same alert after a restart")
        until("a round later", 40, lambda: self.lab.get("/api/v1/status")["scheduler"]["rounds"] > 10)
        ids = {one["id"] for one in self.heard("tlsa-mismatch") if one["event"] == "opened"}
        self.assertEqual(len(ids), 1)

    def recover(self, alert):
        fits = self.lab.lab("tlsa", HOST).strip()
        self.lab.lab("set", f"_25._tcp.{HOST}", "TLSA", fits, "--flush")
        until("the host fits again", 150, lambda: not self.mismatches())


class NothingRecorded(OnADisk):
    def test_a_full_disk(self):
        self.lab.inside("dd", "if=/dev/zero", f"of={self.disk}/ballast", "bs=1k")  # until nothing fits
        # What is free in the log of SQLite itself is used up by what is looked at.
        alert = self.trouble()
        self.nothing_is_recorded("full")
        self.assertGreater(self.storage()["unrecorded_rounds"], 0)
        self.assertIn("danelaw_storage_up 0", self.lab.text("/metrics"))
        self.lab.inside("rm", f"{self.disk}/ballast", check=True)
        self.it_is_recorded_again()
        self.assertEqual(self.storage()["unrecorded_rounds"], 0)
        self.is_told_once(alert)

    def test_a_database_that_another_process_holds(self):
        hold = f"{self.lab.dir}/hold"
        open(hold, "w").close()
        self.lab.start_inside(
            "holder",
            "python3",
            "-c",
            "import os, sqlite3, time\n"
            f"db = sqlite3.connect({self.disk + '/danelaw.db'!r}, isolation_level=None)\n"
            "db.execute('BEGIN EXCLUSIVE')\n"
            f"while os.path.exists({hold!r}): time.sleep(0.1)",
        )
        alert = self.trouble()
        self.nothing_is_recorded("locked")
        os.remove(hold)
        self.it_is_recorded_again()
        self.assertEqual(self.storage()["lost_rounds"], 0)
        self.is_told_once(alert)


class OnAFailingDisk(OnADisk):
    """A filesystem of its own in a file, which can turn read-only under an open database, or stand still."""

    def mount_disk(self):
        self.image = f"{self.lab.dir}/disk.img"
        subprocess.run(["truncate", "--size=32M", self.image], check=True)
        subprocess.run(["/sbin/mkfs.ext4", "-q", self.image], check=True)
        done = self.lab.inside("mount", "-o", "loop,errors=remount-ro", self.image, self.disk)
        if done.returncode != 0:
            self.skipTest(f"no loop device: {done.stderr.strip()}")

    def test_a_filesystem_that_turned_read_only(self):
        self.lab.inside("mount", "-o", "remount,abort", self.disk, check=True)  # as after an error of the disk
        alert = self.trouble()
        self.nothing_is_recorded("disk I/O error")
        self.assertIn("danelaw_storage_up 0", self.lab.text("/metrics"))
        self.assertEqual([a["id"] for a in self.mismatches()], [alert["id"]])
        # It is a matter of repair: the agent ends, and does not start on such a disk without a word.
        self.lab.stop_agent(signal.SIGTERM)
        refused = self.lab.inside(DANELAW, "run", "--config", f"{self.lab.dir}/danelaw.yaml")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("ead-only file system", refused.stdout + refused.stderr)
        self.lab.inside("umount", self.disk, check=True)
        self.lab.inside("mount", "-o", "loop", self.image, self.disk, check=True)
        self.lab.start_agent()
        until("what holds is seen again", 60, self.mismatches)
        until("it is recorded", 60, lambda: self.ready()[0] == 200)

    def test_a_disk_that_stands_still(self):
        self.lab.inside("/sbin/fsfreeze", "--freeze", self.disk, check=True)
        self.addCleanup(self.lab.inside, "/sbin/fsfreeze", "--unfreeze", self.disk)
        alert = self.trouble()
        self.nothing_is_recorded("takes long")
        self.assertGreater(self.storage()["unrecorded_rounds"], 0)
        self.lab.inside("/sbin/fsfreeze", "--unfreeze", self.disk, check=True)
        self.it_is_recorded_again()
        self.assertEqual(self.storage()["lost_rounds"], 0)
        self.is_told_once(alert)


if __name__ == "__main__":
    unittest.main()
