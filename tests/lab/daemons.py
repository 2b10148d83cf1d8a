"""The servers of a lab: knotd twice, Unbound, Postfix, the scripted SMTP server, MTA-STS policies.

All of them run inside the cage; their pid files hold pids of its PID namespace.
"""

import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys

import pki
import smtp_server
import state as lab_state
import zones
from world import NAMESERVERS, POLICY_SERVER, RESOLVER

NAMES = (*NAMESERVERS, "unbound", "postfix", "smtp", "sts")

_UNBOUND = """
server:
  directory: "{run}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: ""
  interface: {resolver}
  port: 53
  access-control: 127.0.0.0/8 allow
  do-ip6: no
  num-threads: 1
  root-hints: "{run}/root.hints"
  trust-anchor-file: "{run}/root.key"
  do-not-query-localhost: no
  local-zone: "test." nodefault
  module-config: "validator iterator"
  ede: yes
  val-log-level: 2
  aggressive-nsec: no
  cache-max-ttl: {ttl}
  cache-max-negative-ttl: {ttl}
  infra-host-ttl: {ttl}
  infra-keep-probing: yes
  val-bogus-ttl: 1
  unwanted-reply-threshold: 0
remote-control:
  control-enable: yes
  control-use-cert: no
  control-interface: {run}/unbound.sock
"""

_MAIN_CF = """compatibility_level = 3.6
queue_directory = {run}/queue
data_directory = {run}/data
maillog_file_prefixes = {run}
maillog_file = {run}/maillog
inet_interfaces = all
inet_protocols = all
myhostname = lab.test
mynetworks = 127.0.0.0/8 [fd00:7672::]/64
mydestination = {domains}
local_transport = discard:
local_recipient_maps =
alias_maps =
alias_database =
smtpd_relay_restrictions = reject_unauth_destination
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_tls_security_level = may
smtpd_tls_loglevel = 1
smtp_dns_support_level = dnssec
smtp_tls_security_level = dane
smtp_tls_CAfile = {run}/pki/root.pem
"""

MASTER_CF = """
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
showq unix n - n - - showq
"""


# Of a Postfix that script/setup unpacked, whose places differ from those that are compiled in.
UNPACKED_CF = """daemon_directory = {root}/usr/lib/postfix/sbin
command_directory = {root}/usr/sbin
shlib_directory = {root}/usr/lib/postfix
meta_directory = {root}/etc/postfix
import_environment = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME LD_LIBRARY_PATH PATH
export_environment = TZ MAIL_CONFIG LANG LD_LIBRARY_PATH PATH
"""


def unpacked_root():
    """The folder that holds Postfix, if it is not the machine's own."""
    program = os.path.realpath(shutil.which("postfix"))
    root = os.path.join(os.path.dirname(os.path.dirname(program)), "root")
    return root if os.path.exists(f"{root}/usr/lib/postfix") else None


def _write(path, text):
    with open(path + ".new", "w") as file:
        file.write(text)
    os.rename(path + ".new", path)


def write_unbound(run, ttl):
    """unbound.conf and the root hints. ttl: the longest anything is remembered, seconds."""
    _write(f"{run}/unbound.conf", _UNBOUND.format(run=run, resolver=RESOLVER, ttl=ttl))
    lines = [
        f". 3600 NS {name}.dns.test.\n{name}.dns.test. 3600 A {address}\n" for name, address in NAMESERVERS.items()
    ]
    _write(f"{run}/root.hints", "".join(lines))


def serving(host):
    """Who listens for a host now: "postfix", "smtp" or "none"."""
    if host["mode"] == "down" or not host["addresses"]:
        return "none"
    if host["home"] == "postfix" and host["mode"] == "normal":
        return "postfix"
    return "smtp"


def chains(run, name, host):
    """The live chain files of a host, most wanted first."""
    return [pki.chain_file(f"{run}/pki", "live", name, kind) for kind in pki.kinds(host["key"])]


