#!/usr/bin/python3
"""The recipes of docs/monitoring.md, taken out of it and tried with what they are for: Icinga 2, Zabbix (agent and
server), and Checkmk's protocol of local checks, whose agent Debian 12 does not have.
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
        try:
            yield
        finally:
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

    # --- Checkmk

    def local_section(self):
        """The lines of the section <<<local>>>, gathered as Checkmk's agent does: what is executable, from its folder,
        without standard input and error."""
        gather = 'for one in ./*; do if [ -f "$one" ] && [ -x "$one" ]; then "$one"; fi; done'
        run = f"cd /usr/lib/check_mk_agent/local && exec </dev/null 2>/dev/null; {gather}"
        return self.run_on_debian("bash", "-c", run).splitlines()

    def local_check(self):
        """State, metrics and text of the one service, read as Checkmk does (docs.checkmk.com, "Local checks"): state,
        name in quotes, metrics joined by bars or "-", text."""
        (line,) = self.local_section()
        read = re.fullmatch(r"""([0-3P]) "([^"']+)" ([^ ]+) (.+)""", line)
        self.assertTrue(read, line)
        state, name, metrics, text = read.groups()
        self.assertEqual(name, "DANE")
        if metrics == "-":
            return int(state), {}, text
        # A unit is passed over; what is no number would make the whole line invalid, or pass for 0.
        pairs = [re.fullmatch(r"([a-z_]+)=(\d+)", one) for one in metrics.split("|")]
        self.assertTrue(all(pairs), line)
        return int(state), {pair[1]: int(pair[2]) for pair in pairs}, text

    def test_checkmk(self):
        local = f"{self.usr}/lib/check_mk_agent/local"
        self.assertIn(local.removeprefix(self.lab.dir), section("Checkmk")[0])
        os.makedirs(local)
        path = f"{local}/danelaw"
        with open(path, "w") as file:
            file.write(block("Checkmk", "#!/bin/sh"))
        os.chmod(path, 0o755)
        state, metrics, text = self.local_check()
        self.assertEqual((state, list(metrics)), (2, METRICS))
        self.assertEqual((metrics["domains"], metrics["ok"], metrics["held_up"]), (2, 1, 1))
        self.assertTrue(text.startswith("DANE CRITICAL: mismatch.test held-up, mx."), text)
        self.assertNotIn("|", text)
        # Where nothing was looked at there is no `oldest`.
        with open(path, "w") as file:
            file.write(
                replaced(block("Checkmk", "#!/bin/sh"), {"status --format nagios": f"status --format nagios {OTHER}"})
            )
        state, metrics, text = self.local_check()
        self.assertEqual((state, list(metrics)), (3, METRICS[:-1]))
        self.assertEqual(text, "DANE UNKNOWN: other.test is not watched")
        with self.no_agent():
            state, metrics, text = self.local_check()
            self.assertEqual((state, metrics), (3, {}))
            self.assertTrue(text.startswith("DANE UNKNOWN: http://127.0.0.1:9672: "), text)
        os.rename(f"{self.usr}/bin/danelaw", f"{self.usr}/bin/away")
        self.addCleanup(os.rename, f"{self.usr}/bin/away", f"{self.usr}/bin/danelaw")
        self.assertEqual(self.local_check(), (3, {}, "DANE UNKNOWN: danelaw cannot be run"))

    # --- Zabbix

    def start_zabbix_agent(self):
        """The files of two configurations, since one key may stand there once; the agent runs by the first."""
        parameters = [one for one in section("Zabbix")[1] if one.startswith("UserParameter=")]
        files = []
        for number, parameter in enumerate(parameters):
            text = f"{ZABBIX_AGENT}PidFile={self.lab.dir}/zabbix_agentd.{number}.pid\n{parameter}"
            files.append(self.write(f"zabbix_agentd.{number}.conf", text))
        self.lab.start_inside("zabbix_agentd", *self.on_debian("zabbix_agentd", "-f", "-c", files[0]))
        ping = ("zabbix_get", "-s", "127.0.0.1", "-k", "agent.ping")
        until("Zabbix's agent answers", 20, lambda: self.lab.inside(*self.on_debian(*ping)).stdout == "1\n")
        return files

    def zabbix_get(self, key):
        return self.run_on_debian("zabbix_get", "-s", "127.0.0.1", "-k", key)

    def ask_zabbix_agent(self):
        """The UserParameters alone, and over the wire."""
        whole, of_one = self.start_zabbix_agent()
        tested = self.run_on_debian("zabbix_agentd", "-c", whole, "-t", "danelaw.status")
        self.assertRegex(tested, r'^danelaw.status +\[t\|\{"schema"')
        # danelaw ends with 2 here, which does not matter.
        told = json.loads(self.zabbix_get("danelaw.status"))
        self.assertEqual((told["status"], len(told["items"])), ("critical", 2))
        one = self.run_on_debian("zabbix_agentd", "-c", of_one, "-t", f"danelaw.status[{SOUND}]")
        self.assertIn('"status":"ok"', one)
        self.assertNotIn(BROKEN, one)

    def start_zabbix_server(self):
        try:
            self.database = Postgresql()
        except FileNotFoundError as missing:
            self.skipTest(str(missing))
        self.addCleanup(self.database.close)
        self.database.query("CREATE DATABASE zabbix")
        shared = next(one for one in (f"{UNPACKED}/share", "/usr/share") if os.path.isdir(f"{one}/zabbix-server-pgsql"))
        with gzip.open(f"{shared}/zabbix-server-pgsql/schema.sql.gz", "rt") as packed:
            schema = self.write("schema.sql", packed.read())
        self.zabbix(f"\\i {schema}")
        self.zabbix(ZABBIX_ROWS)
        self.fill_in_items()
        self.fill_in_trigger()
        places = f"DBHost={self.database.dir}\nSocketDir={self.lab.dir}\nPidFile={self.lab.dir}/zabbix_server.pid\n"
        file = self.write("zabbix_server.conf", ZABBIX_SERVER + places)
        guest = self.lab.start_inside("zabbix_server", *self.on_debian("zabbix_server", "-f", "-c", file))
        # Before its database goes, which it would wait for.
        self.addCleanup(guest.wait, 30)
        self.addCleanup(guest.terminate)

    def zabbix(self, sql):
        return self.database.query(sql, "zabbix")

    def fill_in_items(self):
        """What the table of the docs says, as Zabbix's page would write it into the database."""
        rows = re.findall(r"^\| (.+?) \| `(.+?)` \| `(.+?)` \| (.*?) ?\|$", section("Zabbix")[0], re.M)
        self.assertEqual(len(rows), 4)
        for number, (what, key, path, on_fail) in enumerate(rows, 2):
            key, path = (one.replace("example.org", BROKEN).replace("'", "''") for one in (key, path))
            macro = re.search(r"macro `(.+?)` from `(.+?)`", what)
            flags = 1 if macro else 2 if "prototype" in what else 0
            self.zabbix(
                "INSERT INTO items (itemid, hostid, type, name, key_, value_type, master_itemid, flags)"
                f" VALUES ({number}, 1, 18, '{key}', '{key}', 4, 1, {flags})"
            )
            handler, value = ON_FAIL[on_fail]
            self.zabbix(f"INSERT INTO item_preproc VALUES ({number}, {number}, 1, 12, '{path}', {handler}, '{value}');")
            if macro:
                self.zabbix(f"INSERT INTO lld_macro_path VALUES (1, {number}, '{macro[1]}', '{macro[2]}')")
                rule = number
            if flags == 2:
                self.zabbix(
                    f"INSERT INTO item_discovery (itemdiscoveryid, itemid, parent_itemid) VALUES (1, {number}, {rule})"
                )
            else:
                self.zabbix(f"INSERT INTO item_rtdata (itemid) VALUES ({number})")

    def fill_in_trigger(self):
        """The trigger of the docs: each of its functions is a row, and a number in the expression."""
        expression = block("Zabbix", "last(").strip()
        used = re.findall(r"(\w+)\(/HOST/([\w.]+)(?:,(\w+))?\)", expression)
        for number in range(len(used)):
            expression = re.sub(r"\w+\(/HOST/[^)]*\)", f"{{{number + 1}}}", expression, count=1)
        self.zabbix(f"INSERT INTO triggers (triggerid, expression, description) VALUES (1, '{expression}', 'DANE')")
        for number, (function, key, parameter) in enumerate(used, 1):
            (item,) = self.zabbix(f"SELECT itemid FROM items WHERE key_ = '{key}'")
            parameter = f"$,{parameter}" if parameter else "$"
            self.zabbix(
                "INSERT INTO functions (functionid, itemid, triggerid, name, parameter)"
                f" VALUES ({number}, {item}, 1, '{function}', '{parameter}')"
            )

    def latest(self):
        """key -> the value that came last."""
        rows = self.zabbix(
            "SELECT DISTINCT ON (key_) key_ || ' ' || value FROM history_text JOIN items USING (itemid)"
            " WHERE itemid <> 1 ORDER BY key_, clock DESC, ns DESC"
        )
        return dict(row.rsplit(" ", 1) for row in rows)

    def is_problem(self):
        return self.zabbix("SELECT value FROM triggers") == ["1"]

    def test_zabbix(self):
        self.ask_zabbix_agent()
        self.start_zabbix_server()
        wanted = {"danelaw.word": "critical", f"danelaw.delivery[{BROKEN}]": "held-up"}
        discovered = {f"danelaw.delivery[{SOUND}]": "fine"}
        until("the items have their values", 40, lambda: self.latest() == {**wanted, **discovered})
        until("it is a problem", 20, self.is_problem)
        with self.no_agent():
            self.assertTrue(self.zabbix_get("danelaw.status").startswith("danelaw status: http://127.0.0.1:9672: "))
            until("nothing is known", 30, lambda: set(self.latest().values()) == {"unknown"})
            self.assertTrue(self.is_problem())


if __name__ == "__main__":
    unittest.main()
