#!/usr/bin/python3
"""A PostgreSQL of the test's own: on a socket in a folder of its own, by a user without rights, gone at the end.

tests/support/postgresql.py COMMAND [ARGUMENT...]
Runs the command with DANELAW_TEST_POSTGRESQL, a connection string; ends as it ends. Without a server to start it says
so and exits with 77.
"""
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SKIPPED = 77
ROOT = Path(__file__).resolve().parents[2]
PLACES = [
    Path("/usr/lib/postgresql/15/bin"),
    ROOT / "build/tools/test/root/usr/lib/postgresql/15/bin",  # where script/setup test unpacks it
]


def programs():
    """The folder of initdb and postgres, or nothing."""
    return next((place for place in PLACES if (place / "postgres").exists()), None)


class Postgresql:
    """Starts one; as a context it is gone at its end.

    standby_of: another, whose copy it is and follows. within: the words of a command that runs the server in
    namespaces of its own.
    """

    def __init__(self, standby_of=None, within=()):
        self.within = list(within)
        self.bin = programs()
        if self.bin is None:
            raise FileNotFoundError("no PostgreSQL 15 is there: script/setup test fetches it")
        # It refuses to run as root.
        self.user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self.dir = Path(tempfile.mkdtemp(prefix="danelaw-postgresql-"))
        if self.user:
            os.chown(self.dir, self.user.pw_uid, self.user.pw_gid)
        libraries = self.bin.parents[2] / "x86_64-linux-gnu"
        self.environment = dict(os.environ, LC_ALL="C.UTF-8")
        if self.bin != PLACES[0]:
            self.environment["LD_LIBRARY_PATH"] = str(libraries)
        self.process = None
        try:
            if standby_of:
                copy = ["-D", self.dir / "data", "-R", "-X", "stream", "-c", "fast", "--no-sync"]
                self._run("pg_basebackup", *copy, "-d", standby_of.connection)
            else:
                self._run("initdb", "-D", self.dir / "data", "-U", "danelaw", "-A", "trust", "-E", "UTF8", "--no-sync")
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def connection(self):
        return f"host={self.dir} user=danelaw dbname=postgres"

    def uri(self, database="postgres"):
        return f"postgresql://danelaw@/{database}?host={self.dir}"

    def _as_user(self):
        if not self.user:
            return {}
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}

    def _run(self, program, *arguments):
        done = subprocess.run(
            [self.bin / program, *map(str, arguments)],
            cwd="/",
            env=self.environment,
            capture_output=True,
            text=True,
            **self._as_user(),
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")

    def start(self):
        self.log = open(self.dir / "log", "ab")
        command = [self.bin / "postgres", "-D", self.dir / "data", "-k", self.dir, "-c", "listen_addresses="]
        command += ["-c", "fsync=off", "-c", "max_connections=200", "-c", "shared_buffers=32MB"]
        as_user = self._as_user()
        if self.within:  # which takes root
            become = ["setpriv", f"--reuid={self.user.pw_uid}", f"--regid={self.user.pw_gid}", "--clear-groups"]
            command = [*self.within, *become, *command]
            as_user = {}
        self.process = subprocess.Popen(
            command,
            cwd="/",
            env=self.environment,
            stdout=self.log,
            stderr=self.log,
            stdin=subprocess.DEVNULL,
            **as_user,
        )
        for _ in range(300):
            if self._answers():
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError("PostgreSQL does not start: " + (self.dir / "log").read_text())

    def _answers(self):
        return (
            subprocess.run(
                [self.bin / "pg_isready", "-q", "-h", self.dir], env=self.environment, capture_output=True
            ).returncode
            == 0
        )

    def stop(self, how="fast"):
        """ "fast": as an administrator does; "immediate": as a crash."""
        if self.process and self.process.poll() is None:
            self.process.send_signal({"fast": 2, "immediate": 3}[how])
            self.process.wait()
        self.log.close()

    def promote(self):
        """A standby becomes one that can be written."""
        self._run("pg_ctl", "promote", "-D", self.dir / "data", "-w")

    def query(self, sql, database="postgres"):
        """The rows as psql prints them without anything around."""
        done = subprocess.run(
            [self.bin / "psql", "-XAtq", "-h", self.dir, "-U", "danelaw", "-d", database, "-c", sql],
            env=self.environment,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout.splitlines()

    def close(self):
        if self.process:
            self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def main(command):
    if not command:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        server = Postgresql()
    except FileNotFoundError as missing:
        print(f"skipped: {missing}")
        return SKIPPED
    with server:
        return subprocess.run(command, env=dict(os.environ, DANELAW_TEST_POSTGRESQL=server.connection)).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