def write_mail(run, hosts, domains):
    """main.cf, master.cf and the scripted server's state, from the hosts of the state."""
    os.makedirs(f"{run}/postfix", exist_ok=True)
    root = unpacked_root()
    _write(
        f"{run}/postfix/main.cf",
        _MAIN_CF.format(run=run, domains=" ".join(domains)) + (UNPACKED_CF.format(root=root) if root else ""),
    )
    # For Postfix's clients where the machine has no configuration of its own (see lab: execute).
    os.makedirs(f"{run}/client", exist_ok=True)
    _write(f"{run}/client/main.cf", "compatibility_level = 3.6\n" + (UNPACKED_CF.format(root=root) if root else ""))
    services, entries = [], []
    for name, host in hosts.items():
        who = serving(host)
        if who == "smtp":
            entries.append(
                {"host": name, "addresses": host["addresses"], "mode": host["mode"], "chains": chains(run, name, host)}
            )
        for address in host["addresses"] if who == "postfix" else []:
            literal = f"[{address}]" if ":" in address else address
            # max_use=1: a fresh process, hence freshly read certificates, for every connection.
            services.append(
                f"{literal}:25 inet n - n - - smtpd -o max_use=1 -o myhostname={name} "
                f"-o smtpd_tls_chain_files={','.join(chains(run, name, host))}"
            )
    _write(f"{run}/postfix/master.cf", "\n".join(services) + MASTER_CF)
    _write(f"{run}/smtp.json", json.dumps(entries, indent=1))


def write_policies(run, policies):
    """What the MTA-STS server serves: host name -> text."""
    state = {
        host: {"policy": text, "chain": pki.chain_file(f"{run}/pki", "live", host, "ecdsa")}
        for host, text in policies.items()
    }
    _write(f"{run}/sts.json", json.dumps(state, indent=1))


def prepare_postfix(run):
    """Postfix's own directories, with the owners it insists on."""
    owner = pwd.getpwnam("postfix")
    os.makedirs(f"{run}/queue", exist_ok=True)
    os.makedirs(f"{run}/data", exist_ok=True)
    os.chown(f"{run}/data", owner.pw_uid, owner.pw_gid)


def _spawn(run, name, command):
    """Start a daemon that stays in the foreground, its output in RUN/log.NAME."""
    with open(f"{run}/log.{name}", "a") as log:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=run
        )
    _write(f"{run}/{name}.pid", f"{child.pid}\n")
    return child


def _script(name):
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), name)


def start(run, name):
    """Start one server; does not wait. Use wait_ready for that."""
    if alive(run, name):
        return
    if name in NAMESERVERS:
        _spawn(run, name, ["knotd", "-c", zones.config_path(run, name)])
    elif name == "unbound":
        _spawn(run, name, ["unbound", "-d", "-p", "-c", f"{run}/unbound.conf"])
    elif name == "smtp":
        _spawn(run, name, [sys.executable, _script("smtp_server.py"), f"{run}/smtp.json", f"{run}/smtp.sock"])
    elif name == "sts":
        _spawn(run, name, [sys.executable, _script("sts_server.py"), POLICY_SERVER, f"{run}/sts.json"])
    elif name == "postfix":
        with open(f"{run}/log.postfix", "a") as log:
            subprocess.run(
                ["postfix", "-c", f"{run}/postfix", "start"],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                check=True,
            )
    else:
        raise SystemExit(f"lab: no server {name}; there are {', '.join(NAMES)}")


def _pid(run, name):
    path = f"{run}/queue/pid/master.pid" if name == "postfix" else f"{run}/{name}.pid"
    try:
        with open(path) as file:
            return int(file.read())
    except (FileNotFoundError, ValueError):
        return 0


