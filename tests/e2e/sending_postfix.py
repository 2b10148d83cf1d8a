"""A real Postfix of ours inside the lab, which sends mail out by DANE and logs how it went."""

import os
import sys

from living_lab import ROOT, until

sys.path.insert(0, os.path.join(ROOT, "tests/lab"))
import daemons  # noqa: E402

# Everything lies in the lab's folder; nothing of the machine's own Postfix is touched.
MAIN_CF = """compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file_prefixes = {home}
maillog_file = {home}/mail.log
syslog_name = postfix-out
enable_long_queue_ids = yes
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = out.test
myorigin = out.test
mydestination =
mynetworks = 127.0.0.0/8
local_transport = error:nobody here
local_recipient_maps =
alias_maps =
alias_database =
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
smtp_dns_support_level = dnssec
smtp_tls_security_level = dane
smtp_tls_loglevel = 1
smtp_connect_timeout = 5s
smtp_host_lookup = dns
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
"""

# Besides what each Postfix of the lab runs: one that takes mail, and a queue that is gone through every second.
MASTER_CF = "\n127.0.0.1:2525 inet n - n - - smtpd" + daemons.MASTER_CF.replace(
    "qmgr unix n - n 300 1 qmgr", "qmgr unix n - n 1 1 qmgr"
)

SEND = """
import smtplib, sys
with smtplib.SMTP("127.0.0.1", 2525, timeout=20) as client:
    for to in sys.argv[2:]:
        client.sendmail("someone@out.test", [to], sys.argv[1])
"""


class SendingPostfix:
    """Started at once; it ends with the lab, whose processes all end together."""

    def __init__(self, lab, more="", services=""):
        self.lab = lab
        self.home = f"{lab.dir}/out"
        self.log = f"{self.home}/mail.log"
        self.config = f"{self.home}/etc"
        # As the lab has it: the machine may not know the user.
        owner, group = (int(self.run("id", which, "postfix")) for which in ("-u", "-g"))
        for folder in ("etc", "queue", "data"):
            os.makedirs(f"{self.home}/{folder}", exist_ok=True)
        os.chown(f"{self.home}/data", owner, group)
        os.chmod(lab.dir, 0o755)  # Postfix' processes are not root
        with open(f"{self.config}/master.cf", "w") as file:
            file.write(MASTER_CF + services)
        self.configure(more)
        self.run("postfix", "-c", self.config, "start")
        until("Postfix takes mail", 20, self.listens)

    def configure(self, more):
        """Its main.cf, with these lines more."""
        root = daemons.unpacked_root()
        with open(f"{self.config}/main.cf", "w") as file:
            file.write(MAIN_CF.format(home=self.home) + (daemons.UNPACKED_CF.format(root=root) if root else "") + more)

    def run(self, *command):
        done = self.lab.inside(*command)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def listens(self):
        code = "import socket; socket.create_connection(('127.0.0.1', 2525), 2)"
        return self.lab.inside(sys.executable, "-c", code).returncode == 0

    def send(self, *recipients, message="Subject: hello\n\nhello\n"):
        self.run(sys.executable, "-c", SEND, message, *recipients)

    def flush(self):
        """Try again now all that waits."""
        self.run("postqueue", "-c", self.config, "-f")

    def queue(self):
        return self.run("postqueue", "-c", self.config, "-j")

    def lines(self):
        with open(self.log) as file:
            return file.read().splitlines()
