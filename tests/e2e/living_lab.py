"""What the end-to-end tests share: a lab with an agent in it, and bounded waiting."""

import gzip
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import yaml

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
LAB = os.path.join(ROOT, "tests/lab/lab")
DANELAW = os.environ.get("DANELAW", os.path.join(ROOT, "build/release/danelaw"))

# Debian's library of the program `faketime`, which itself takes no file.
FAKETIME = f"/usr/lib/{platform.machine()}-linux-gnu/faketime/libfaketimeMT.so.1"
# What script/setup unpacked, for tests that start Prometheus and its tools themselves.
os.environ["PATH"] = f"{ROOT}/build/tools/lab/bin:{ROOT}/build/tools/monitoring/bin:{os.environ['PATH']}"

# Every alert is a group of its own, so that each notification tells of one.
ALERTMANAGER = """route: {receiver: sink, group_by: ['...'], group_wait: 1s, group_interval: 5s, repeat_interval: 1h}
receivers:
  - name: sink
    webhook_configs: [{url: "http://127.0.0.1:9099/alertmanager", send_resolved: true}]
"""


def until(what, seconds, condition):
    """Poll until condition() is true; fail with what it last was."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.2)


def on_machine(host_name):
    """What runs a command on a machine that is called so."""
    return ["unshare", "--uts", "sh", "-c", 'echo "$0" >/proc/sys/kernel/hostname && exec "$@"', host_name]


class LivingLab:
    """One running lab. Close it at the end: nothing remains."""

    def __init__(self, *options):
        self.dir = tempfile.mkdtemp(prefix="danelaw-e2e-")
        # As all ports of tests below those that the kernel gives to clients (32768 and more).
        self.port = 20000 + os.getpid() % 6000
        self.up = subprocess.Popen(
            [LAB, "up", "--dir", self.dir, *options, "--publish", f"{self.port}:9672"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for line in self.up.stdout:
            if line.startswith("lab ready"):
                break
        else:
            raise AssertionError("the lab did not start")
        with open(f"{self.dir}/expected.json") as file:
            self.expected = json.load(file)
        self.agent = None
        self.guests = []

    def close(self):
        if self.agent:
            self.stop_agent(signal.SIGKILL)
        for guest in self.guests:
            guest.terminate()
        self.up.send_signal(signal.SIGTERM)
        self.up.wait(30)
        self.up.stdout.close()
        for guest in self.guests:
            guest.wait(10)
        shutil.rmtree(self.dir, ignore_errors=True)

    def lab(self, *words):
        """One command of the lab's own."""
        done = subprocess.run([LAB, words[0], "--dir", self.dir, *words[1:]], text=True, capture_output=True)
        if done.returncode != 0:
            raise AssertionError(f"lab {' '.join(words)}: {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def facts(self):
        """What the lab says of itself: where its files lie, its process."""
        with open(f"{self.dir}/lab.json") as file:
            return json.load(file)

    def inside(self, *command, check=False):
        """A command inside the lab's namespaces."""
        return subprocess.run([LAB, "exec", "--dir", self.dir, *command], text=True, check=check, capture_output=True)

    def check(self, *domains, arguments=()):
        """`danelaw check` as JSON: domain -> object, and the exit status."""
        done = self.inside(
            DANELAW, "check", "--config", f"{self.dir}/danelaw.yaml", "--format", "json", *arguments, *domains
        )
        objects = [json.loads(line) for line in done.stdout.splitlines()]
        return {one["domain"]: one for one in objects}, done.returncode

    # --- whom the agent tells ---

    def start_inside(self, name, *command):
        """A program inside the lab that ends with it at the latest; it talks to DIR/NAME.log."""
        with open(f"{self.dir}/{name}.log", "a") as log:
            guest = subprocess.Popen(
                [LAB, "exec", "--dir", self.dir, *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.guests.append(guest)
        return guest

    def start_sink(self):
        """sink.py at 127.0.0.1:9099 in the lab; returns the file it writes."""
        self.start_inside("sink", sys.executable, os.path.join(ROOT, "tests/e2e/sink.py"), f"{self.dir}/sink")
        until("the sink answers", 20, lambda: self.answers("http://127.0.0.1:9099/"))
        return f"{self.dir}/sink"

    def start_alertmanager(self, config=ALERTMANAGER, port=9093):
        """Alertmanager at 127.0.0.1:PORT in the lab; by default its only receiver is the sink."""
        name = f"alertmanager-{port}"
        with open(f"{self.dir}/{name}.yml", "w") as file:
            file.write(config)
        self.start_inside(
            name,
            "prometheus-alertmanager",
            f"--config.file={self.dir}/{name}.yml",
            f"--storage.path={self.dir}/{name}",
            "--cluster.listen-address=",
            f"--web.listen-address=127.0.0.1:{port}",
        )
        until("Alertmanager is ready", 30, lambda: self.answers(f"http://127.0.0.1:{port}/-/ready"))

    def answers(self, url):
        """Whether a web server inside the lab answers with success."""
        code = f"import urllib.request; urllib.request.urlopen({url!r}, timeout=2)"
        return self.inside(sys.executable, "-c", code).returncode == 0

    # --- the agent ---

    def configure_agent(self, domains, **sections):
        """Have the agent watch only these domains; sections of its configuration are replaced by these."""
        path = f"{self.dir}/danelaw.yaml"
        with open(path) as file:
            config = yaml.safe_load(file)
        with open(path, "w") as file:
            yaml.safe_dump({**config, "domains": domains, **sections}, file)

    def start_agent(self, clock=None, clock_file=None, host_name=None):
        """Start the agent; with a clock that goes wrong by so much, as "+40d", if one is given; or by what a file
        says at any moment; or on a machine of that name."""
        wrong = ["env", "FAKETIME_DONT_FAKE_MONOTONIC=1", "faketime", "-f", clock] if clock else []
        if clock_file:
            wrong = [
                "env",
                "FAKETIME_DONT_FAKE_MONOTONIC=1",
                "FAKETIME_NO_CACHE=1",
                f"FAKETIME_TIMESTAMP_FILE={clock_file}",
                f"LD_PRELOAD={FAKETIME}",
            ]
        if host_name:
            wrong = on_machine(host_name)
        self.log = open(f"{self.dir}/agent.log", "a")
        self.agent = subprocess.Popen(
            [LAB, "exec", "--dir", self.dir, *wrong, DANELAW, "run", "--config", f"{self.dir}/danelaw.yaml"],
            stdout=self.log,
            stderr=self.log,
        )
        until("the agent is ready", 60, self.is_ready)

    def agent_pid(self):
        """The agent's own process: the youngest one that runs our program with this lab's file."""
        found = subprocess.run(
            ["pgrep", "-n", "-f", f"^{DANELAW} run --config {self.dir}/"], text=True, capture_output=True
        ).stdout.split()
        return int(found[0]) if found else None

    def stop_agent(self, number):
        """Send the signal to the agent; returns its exit status and the seconds it took."""
        began = time.monotonic()
        pid = self.agent_pid()
        if pid:
            os.kill(pid, number)
        code = self.agent.wait(30)
        self.agent = None
        self.log.close()
        return code, time.monotonic() - began

    def agent_log(self):
        with open(f"{self.dir}/agent.log") as file:
            return file.read()

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=2) as reply:
                return reply.status == 200
        except OSError:
            return False

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as reply:
            return json.load(reply)

    def text(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as reply:
            return reply.read().decode()

    def post_report(self, body, packed=False):
        """Hand in a report of a sender (RFC 8460): status and reply."""
        octets = json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1/tlsrpt",
            data=gzip.compress(octets) if packed else octets,
            headers={"Content-Type": f"application/tlsrpt+{'gzip' if packed else 'json'}"},
        )
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.status, json.load(reply)

    def domain(self, name):
        return self.get(f"/api/v1/domains/{name}")

    def host(self, name):
        """A host as followed; {} until it was looked at after a start."""
        try:
            return self.get(f"/api/v1/mx/{name}")
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return {}

    def alerts(self, state="firing", **wanted):
        """Alerts of that state whose members have the wanted values."""
        items = self.get(f"/api/v1/alerts?state={state}")["items"]
        return [a for a in items if all(a[k] == v for k, v in wanted.items())]

    def wait_for_all_verdicts(self):
        """Until the agent says of every domain what the lab expects."""
        wrong = {}

        def missing():
            items = self.get("/api/v1/domains?limit=500")["items"]
            seen = {item["domain"]: item["verdict"] for item in items}
            wrong.clear()
            wrong.update(
                {n: (seen.get(n), w["verdict"]) for n, w in self.expected.items() if seen.get(n) != w["verdict"]}
            )
            return not wrong

        try:
            until("every domain has its verdict", 60, missing)
        except AssertionError as error:
            raise AssertionError(f"{error}: seen, wanted: {wrong}") from None
