"""Changes of a running world. Every function runs inside the cage and returns when it is done.

"Done" for DNS means: the authoritative servers that run answer with the new serial.
"""

import subprocess

import daemons
import pki
import state as lab_state
import world
import zones


def set_records(lab, owner, kind, data, ttl=None, server=None, flush=False):
    """Replace an RRset; no data removes it. server: only at ns1 or ns2. ttl: as usual for it when None."""
    owner, kind = owner.rstrip("."), kind.upper()
    with lab_state.changing(lab.run) as state:
        if ttl is None:
            ttl = _usual_ttl(state, owner, kind)
        name = world.zone_of(owner, state["zones"])
        if kind == "DS" and name == owner:
            name = world.zone_of(owner.partition(".")[2], state["zones"])  # DS is the parent's
        zone = state["zones"][name]
        servers = [server] if server else list(world.NAMESERVERS)
        for each in servers:
            records = [r for r in zone["records"][each] if (r[0], r[2]) != (owner, kind)]
            zone["records"][each] = records + [[owner, ttl, kind, d] for d in data]
        _publish(lab.run, name, zone, servers)
    if flush:
        flush_zone(lab, owner)


def _usual_ttl(state, owner, kind):
    if kind != "TLSA":
        return world.OTHER_TTL
    host = state["hosts"].get(owner.removeprefix("_25._tcp."))
    return host["tlsa_ttl"] if host else world.TLSA_TTL


def get_records(lab, owner, kind, server="ns1"):
    """The data of an RRset as the lab means it to be."""
    zones_known = lab_state.load(lab.run)["zones"]
    zone = zones_known[world.zone_of(owner, zones_known)]
    return [r[3] for r in zone["records"][server] if (r[0], r[2]) == (owner, kind)]


def _publish(run, name, zone, servers):
    """Write a zone with a new serial and wait until the servers that run show it."""
    serial = max(zone["serial"].values()) + 10  # knotd adds one when it signs
    for server in servers:
        zone["serial"][server] = serial
        zones.write_zone(run, server, name, zone)
    for server in servers:
        if daemons.alive(run, server):
            zones.reload_zone(run, server, name)
            lab_state.until(lambda: zones.served_serial(server, name) >= serial, f"{server} to serve {name} {serial}")


def flush_zone(lab, name):
    """Make Unbound forget everything at and below a name, and validation results for it.

    Its `flush` of one name would leave TLSA records: it knows but the types of its day.
    """
    subprocess.run(
        ["unbound-control", "-c", f"{lab.run}/unbound.conf", "flush_zone", name], check=True, capture_output=True
    )


def break_zone(lab, name, fault="garbage", flush=False):
    """Spoil the signatures of a zone; fault "" mends them."""
    name = name.rstrip(".")
    with lab_state.changing(lab.run) as state:
        if name not in state["zones"]:
            raise SystemExit(f"lab: no zone {name}")
        zone = state["zones"][name]
        if not zone["sign"]:
            raise SystemExit(f"lab: {name} is not signed")
        zone["fault"] = fault
        # Files first: knotd must not sign a spoiled file, nor serve a plain one.
        for server in world.NAMESERVERS:
            zones.write_config(lab.run, server, state["zones"])
        serial = max(zone["serial"].values()) + 10
        for server in world.NAMESERVERS:
            zone["serial"][server] = serial
            zones.write_zone(lab.run, server, name, zone)
        for server in world.NAMESERVERS:
            if daemons.alive(lab.run, server):
                zones.reload_config(lab.run, server)
        _publish(lab.run, name, zone, list(world.NAMESERVERS))
    if flush:
        flush_zone(lab, name)


def _host(state, name):
    name = name.rstrip(".")
    if name not in state["hosts"]:
        raise SystemExit(f"lab: no host {name}")
    return name, state["hosts"][name]


def tlsa(lab, name, usage=3, selector=1, mtype=1, next_one=False):
    """TLSA record data of a host's live or prepared certificate."""
    name, host = _host(lab_state.load(lab.run), name)
    if next_one and not pki.has_next(lab.pki, name, host["key"]):
        raise SystemExit(f"lab: nothing prepared for {name}; run `lab prepare` first")
    return pki.tlsa(lab.pki, "next" if next_one else "live", name, host["key"], usage, selector, mtype)


def add_intermediate(lab, name):
    """Make another intermediate; prints TLSA record data (2 1 1) of it."""
    pki.add_intermediate(lab.pki, name)
    return "2 1 1 " + pki.association(pki.read_certificates(f"{lab.pki}/{name}.pem")[0], 1, 1)


def prepare(lab, name, issuer="inter", days=200):
    """Make the next key and certificate of a host without deploying them."""
    with lab_state.changing(lab.run) as state:
        name, host = _host(state, name)
        pki.issue(lab.pki, "next", name, host["key"], issuer=issuer, days=days)


def swap(lab, name):
    """The prepared certificate, or a new one, goes live: the next connection sees it."""
    with lab_state.changing(lab.run) as state:
        name, host = _host(state, name)
        if not pki.has_next(lab.pki, name, host["key"]):
            pki.issue(lab.pki, "next", name, host["key"])
        pki.deploy_next(lab.pki, name, host["key"])


def set_mode(lab, name, mode):
    """Change how a host behaves; "normal" gives it back to its own server, "down" to nobody."""
    with lab_state.changing(lab.run) as state:
        name, host = _host(state, name)
        host["mode"] = mode
        daemons.write_mail(lab.run, state["hosts"], lab.facts["domains"])
        daemons.reload_mail(lab.run, state)


def kill(lab, name):
    """Stop a server."""
    daemons.stop(lab.run, name)


def start(lab, name):
    """Start a server again and wait until it serves."""
    state = lab_state.load(lab.run)
    daemons.start(lab.run, name)
    daemons.wait_ready(lab.run, name, state)
    if name == "smtp":
        daemons.remember_held(lab.run)
