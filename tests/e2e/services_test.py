#!/usr/bin/python3
"""Other doors of the same mail: submission, IMAP, POP3, ManageSieve, watched by the agent as mail programs meet them."""

import json
import os
import shutil
import signal
import sys
import unittest

from living_lab import DANELAW, ROOT, LivingLab, until

HOST = "mx.rolling.test"
QUICK = {"interval": "1m", "confirm_after": "2s", "retry_after": "2s", "fastest": "2s"}
# What script/setup unpacked, which looks for its parts where Debian has them.
UNPACKED = f"{ROOT}/build/tools/mailbox/root/usr"
DOVECOT = """
base_dir = {dir}/dovecot
state_dir = {dir}/dovecot/state
log_path = {dir}/dovecot.log
protocols = imap pop3 sieve
listen = {address}
default_login_user = nobody
default_internal_user = daemon
default_internal_group = daemon
ssl = yes
ssl_cert = <{chain}
ssl_key = <{chain}
ssl_dh =
mail_location = maildir:{dir}/mail
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home={dir}/mail
}}
"""
PORTS = {"imap": 143, "pop3": 110, "sieve": 4190, "imaps": 993, "pop3s": 995}


def dovecot(file):
    """The command that runs Dovecot, installed or unpacked, until it is ended."""
    run = ["dovecot", "-F", "-c", file]
    if not os.path.isdir(UNPACKED):
        return run
    lay = 'for one in bin sbin lib share; do mount -t overlay -o "lowerdir=$0/$one:/usr/$one" none "/usr/$one"; done'
    return ["unshare", "--mount", "sh", "-c", f'{lay} && exec "$@"', UNPACKED, *run]


class RealMailboxes(unittest.TestCase):
    def test_dovecot(self):
        lab = LivingLab()
        self.addCleanup(lab.close)
        os.chmod(lab.dir, 0o755)
        address = lab.inside("dig", "+short", "@127.0.1.1", HOST, "A").stdout.strip()
        chain = f"{lab.facts()['run']}/pki/live/{HOST}.ecdsa.pem"
        with open(f"{lab.dir}/dovecot.conf", "w") as file:
            file.write(DOVECOT.format(dir=lab.dir, address=address, chain=chain))
        lab.start_inside("dovecot", *dovecot(f"{lab.dir}/dovecot.conf"))
        names = [f"{HOST}:{port}" for port in PORTS.values()]
        until("it listens", 30, lambda: all(self.is_open(lab, address, port) for port in PORTS.values()))
        good = lab.lab("tlsa", HOST).strip()
        for port in PORTS.values():
            lab.lab("set", f"_{port}._tcp.{HOST}", "TLSA", good, "--flush")
        found, status = lab.check(*names)
        for name in names:
            (endpoint, *_) = found[name]["hosts"][0]["endpoints"]
            self.assertEqual((found[name]["verdict"], endpoint["reason"]), ("authenticated", "tlsa-match"), endpoint)
            self.assertIn("ovecot", endpoint["smtp"]["banner"] + str(endpoint["smtp"]["transcript"]))
            self.assertEqual(
                [one["code"] for one in found[name]["findings"]], [], found[name]["hosts"][0]["endpoints"][1:]
            )
        self.assertEqual(status, 0)

    def is_open(self, lab, address, port):
        code = f"import socket; socket.create_connection(({address!r}, {port}), 2)"
        return lab.inside(sys.executable, "-c", code).returncode == 0


