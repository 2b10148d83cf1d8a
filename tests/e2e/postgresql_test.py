#!/usr/bin/python3
"""A history in PostgreSQL instead of a file: a server of the test's own, whose fate the agent outlives; and the way
there from a file, as docs/postgresql.md has it.
"""

import os
import sqlite3
import subprocess
import sys
import unittest

import restore_test
import storage_test
from living_lab import DANELAW, LAB, until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from postgresql import Postgresql  # noqa: E402


def server_for(test, **how):
    try:
        server = Postgresql(**how)
    except FileNotFoundError as missing:
        test.skipTest(str(missing))
    test.addCleanup(server.close)
    server.query("CREATE DATABASE danelaw")
    return server


class InPostgresql(storage_test.OnADisk):
    def mount_disk(self):
        self.server = server_for(self)

    def place(self):
        return {"postgresql": self.server.uri("danelaw")}


class TheServer(InPostgresql):
    """Nothing is recorded while it is gone; no target is blamed for that."""

    def test_that_is_gone_for_a_while(self):
        alert = self.trouble()
        open_before = {one["id"] for one in self.lab.alerts()}
        self.server.stop("immediate")
        self.nothing_is_recorded("PostgreSQL database danelaw")
        opened = [one for one in self.lab.alerts() if one["id"] not in open_before]
        self.assertEqual([(one["code"], one["subject"]["name"]) for one in opened], [("monitor-fault", "storage")])
        self.server.start()
        self.it_is_recorded_again()
        self.assertEqual(self.storage()["lost_rounds"], 0)
        self.is_told_once(alert)

    def test_that_is_restarted_between_two_looks(self):
        self.server.stop("fast")
        self.server.start()
        alert = self.trouble()
        until("it is ready", 60, lambda: self.ready()[0] == 200)
        self.is_told_once(alert)

    def test_has_one_agent(self):
        second = self.lab.inside(DANELAW, "run", "--config", f"{self.lab.dir}/danelaw.yaml")
        self.assertEqual(second.returncode, 2)
        self.assertIn("in use by another agent", second.stdout + second.stderr)


class Crowded(InPostgresql):
    """As docs/postgresql.md has it: by a role without rights but on its own database."""

    def mount_disk(self):
        self.server = server_for(self)
        self.server.query("CREATE ROLE watcher LOGIN")
        self.server.query("ALTER DATABASE danelaw OWNER TO watcher")

    def place(self):
        return {"postgresql": f"postgresql://watcher@/danelaw?host={self.server.dir}"}

    def test_that_takes_no_more_connections(self):
        alert = self.trouble()
        self.server.query("ALTER ROLE watcher CONNECTION LIMIT 0")
        self.server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'watcher'")
        self.nothing_is_recorded("too many connections")
        self.server.query("ALTER ROLE watcher CONNECTION LIMIT -1")
        self.it_is_recorded_again()
        self.assertEqual(self.storage()["lost_rounds"], 0)
        self.is_told_once(alert)


class OutOfDisk(InPostgresql):
    """Its tables lie on a small disk."""

    disk_size = "24m"  # an empty database takes 8

    def mount_disk(self):
        self.server = server_for(self, within=[LAB, "exec", "--dir", self.lab.dir])
        self.disk = f"{self.server.dir}/disk"  # where its user may go
        self.lab.inside("mkdir", self.disk, check=True)
        storage_test.OnADisk.mount_disk(self)
        self.lab.inside("install", "-d", "-o", "nobody", f"{self.disk}/tables", check=True)
        self.server.query(f"CREATE TABLESPACE small LOCATION '{self.disk}/tables'")
        self.server.query("ALTER DATABASE danelaw SET TABLESPACE small")

    def test_that_is_full(self):
        self.lab.inside("dd", "if=/dev/zero", f"of={self.disk}/ballast", "bs=1k")  # until nothing fits
        alert = self.trouble()
        self.nothing_is_recorded("No space left on device")
        self.assertGreater(self.storage()["unrecorded_rounds"], 0)
        self.lab.inside("rm", f"{self.disk}/ballast", check=True)
        self.it_is_recorded_again()
        self.assertEqual(self.storage()["unrecorded_rounds"], 0)
        self.is_told_once(alert)


class FailedOver(InPostgresql):
    """Two servers, one of which follows the other: while it does it can only be read."""

    def mount_disk(self):
        super().mount_disk()
        self.follower = Postgresql(standby_of=self.server)
        self.addCleanup(self.follower.close)

    def place(self):
        return {"postgresql": f"postgresql://danelaw@/danelaw?host={self.server.dir},{self.follower.dir}"}

    def test_to_one_that_can_be_written_later(self):
        alert = self.trouble()
        self.server.stop("fast")  # which waits until the follower has all of it
        self.nothing_is_recorded("read-only")
        self.follower.promote()
        self.it_is_recorded_again()
        self.assertEqual(self.storage()["lost_rounds"], 0)
        self.is_told_once(alert)


class TheWayThere(restore_test.Agent):
    def setUp(self):
        super().setUp()
        self.server = server_for(self)

    def rows(self):
        with sqlite3.connect(self.database) as file:
            tables = [name for (name,) in file.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            out = {
                name: file.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
                for name in tables
                if not name.startswith("sqlite_")
            }
        file.close()
        return out

    def test_from_a_file(self):
        uri = self.server.uri("danelaw")
        self.start()
        self.silence("before")
        until("it is written", 30, lambda: self.silences() == {"before"})

        # Not under an agent that runs.
        refused = self.run_it("migrate-storage", "--config", self.config, "--to", uri)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("in use by another agent", refused.stderr)
        self.stop()

        rows = self.rows()
        told = self.done("migrate-storage", "--config", self.config, "--to", uri)
        self.assertIn(f"{sum(rows.values())} rows are in PostgreSQL now", told)
        for table, count in rows.items():
            self.assertEqual(self.server.query(f"SELECT count(*) FROM {table}", "danelaw"), [str(count)], table)

        # A history that is there is not mixed with another.
        refused = self.run_it("migrate-storage", "--config", self.config, "--to", uri)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("it holds a history already", refused.stderr)

        with open(self.config) as file:
            text = file.read().replace(f"path: {self.database}", f"postgresql: '{uri}'")
        with open(self.config, "w") as file:
            file.write(text)
        self.start()
        self.assertEqual(self.silences(), {"before"})
        self.silence("after")  # under a number of its own
        until("that too", 30, lambda: self.silences() == {"before", "after"})
        refused = self.run_it("backup", "--config", self.config, self.path("copy.db"))
        self.assertEqual(refused.returncode, 2)
        self.assertIn("pg_dump", refused.stderr)
        self.stop()
        dump = subprocess.run(["pg_dump", "--dbname", uri], capture_output=True, text=True)
        self.assertEqual(dump.returncode, 0, dump.stderr)

    def test_not_from_what_is_no_history(self):
        uri = self.server.uri("danelaw")
        with open(self.path("text.db"), "w") as file:
            file.write("no database, but longer than a header would be, so that somebody might take it for one\n")
        for wrong in ("text.db", "missing.db"):
            refused = self.run_it("migrate-storage", "--from", self.path(wrong), "--to", uri)
            self.assertEqual(refused.returncode, 1)
            self.assertIn(wrong, refused.stderr)
        self.assertEqual(
            self.server.query("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", "danelaw"), ["0"]
        )
        refused = self.run_it("migrate-storage", "--from", self.path("text.db"), "--to", "geheim")
        self.assertEqual(refused.returncode, 1)
        self.assertNotIn("geheim", refused.stderr)


if __name__ == "__main__":
    unittest.main()
