"""The reference sender: a real Postfix with its own configuration and queue, and what its log says became of each mail."""

import collections
import os
import pwd
import re
import subprocess
import time

from internet import cage, daemons
from server import PLAIN

_MAIN_CF = """compatibility_level = 3.6
queue_directory = {run}/queue
data_directory = {run}/data
maillog_file_prefixes = {run}
maillog_file = {run}/maillog
inet_interfaces = 127.0.0.1, [::1]
inet_protocols = all
myhostname = sender.test
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
transport_maps = texthash:{run}/transport
smtp_dns_support_level = dnssec
smtp_tls_security_level = dane
smtp_tls_dane_insecure_mx_policy = dane
smtp_tls_loglevel = 1
smtp_tls_session_cache_database =
smtp_connection_cache_on_demand = no
default_process_limit = {processes}
default_destination_concurrency_failed_cohort_limit = 0
destination_concurrency_feedback_debug = no
qmgr_message_active_limit = 20000
qmgr_message_recipient_limit = 40000
minimal_backoff_time = 1s
maximal_backoff_time = 1h
queue_run_delay = 1h
smtp_connect_timeout = 5s
smtp_helo_timeout = 5s
smtp_starttls_timeout = 5s
smtp_mail_timeout = 5s
smtp_rcpt_timeout = 5s
smtp_data_init_timeout = 5s
smtp_data_xfer_timeout = 5s
smtp_data_done_timeout = 5s
smtp_quit_timeout = 2s
transport_retry_time = 1s
in_flow_delay = 0
"""

_TREE = """command_directory = {tree}/bin
daemon_directory = {tree}/libexec
meta_directory = {tree}/conf
sendmail_path = {tree}/bin/sendmail
"""

_MASTER_CF = """
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 1 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 3600 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
plain unix - - n - - smtp -o smtp_helo_name={plain}
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""

_TLS = re.compile(r"(Verified|Trusted|Untrusted|Anonymous) TLS connection established to ([^\[]+)\[([^\]]+)\]:25")
_DELIVERY = re.compile(r"to=<([^@>]+)@([^>]+)>, relay=([^,]+), .*?dsn=([\d.]+), status=(\w+) \((.*)\)$")
_LINE = re.compile(r"postfix(?:/(\w+))?/(\w+)\[(\d+)\]: (.*)$")

Delivery = collections.namedtuple("Delivery", "mail domain relay dsn status reason tls transport")


class Sender:
    def __init__(self, run, processes, fragile, tree=None):
        """fragile: domains that may end the smtp process; each gets a transport of its own, so that it ends alone.

        tree: where another Postfix than the installed one was built (its bin, libexec and conf).
        """
        self.run, self.config = run, f"{run}/postfix"
        self.commands = f"{tree}/bin/" if tree else ""
        self.fragile = {domain: f"fragile{count}" for count, domain in enumerate(sorted(fragile))}
        cage.add_users(run, ("postfix",), ("postfix", "postdrop"))  # where only its files are unpacked
        owner = pwd.getpwnam("postfix")
        for folder in ("postfix", "queue", "data"):
            os.makedirs(f"{run}/{folder}", exist_ok=True)
        os.chown(f"{run}/data", owner.pw_uid, owner.pw_gid)
        services = "".join(
            f"{name} unix - - n - 1 smtp -o syslog_name=postfix/{name}\n" for name in self.fragile.values()
        )
        unpacked = None if tree else daemons.unpacked_root()
        self._write(
            "main.cf",
            _MAIN_CF.format(run=run, processes=processes)
            + (_TREE.format(tree=tree) if tree else "")
            + (daemons.UNPACKED_CF.format(root=unpacked) if unpacked else ""),
        )
        self._write("master.cf", _MASTER_CF.format(plain=PLAIN) + services)
        self.routes = {domain: f"{name}:" for domain, name in self.fragile.items()}
        self.write_routes()
        self._postfix("check")  # makes the folders of the queue

    def _postfix(self, what):
        with open(f"{self.run}/log.postfix", "a") as log:
            subprocess.run(
                [f"{self.commands}postfix", "-c", self.config, what],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                check=True,
                timeout=60,
            )

    def _write(self, name, text):
        with open(f"{self.config}/{name}", "w") as file:
            file.write(text)

    def write_routes(self):
        with open(f"{self.run}/transport", "w") as file:
            file.writelines(f"{who} {where}\n" for who, where in self.routes.items())

    def submit(self, addresses):
        """One mail to many; without a sender, so that nothing comes back."""
        text = "Subject: differential\n\nHello\n"
        for start in range(0, len(addresses), 1000):
            subprocess.run(
                [f"{self.commands}sendmail", "-C", self.config, "-f", "", *addresses[start : start + 1000]],
                input=text,
                text=True,
                check=True,
                timeout=60,
            )

    def start(self):
        self._postfix("start")

    def stop(self):
        self._postfix("abort")

    def wait(self, count, idle=60):
        """Until `count` mails have found their fate; gives up when nothing has happened for `idle` seconds."""
        seen, since = -1, time.monotonic()
        while True:
            deliveries = self.deliveries()
            if len(deliveries) >= count:
                return deliveries
            if len(deliveries) > seen:
                seen, since = len(deliveries), time.monotonic()
            elif time.monotonic() - since > idle:
                raise RuntimeError(f"the sender logged {seen} of {count} deliveries and then nothing for {idle} s")
            time.sleep(0.3)

    def deliveries(self):
        """What the log says, one Delivery a mail (the first, should a mail have been tried again): (mail, domain) -> it."""
        found, tls, dead = {}, {}, set()
        try:
            with open(f"{self.run}/maillog", errors="replace") as file:
                lines = file.read().splitlines()
        except FileNotFoundError:
            return {}
        for line in lines:
            if not (parts := _LINE.search(line)):
                continue
            transport, program, pid, text = parts.groups()
            if text.startswith("panic: "):
                dead.add(transport)
            elif match := _TLS.search(text):
                tls[pid] = (f"{match[2]}[{match[3]}]:25", match[1])
            elif match := _DELIVERY.search(text):
                mail, domain, relay, dsn, status, reason = match.groups()
                last = tls.pop(pid, None) if program == "smtp" else None
                found.setdefault(
                    (mail, domain),
                    Delivery(
                        mail,
                        domain,
                        relay,
                        dsn,
                        status,
                        reason,
                        last[1] if last and last[0] == relay else None,
                        transport,
                    ),
                )
        for domain, name in self.fragile.items():
            if name in dead:
                # What is logged of the mail, if anything, is the queue manager's.
                found["m1", domain] = Delivery("m1", domain, "none", "", "panic", "the smtp process ended", None, name)
        return found
