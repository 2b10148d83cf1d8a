"""Builds a lab: certificates and keys, then zones, then servers, as much as possible at once."""

import concurrent.futures
import hashlib
import os
import sys
import time

import cage
import daemons
import pki
import state as lab_state
import world
import zones


def _say(text):
    """Where nothing is seen for a while, people think that nothing happens."""
    print(f"lab: {text}", file=sys.stderr, flush=True)


def build(run, ttl):
    """Inside a fresh cage: make the whole world in RUN and start it. Returns a line of timings."""
    began = time.monotonic()
    with open(f"{run}/resolv.conf", "w") as file:
        file.write(f"nameserver {world.RESOLVER}\noptions trust-ad edns0 timeout:5\n")
    cage.use_resolver(f"{run}/resolv.conf")
    cage.raise_loopback([a for h in world.HOSTS for a in world.addresses(h) if ":" in a])
    _say(f"making certificates and keys for {len(world.HOSTS)} mail servers and their zones")
    pki.create_ca(f"{run}/pki")
    cage.add_users(run, ("postfix",), ("postfix", "postdrop"))
    daemons.prepare_postfix(run)
    hosts = {
        h.name: {
            "addresses": world.addresses(h),
            "key": h.key,
            "mode": h.mode,
            "home": h.server,
            "tlsa_ttl": h.tlsa_ttl,
        }
        for h in world.HOSTS
    }
    for host in hosts.values():
        if host["home"] == "none":
            host["home"], host["mode"] = "postfix", "down"
    plan = {"": world.Zone(), "test": world.Zone(), **world.zones()}
    known = {name: {"sign": z.sign, "fault": z.fault} for name, z in plan.items()}
    for server in (*world.NAMESERVERS, zones.SIGNER):
        zones.write_config(run, server, known)
    ds = _make_keys(run, plan)
    keys_at = time.monotonic()
    _write_anchor(run, ds[""]["2"])
    _say(f"writing {len(plan)} zones")
    records = _records(run, plan, ds)
    serial = int(time.time())
    state = {
        "hosts": hosts,
        "ds": ds,
        "zones": {
            name: {
                **known[name],
                "serial": {s: serial for s in world.NAMESERVERS},
                "records": {s: records[name] for s in world.NAMESERVERS},
            }
            for name in plan
        },
    }
    lab_state.save(run, state)
    zones.share_keys(run)
    for name, zone in state["zones"].items():
        for server in world.NAMESERVERS:
            zones.write_zone(run, server, name, zone)
    daemons.write_unbound(run, ttl)
    daemons.write_policies(run, {f"mta-sts.{d.name}": d.policy for d in world.DOMAINS if d.policy})
    daemons.write_mail(run, hosts, [d.name for d in world.DOMAINS])
    _say(f"starting {', '.join(daemons.NAMES)}")
    zones_at = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(lambda name: daemons.start(run, name), daemons.NAMES))
    for name in daemons.NAMES:
        daemons.wait_ready(run, name, state)
    daemons.remember_held(run)
    return (
        f"keys {keys_at - began:.1f} s, zones {zones_at - keys_at:.1f} s, "
        f"servers {time.monotonic() - zones_at:.1f} s"
    )


def _make_keys(run, plan):
    """Certificates of all hosts and keys of all signed zones. Returns zone -> its DS by digest type."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        leaves = [pool.submit(pki.issue, f"{run}/pki", "live", h.name, h.key, h.cert, h.sends) for h in world.HOSTS]
        leaves += [
            pool.submit(pki.issue, f"{run}/pki", "live", f"mta-sts.{d.name}", "ecdsa", d.policy_cert)
            for d in world.DOMAINS
            if d.policy
        ]
        keys = {name: pool.submit(zones.make_key, run, name, zone.sign) for name, zone in plan.items() if zone.sign}
        for leaf in leaves:
            leaf.result()
        return {name: key.result() for name, key in keys.items()}


def _write_anchor(run, ds):
    """root.key in zone file form, and the same for delv."""
    tag, algorithm, kind, digest = ds.split()
    with open(f"{run}/root.key", "w") as file:
        file.write(f". 3600 IN DS {ds}\n")
    with open(f"{run}/delv.keys", "w") as file:
        file.write(f'trust-anchors {{ . static-ds {tag} {algorithm} {kind} "{digest}"; }};\n')


def _records(run, plan, ds):
    """All records of the world but the SOAs: zone -> [owner, ttl, type, data]."""
    found = {name: [[name, world.OTHER_TTL, "NS", f"{s}.dns.test."] for s in world.NAMESERVERS] for name in plan}

    def add(owner, kind, data, zone=None, ttl=None):
        if ttl is None:
            ttl = world.TLSA_TTL if kind == "TLSA" else world.OTHER_TTL
        found[world.zone_of(owner, found) if zone is None else zone].append([owner, ttl, kind, data])

    for server, address in world.NAMESERVERS.items():
        add(f"{server}.dns.test", "A", address)
        add(f"{server}.dns.test", "A", address, zone="")
    for name, zone in plan.items():
        if not name:
            continue
        parent = name.partition(".")[2]
        for server in world.NAMESERVERS:
            add(name, "NS", f"{server}.dns.test.", zone=parent)
        if zone.ds != "none":
            for data in zones.ds_set(zone.ds, ds[name]):
                add(name, "DS", data, zone=parent)
    for host in world.HOSTS:
        for address in world.addresses(host):
            add(host.name, "AAAA" if ":" in address else "A", address)
        for form in host.tlsa:
            add(f"_25._tcp.{host.name}", "TLSA", _tlsa(run, host, form), ttl=host.tlsa_ttl)
    by_name = {host.name: host for host in world.HOSTS}
    for domain in world.DOMAINS:
        if domain.null_mx:
            add(domain.name, "MX", "0 .")
        elif domain.mx and domain.delegated:
            for place, host in enumerate(_mx_hosts(domain), 1):
                add(domain.name, "MX", f"{10 * place} {host}.")
        if domain.policy:
            add(f"mta-sts.{domain.name}", "A", world.POLICY_SERVER)
            add(f"_mta-sts.{domain.name}", "TXT", '"v=STSv1; id=20260101;"')
        for owner, kind, data in domain.records:
            if data.startswith("@"):
                data = next(a for a in world.addresses(by_name[data[1:]]) if (":" in a) == (kind == "AAAA"))
            elif "@" in data:
                form, _, host = data.partition(" @")
                data = _tlsa(run, by_name[host], form)
            add(owner, kind, data)
    return found


def _mx_hosts(domain):
    """MX hosts in order; a domain whose verdict names no host still has its own."""
    return list(domain.hosts) or [f"mx.{domain.name}"]


def _tlsa(run, host, form):
    """TLSA data from "U S M", "U S M wrong" or one of pki.tlsa's kinds."""
    words = form.split()
    if words[3:] == ["wrong"]:
        return " ".join(words[:3]) + " " + hashlib.sha256(b"nobody's key").hexdigest()
    return pki.tlsa(f"{run}/pki", "live", host.name, host.key, *map(int, words[:3]), *words[3:])
