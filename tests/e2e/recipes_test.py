#!/usr/bin/python3
"""The recipes of docs/monitoring.md, taken out of it and tried with what they are for: Icinga 2, Zabbix (agent, server
and its database), and Checkmk's protocol of local checks, whose agent Debian 12 does not have.
"""

import base64
import gzip
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import unittest
import urllib.parse
import urllib.request
from contextlib import contextmanager

from living_lab import DANELAW, ROOT, LivingLab, until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from postgresql import Postgresql  # noqa: E402

SOUND = "healthy.test"
BROKEN = "mismatch.test"  # no record fits its key
OTHER = "other.test"  # nobody watches it
# What script/setup unpacked, whose parts look for each other where Debian has them.
UNPACKED = f"{ROOT}/build/tools/recipe/root/usr"
FOLDERS = ("bin", "sbin", "lib", "share")
METRICS = ["domains", "ok", "warning", "critical", "unknown", "held_up", "unprotected", "alerts", "oldest"]

ICINGA = """
const NodeName = "lab"
const PluginDir = "/usr/lib/nagios/plugins"
include <itl>
include <plugins>
object CheckerComponent "checker" {}
object Endpoint NodeName {}
object Zone NodeName { endpoints = [ NodeName ] }
object ApiListener "api" { bind_host = "127.0.0.1" }
object ApiUser "test" { password = "secret", permissions = [ "*" ] }
object Host "astray" {
  check_command = "dummy"
  vars.mail_domains = [ "SOUND" ]
  vars.danelaw_url = "http://127.0.0.1:9"
}
"""
ICINGA_FOLDERS = ("DataDir", "LogDir", "CacheDir", "SpoolDir", "InitRunDir")

ZABBIX_AGENT = """
Server=127.0.0.1
ListenIP=127.0.0.1
Hostname=mail
LogType=console
AllowRoot=1
"""
ZABBIX_SERVER = """
DBName=zabbix
DBUser=danelaw
ListenIP=127.0.0.1
LogType=console
AllowRoot=1
CacheUpdateFrequency=1
FpingLocation=/bin/true
"""
# What the server wants to find in its database, and a host with the item that all others depend on.
ZABBIX_ROWS = """
INSERT INTO role (roleid, name, type) VALUES (3, 'Super admin role', 3);
INSERT INTO users (userid, username, roleid) VALUES (1, 'Admin', 3);
INSERT INTO usrgrp (usrgrpid, name) VALUES (7, 'Administrators');
INSERT INTO hstgrp (groupid, name) VALUES (5, 'Discovered hosts');
INSERT INTO config (configid, alert_usrgrpid, discovery_groupid) VALUES (1, 7, 5);
INSERT INTO hosts (hostid, host, name) VALUES (1, 'mail', 'mail');
INSERT INTO hosts_groups (hostgroupid, hostid, groupid) VALUES (1, 1, 5);
INSERT INTO interface (interfaceid, hostid, main) VALUES (1, 1, 1);
INSERT INTO items (itemid, hostid, type, name, key_, delay, value_type, interfaceid)
  VALUES (1, 1, 0, 'status', 'danelaw.status', '1s', 4, 1);
INSERT INTO item_rtdata (itemid) VALUES (1);
INSERT INTO ids VALUES ('items', 'itemid', 100);
"""
ON_FAIL = {"": (0, ""), "discard value": (1, ""), "set value to `unknown`": (2, "unknown")}


def section(heading):
    """What docs/monitoring.md has under a heading: the text, and its indented blocks."""
    with open(f"{ROOT}/docs/monitoring.md") as file:
        text = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", file.read(), re.M | re.S)[1]
    blocks = re.findall(r"(?:^    .*\n)+", text, re.M)
    return text, [re.sub("^    ", "", block, flags=re.M) for block in blocks]


def block(heading, begin):
    """The only one of the blocks that begins so."""
    (found,) = [one for one in section(heading)[1] if one.startswith(begin)]
    return found


def replaced(text, words):
    """The text with other words for those of the docs, each of which must stand there."""
    for old, new in words.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