def alive(run, name):
    """Whether the server runs; one that has ended but is not yet reaped does not."""
    try:
        with open(f"/proc/{_pid(run, name)}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):  # before opening; between opening and reading
        return False


def stop(run, name):
    """Kill one server and wait until it is gone."""
    if name not in NAMES:
        raise SystemExit(f"lab: no server {name}; there are {', '.join(NAMES)}")
    if not alive(run, name):
        return
    # Postfix's master takes its children along when asked politely, and only then.
    with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
        os.kill(_pid(run, name), signal.SIGTERM if name == "postfix" else signal.SIGKILL)
    lab_state.until(lambda: not alive(run, name), f"{name} to end")


def wait_ready(run, name, state):
    """Wait until a server answers for everything it is meant to answer for."""
    if name in NAMESERVERS:
        for zone, facts in state["zones"].items():
            lab_state.until(
                lambda: zones.served_serial(name, zone) >= facts["serial"][name], f"{name} to serve {zone or '.'}"
            )
    elif name == "unbound":
        lab_state.until(_resolver_answers, "unbound to answer")
    elif name == "sts":
        lab_state.until(lambda: listens(POLICY_SERVER, 443), "the policy server to listen")
    elif name in ("postfix", "smtp"):
        for host in state["hosts"].values():
            if serving(host) == name:
                for address in host["addresses"]:
                    lab_state.until(lambda: listens(address), f"{name} to listen at {address}")


def _resolver_answers():
    done = subprocess.run(
        ["kdig", f"@{RESOLVER}", "+dnssec", "+timeout=1", "+retry=0", "test.", "SOA"], capture_output=True, text=True
    )
    return " ad" in done.stdout.partition("Flags:")[2].partition(";")[0]


def listens(address, port=25):
    """Whether a socket listens at a port of an address, read from the kernel: no connection."""
    if ":" in address:
        raw = socket.inet_pton(socket.AF_INET6, address)
        table = "tcp6"
    else:
        raw = socket.inet_pton(socket.AF_INET, address)
        table = "tcp"
    # The kernel prints each 32-bit word of the address in host order.
    words = [raw[i : i + 4] for i in range(0, len(raw), 4)]
    text = "".join((w[::-1] if sys.byteorder == "little" else w).hex().upper() for w in words)
    with open(f"/proc/net/{table}") as file:
        return any(line.split()[1] == f"{text}:{port:04X}" and line.split()[3] == "0A" for line in file)


def reload_mail(run, state):
    """Make Postfix and the scripted server take over their addresses as the state now says."""
    with open(f"{run}/smtp.json") as file:
        entries = json.load(file)
    held = _held_by_smtp(run)
    if alive(run, "smtp"):
        # First only let go: what the scripted server is to gain, Postfix may still hold.
        keep = [dict(e, addresses=[a for a in e["addresses"] if a in held]) for e in entries]
        _write(f"{run}/smtp.json", json.dumps(keep))
        smtp_server.ask_reload(f"{run}/smtp.sock")
        held = {a for e in keep for a in e["addresses"]}
    if alive(run, "postfix"):
        subprocess.run(["postfix", "-c", f"{run}/postfix", "reload"], check=True, capture_output=True)
        for host in state["hosts"].values():
            for address in host["addresses"]:
                wanted = serving(host) == "postfix" or address in held
                lab_state.until(
                    lambda: listens(address) == wanted, f"postfix to {'take' if wanted else 'leave'} {address}"
                )
    _write(f"{run}/smtp.json", json.dumps(entries, indent=1))
    if alive(run, "smtp"):
        smtp_server.ask_reload(f"{run}/smtp.sock")
        remember_held(run)


def remember_held(run):
    """Note which addresses the scripted server holds."""
    with open(f"{run}/smtp.json") as file:
        _write(f"{run}/smtp.held", json.dumps([a for e in json.load(file) for a in e["addresses"]]))


def _held_by_smtp(run):
    """The addresses the scripted server held after its last reload."""
    try:
        with open(f"{run}/smtp.held") as file:
            return set(json.load(file))
    except FileNotFoundError:
        return set()


def logs(run, octets=2000):
    """The ends of all logs, for the report of a lab that did not come up."""
    parts = []
    for name in sorted(os.listdir(run)):
        if name.startswith("log.") or name == "maillog":
            with open(f"{run}/{name}", errors="replace") as file:
                parts.append(f"--- {name}\n{file.read()[-octets:]}")
    return "\n".join(parts)