class Services(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = LivingLab()
        cls.addClassCleanup(cls.lab.close)
        cls.state = f"{cls.lab.dir}/mailboxes.json"
        run = cls.lab.facts()["run"]
        cls.live = f"{run}/pki/live/{HOST}.ecdsa.pem"
        cls.chain = f"{cls.lab.dir}/mailboxes.pem"
        cls.address = cls.lab.inside("dig", "+short", "@127.0.1.1", HOST, "A").stdout.strip()
        cls.configure_servers()
        cls.lab.start_inside("mailboxes", sys.executable, f"{ROOT}/tests/e2e/mailbox_server.py", cls.state)
        until("the services listen", 20, cls.are_ready)

    @classmethod
    def are_ready(cls):
        with open(f"{cls.lab.dir}/mailboxes.log") as file:
            return "ready" in file.read()

    @classmethod
    def configure_servers(cls, **modes):
        shutil.copy(cls.live, f"{cls.chain}.new")
        os.rename(f"{cls.chain}.new", cls.chain)
        rows = [
            {
                "address": cls.address,
                "port": port,
                "protocol": protocol,
                "chain": cls.chain,
                "mode": modes.get(protocol, "normal"),
            }
            for protocol, port in PORTS.items()
        ]
        with open(f"{cls.state}.new", "w") as file:
            json.dump(rows, file)
        os.rename(f"{cls.state}.new", cls.state)

    def tearDown(self):
        if self.lab.agent:
            self.lab.stop_agent(signal.SIGKILL)
        self.configure_servers()
        for port in PORTS.values():
            self.lab.lab("set", f"_{port}._tcp.{HOST}", "TLSA", "--flush")

    def publish(self, protocol, *data):
        self.lab.lab("set", f"_{PORTS[protocol]}._tcp.{HOST}", "TLSA", *data, "--flush")

    def look(self, protocol):
        """What one check says of the service: the object, its only endpoint, its findings."""
        name = f"{HOST}:{PORTS[protocol]}"
        found, _ = self.lab.check(name)
        (endpoint, *_) = found[name]["hosts"][0]["endpoints"]
        return found[name], endpoint, {one["code"] for one in found[name]["findings"]}

    def test_each_protocol_comes_to_tls(self):
        good = self.lab.lab("tlsa", HOST).strip()
        for protocol in PORTS:
            with self.subTest(protocol):
                seen, endpoint, found = self.look(protocol)
                self.assertEqual((seen["verdict"], endpoint["reason"]), ("authenticated", "web-pki"))
                self.assertEqual((seen["mx"]["source"], endpoint["stage"]), ("service", "done"))
                self.assertEqual(found, {"no-dane"})
                self.publish(protocol, good)
                seen, endpoint, found = self.look(protocol)
                self.assertEqual((seen["verdict"], endpoint["reason"]), ("authenticated", "tlsa-match"))
                self.assertEqual(seen["hosts"][0]["tlsa"]["owner"], f"_{PORTS[protocol]}._tcp.{HOST}")
                self.assertEqual(found, set(), endpoint)
                self.publish(protocol, "3 1 1 " + "00" * 32)
                seen, _, found = self.look(protocol)
                self.assertEqual((seen["verdict"], found), ("refused", {"tlsa-mismatch"}))
                self.assertEqual(
                    [(one["sender"], one["verdict"]) for one in seen["splits"]], [("web-pki-only", "authenticated")]
                )

    def test_what_servers_do_wrong_is_told(self):
        wanted = {
            "nostarttls": ("refused", "starttls-missing", "starttls"),
            "refuse": ("refused", "starttls-rejected", "starttls"),
            "bye": ("down", "probe-refused", "banner"),
            "inject": ("authenticated", "web-pki", "done"),
        }
        for mode, (verdict, reason, stage) in wanted.items():
            for protocol in ("imap", "pop3", "sieve"):
                with self.subTest(mode=mode, protocol=protocol):
                    self.configure_servers(**{protocol: mode})
                    seen, endpoint, found = self.look(protocol)
                    self.assertEqual((seen["verdict"], endpoint["reason"], endpoint["stage"]), (verdict, reason, stage))
                    self.assertEqual("plaintext-injection" in found, mode == "inject")
        for protocol in ("imap", "pop3"):
            self.configure_servers(**{protocol: "endless"})
            seen, endpoint, _ = self.look(protocol)
            self.assertEqual((seen["verdict"], endpoint["reason"]), ("down", "smtp-broken"), protocol)
        self.configure_servers(imaps="busy")
        seen, endpoint, _ = self.look("imaps")
        self.assertEqual((seen["verdict"], endpoint["reason"]), ("down", "probe-refused"))

    def test_submission_of_a_real_postfix(self):
        # The lab's Postfix listens at port 25 only; as a service that is a door like another.
        name = f"{HOST}:25"
        found, status = self.lab.check(name)
        self.assertEqual((found[name]["verdict"], status), ("authenticated", 0))
        self.assertEqual(found[name]["hosts"][0]["service"]["starttls"], "smtp")

    def test_the_agent_follows_a_rollover_gone_wrong(self):
        service = f"{HOST}:{PORTS['imap']}"
        good = self.lab.lab("tlsa", HOST).strip()
        self.publish("imap", good)
        self.lab.configure_agent(
            ["rolling.test"],
            hosts=[
                {"host": HOST, "port": PORTS["imap"], "group": "mailboxes"},
                {"host": HOST, "port": PORTS["imaps"], "starttls": "none"},
            ],
            schedule=QUICK,
            storage={"path": f"{self.lab.dir}/services.db"},
        )
        self.lab.start_agent()
        rows = until("all were looked at", 60, lambda: self.rows_once_seen())
        self.assertEqual(rows[service]["verdict"], "authenticated")
        self.assertEqual(rows[service]["group"], "mailboxes")
        self.assertEqual(self.lab.host(service)["rollover"]["state"], "steady")

        asked = self.lab.inside(
            DANELAW, "gate", "--config", f"{self.lab.dir}/danelaw.yaml", "--host", service, self.chain
        )
        self.assertEqual(asked.returncode, 0, asked.stdout + asked.stderr)

        # Another certificate at the mailbox service only.
        self.lab.lab("prepare", HOST)
        shutil.copy(f"{self.lab.facts()['run']}/pki/next/{HOST}.ecdsa.pem", f"{self.chain}.new")
        os.rename(f"{self.chain}.new", self.chain)
        (alert,) = until("the mismatch is told", 60, lambda: self.lab.alerts(code="tlsa-mismatch"))
        self.assertEqual(alert["domains"], [service])
        self.assertIn(f"_{PORTS['imap']}._tcp.{HOST}.", json.dumps(alert))
        self.assertEqual(self.lab.domain("rolling.test")["verdict"], "authenticated")
        self.assertIn(f'danelaw_domain_status{{domain="{service}"', self.lab.text("/metrics"))
        told = self.lab.inside(DANELAW, "status", "--url", "http://127.0.0.1:9672", service)
        self.assertEqual(told.returncode, 2, told.stdout + told.stderr)

        new = self.lab.lab("tlsa", "--next", HOST).strip()
        self.publish("imap", good, new)
        until("its end is told", 240, lambda: not self.lab.alerts(code="tlsa-mismatch"))

    def rows_once_seen(self):
        rows = {one["domain"]: one for one in self.lab.get("/api/v1/domains")["items"]}
        return rows if len(rows) == 3 and all(one["observed_at"] for one in rows.values()) else None


if __name__ == "__main__":
    unittest.main()