class Recipes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.icinga = 29000 + os.getpid() % 3000
        cls.lab = LivingLab("--publish", f"{cls.icinga}:5665")
        cls.addClassCleanup(cls.lab.close)
        cls.usr = f"{cls.lab.dir}/usr"
        for folder in FOLDERS:
            os.makedirs(f"{cls.usr}/{folder}")
        os.symlink(os.path.realpath(DANELAW), f"{cls.usr}/bin/danelaw")
        cls.lab.configure_agent([SOUND, BROKEN])
        cls.lab.start_agent()

    def setUp(self):
        until("both were looked at", 60, lambda: {SOUND: "ok", BROKEN: "critical"} == self.statuses())

    def statuses(self):
        return {row["domain"]: row["status"] for row in self.lab.get("/api/v1/domains")["items"]}

    @contextmanager
    def no_agent(self):
        self.lab.stop_agent(signal.SIGTERM)
        yield
        self.lab.start_agent()

    def write(self, name, text):
        path = f"{self.lab.dir}/{name}"
        with open(path, "w") as file:
            file.write(text)
        return path

    def on_debian(self, *command):
        """The command where danelaw, and what script/setup unpacked, lie in /usr as if they were installed."""
        lay = []
        for folder in FOLDERS:
            over = [one for one in (f"{self.usr}/{folder}", f"{UNPACKED}/{folder}") if os.path.isdir(one)]
            lay.append(f"mount -t overlay -o 'lowerdir={':'.join(over)}:/usr/{folder}' none /usr/{folder}")
        return ["unshare", "--mount", "sh", "-c", " && ".join([*lay, 'exec "$@"']), "sh", *command]

    def run_on_debian(self, *command):
        done = self.lab.inside(*self.on_debian(*command))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    # --- Icinga 2

    def ask_icinga(self, method, path, **query):
        context = ssl.create_default_context(cafile=f"{self.lab.dir}/icinga/DataDir/certs/ca.crt")
        context.check_hostname = False  # it is of the name "lab"
        request = urllib.request.Request(
            f"https://127.0.0.1:{self.icinga}/v1/{path}?{urllib.parse.urlencode(query, quote_via=urllib.parse.quote)}",
            headers={
                "Accept": "application/json",
                "Authorization": "Basic " + base64.b64encode(b"test:secret").decode(),
            },
            method=method,
        )
        with urllib.request.urlopen(request, timeout=10, context=context) as reply:
            return json.load(reply)["results"]

    def start_icinga(self):
        folders = {name: f"{self.lab.dir}/icinga/{name}" for name in ICINGA_FOLDERS}
        for folder in folders.values():
            os.makedirs(folder)
        certs = f"{folders['DataDir']}/certs"
        os.makedirs(certs)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
            + ["-subj", "/CN=lab", "-keyout", f"{certs}/lab.key", "-out", f"{certs}/lab.crt"],
            check=True,
            capture_output=True,
        )
        os.link(f"{certs}/lab.crt", f"{certs}/ca.crt")
        token = self.write("danelaw.token", "a-token-of-many-letters")
        host = replaced(
            block("Icinga and Nagios", "object Host"),
            {
                '"example.org", "example.net"': f'"{SOUND}", "{BROKEN}", "{OTHER}"',
                "https://danelaw.example.org": "http://127.0.0.1:9672",
                "/etc/icinga2/danelaw.token": token,
            },
        )
        recipe = block("Icinga and Nagios", "object CheckCommand")
        file = self.write("icinga.conf", ICINGA.replace("SOUND", SOUND) + recipe + host)
        command = ["icinga2", "daemon", "-c", file]
        command += [f"-DConfiguration.{name}={folder}" for name, folder in folders.items()]
        command += ["-DConfiguration.RunAsUser=root", "-DConfiguration.RunAsGroup=root"]
        checked = self.run_on_debian(*command, "-C")
        self.assertIn("Instantiated 4 Services", checked)
        self.assertNotIn("warning/", checked)
        self.lab.start_inside("icinga", *self.on_debian(*command))
        until("Icinga answers", 30, self.icinga_answers)

    def icinga_answers(self):
        try:
            return self.ask_icinga("GET", "objects/services")
        except OSError:
            return False

    def checked_by_icinga(self):
        """service -> what Icinga makes of a check that begins now."""
        (now,) = self.ask_icinga("POST", "console/execute-script", command="get_time()", session="test")
        self.ask_icinga("POST", "actions/reschedule-check", type="Service", filter="true", force="true")

        def are_all_checked():
            seen = {one["name"]: one["attrs"] for one in self.ask_icinga("GET", "objects/services")}
            results = [one["last_check_result"] for one in seen.values()]
            return all(one and one["execution_start"] > now["result"] for one in results) and seen

        return until("Icinga has checked all", 30, are_all_checked)

    def performance(self, service):
        """label -> value and unit, as Icinga parses what the service said."""
        host, name = service.split("!")
        parse = f'get_service("{host}", "{name}").last_check_result.performance_data.map(parse_performance_data)'
        (parsed,) = self.ask_icinga("POST", "console/execute-script", command=parse, session="test")
        return {one["label"]: (one["value"], one["unit"]) for one in parsed["result"]}

    def test_icinga(self):
        self.start_icinga()
        checked = self.checked_by_icinga()
        names = {f"mail.example.org!dane {one}": one for one in (SOUND, BROKEN, OTHER)}
        self.assertEqual(set(checked), {*names, f"astray!dane {SOUND}"})
        wanted = {SOUND: (0, "DANE OK: healthy.test fine"), BROKEN: (2, "DANE CRITICAL: mismatch.test held-up, mx.")}
        wanted[OTHER] = (3, "DANE UNKNOWN: other.test is not watched")
        for service, domain in names.items():
            result = checked[service]["last_check_result"]
            state, words = wanted[domain]
            self.assertEqual((result["state"], result["exit_status"]), (state, state), result)
            self.assertTrue(result["output"].startswith(words), result)
            # Hard at once: the agent has waited already.
            self.assertEqual((checked[service]["state_type"], checked[service]["check_interval"]), (1, 60))
            self.assertEqual(result["command"][-3:], ["--url", "http://127.0.0.1:9672", domain])
            self.assertIn(f"{self.lab.dir}/danelaw.token", result["command"])
        parsed = self.performance(f"mail.example.org!dane {BROKEN}")
        self.assertEqual(list(parsed), METRICS)
        self.assertEqual((parsed["critical"], parsed["held_up"], parsed["ok"]), ((1, ""), (1, ""), (0, "")))
        self.assertEqual(parsed["oldest"][1], "seconds")
        astray = checked[f"astray!dane {SOUND}"]["last_check_result"]
        self.assertEqual((astray["state"], astray["performance_data"]), (3, []))
        self.assertIn("is the agent running there", astray["output"])
        with self.no_agent():
            for service, one in self.checked_by_icinga().items():
                self.assertEqual((one["state"], one["state_type"]), (3, 1), service)
                self.assertTrue(one["last_check_result"]["output"].startswith("DANE UNKNOWN: http"), one)


if __name__ == "__main__":
    unittest.main()
