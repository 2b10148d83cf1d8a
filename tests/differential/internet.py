"""Publishes recipes: zones, name servers, resolver, certificates and mail servers, inside a cage of tests/lab."""

import hashlib
import ipaddress
import json
import os
import subprocess
import sys
import time

LAB = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lab"))
sys.path.insert(0, LAB)

import cage  # noqa: E402
import daemons  # noqa: E402
import state as lab_state  # noqa: E402
import world  # noqa: E402
import zones  # noqa: E402

import certificates  # noqa: E402
import recipes  # noqa: E402

TTL, CACHE_TTL = 300, 600
OWN_ADDRESS6 = "fd00:7672::1"


def above(name):
    return name.partition(".")[2]


class Internet:
    def __init__(self, run, found):
        self.run, self.recipes = run, found
        self.records = {}  # zone -> [owner, ttl, type, data]
        self.places = {}  # address -> what server.py wants
        self.used = {4: 0, 6: 1}
        self.names = {}  # number -> mail domain
        self.has_empty_tlsa = set()  # numbers

    # ---- names and addresses

    def address(self, family):
        self.used[family] += 1
        base = "127.16.0.0" if family == 4 else "fd00:7672::"
        return str(ipaddress.ip_address(base) + self.used[family])

    def add(self, owner, kind, data):
        zone = world.zone_of(owner, self.records)
        self.records[zone].append([owner, TTL, kind, data])

    def chain(self, first, alias, label):
        """Publish CNAMEs from a name; returns all names, the last being the final one."""
        names = [first] + [f"{label}{k}.{zone}.test" for k, zone in enumerate(alias)]
        for name, target in zip(names, names[1:]):
            self.add(name, "CNAME", target + ".")
        return names

    # ---- one domain

    def publish(self, d):
        n = d["n"]
        name = self.names[n] = f"d{n}.{d['zone']}.test"
        if d["mx"] == "nxdomain":
            return
        chain = self.chain(name, d["alias"], f"d{n}t")
        final = chain[-1]
        if d["mx"] == "implicit":
            self.host(d, 0, d["hosts"][0], chain, name, final)
            return
        if d["mx"] in ("null", "null-beside"):
            self.add(final, "MX", f"{d['null_pref'] if d['mx'] == 'null-beside' else 0} .")
        if d["mx"] == "null":
            return
        for place, h in enumerate(d["hosts"]):
            own = f"m{place}.d{n}.{h['zone']}.test"
            exchange = own + "."
            if h["kind"] == "name":
                self.host(d, place, h, self.chain(own, h["alias"], f"d{n}m{place}c"), name, final)
            elif h["kind"] == "nodata":
                self.add(own, "TXT", '"no address here"')
            elif h["kind"] == "numeric":
                exchange = f"{10000 + n}."
            elif h["kind"] != "nxdomain":
                address = self.address(6 if h["kind"] == "literal6" else 4)
                self.serve(d, place, h, [address], [own], own, name, final)
                exchange = {"bracket": f"\\091{address}\\093."}.get(h["kind"], address.replace(":", "\\058") + ".")
            self.add(final, "MX", f"{h['pref']} {exchange}")

    def host(self, d, place, h, chain, name, final):
        """Addresses, TLSA records and servers of a host whose names are `chain`."""
        if h["kind"] == "nodata":
            self.add(chain[-1], "TXT", '"no address here"')
            return
        base = (
            chain[-1]
            if h["tlsa_at"] in ("final", "both")
            else chain[1]
            if h["tlsa_at"] == "middle" and len(chain) > 2
            else chain[0]
        )
        live = [self.address(4) for _ in range(h["v4"])] + [self.address(6) for _ in range(h["v6"])]
        dead = [self.address(4) for _ in range(h["dead4"])] + [self.address(6) for _ in range(h["dead6"])]
        for address in live + dead:
            self.add(chain[-1], "AAAA" if ":" in address else "A", address)
        leaf, anchors = self.serve(d, place, h, live, chain, base, name, final)
        if h["tlsa"]:
            self.tlsa(d, place, h, base, h["tlsa"], leaf, anchors)
        if h["tlsa_at"] == "both" and len(chain) > 1:
            self.tlsa(d, f"{place}w", dict(h, tlsa_via="direct"), chain[0], [[3, 1, 1, "wrong"]], leaf, anchors)

    def tlsa(self, d, place, h, base, records, leaf, anchors):
        owner = f"*._tcp.{base}" if h["tlsa_via"] == "wildcard" else f"_25._tcp.{base}"
        if h["tlsa_via"] not in ("direct", "wildcard"):
            target = f"d{d['n']}m{place}tlsa.{h['tlsa_via']}.test"
            self.add(owner, "CNAME", target + ".")
            owner = target
        for count, record in enumerate(records):
            data = certificates.tlsa(record, leaf, anchors, f"{d['n']}/{place}/{count}")
            if not data and recipes.ZONES[world.zone_of(owner, self.records).partition(".")[0]][2]:
                data = "00"  # kzonesign, which spoils the zones with faults, cannot print a TLSA record without data
            if not data:
                self.has_empty_tlsa.add(d["n"])
            octets = bytes(record[:3]).hex() + data
            self.add(owner, "TYPE52", f"\\# {len(octets) // 2} {octets}")

    def serve(self, d, place, h, addresses, chain, base, name, final):
        """Certificates and what is said at a host's addresses. Returns the leaf and the anchors for TLSA."""
        cert = h["cert"]
        wanted = {
            "base": (base, [base]),
            "mxname": (chain[0], [chain[0]]),
            "next": (name, [name]),
            "nextfinal": (final, [final]),
            "other": ("elsewhere.test", ["elsewhere.test"]),
            "wild": ("wild", [f"*.{above(base)}"]),
            "partial": ("partial", [f"{base[0]}*.{above(base)}"]),
            "cnonly": (base, []),
            "cnbase-sanother": (base, ["elsewhere.test"]),
            "wildnext": ("wild", [f"*.{above(name)}"]),
            "deep": ("wild", [f"*.{above(above(base))}"]),
        }[cert["names"]]
        kinds = ["ecdsa", "rsa"] if cert["key"] == "dual" else [cert["key"]]
        made, files = [], []
        for kind in kinds:
            leaf, key, behind, anchors = self.authority.leaf(cert, kind, *wanted)
            path = f"{self.run}/chains/{d['n']}.{place}.{kind}.pem"
            with open(path, "w") as file:
                file.write(certificates.pem(key, [leaf, *behind]))
            made.append((leaf, anchors))
            files.append(path)
        for address in addresses:
            self.places[address] = {
                "host": chain[0],
                "chains": files,
                "sni": base,
                **{key: h[key] for key in ("tls", "banner", "ehlo", "helo", "starttls", "after")},
            }
        return made[d["n"] % len(made)]

    # ---- all of it

    def build(self):
        """Inside a fresh cage: publish every recipe and start everything but the sender."""
        run = self.run
        with open(f"{run}/resolv.conf", "w") as file:
            file.write(f"nameserver {world.RESOLVER}\noptions trust-ad edns0 timeout:5\n")
        cage.use_resolver(f"{run}/resolv.conf")
        cage.raise_loopback([OWN_ADDRESS6])
        subprocess.run(["ip", "-6", "route", "add", "local", "fd00:7672::/64", "dev", "lo"], check=True)
        plan = {
            "": world.Zone(),
            "test": world.Zone(),
            "dns.test": world.Zone(),
            **{f"{name}.test": world.Zone(*how) for name, how in recipes.ZONES.items()},
        }
        known = {name: {"sign": zone.sign, "fault": zone.fault} for name, zone in plan.items()}
        for server in (*world.NAMESERVERS, zones.SIGNER):
            zones.write_config(run, server, known)
        ds = {name: zones.make_key(run, name, zone.sign) for name, zone in plan.items() if zone.sign}
        with open(f"{run}/root.key", "w") as file:
            file.write(f". 3600 IN DS {ds['']['2']}\n")
        self.records = {
            name: [[name, TTL, "NS", f"{server}.dns.test."] for server in world.NAMESERVERS] for name in plan
        }
        for server, address in world.NAMESERVERS.items():
            self.add(f"{server}.dns.test", "A", address)
            self.records[""].append([f"{server}.dns.test", TTL, "A", address])
        for name, zone in plan.items():
            if name:
                parent = self.records[above(name)]
                parent += [[name, TTL, "NS", f"{server}.dns.test."] for server in world.NAMESERVERS]
                if zone.ds != "none":
                    parent += [[name, TTL, "DS", data] for data in zones.ds_set(zone.ds, ds[name])]
        os.makedirs(f"{run}/chains")
        self.authority = certificates.Authority()
        for d in self.recipes:
            self.publish(d)
        zones.share_keys(run)
        serial = int(time.time())
        state = {
            "zones": {
                name: {
                    **known[name],
                    "serial": {server: serial for server in world.NAMESERVERS},
                    "records": {server: self.records[name] for server in world.NAMESERVERS},
                }
                for name in plan
            }
        }
        for name, zone in state["zones"].items():
            for server in world.NAMESERVERS:
                zones.write_zone(run, server, name, zone)
        daemons.write_unbound(run, CACHE_TTL)
        with open(f"{run}/places.json", "w") as file:
            json.dump(self.places, file)
        for name in (*world.NAMESERVERS, "unbound"):
            daemons.start(run, name)
        with open(f"{run}/log.smtp", "w") as log:
            server = subprocess.Popen(
                [
                    sys.executable,
                    os.path.join(os.path.dirname(os.path.abspath(__file__)), "server.py"),
                    f"{run}/places.json",
                    f"{run}/smtp.ready",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        for name in (*world.NAMESERVERS, "unbound"):
            daemons.wait_ready(run, name, state)
        lab_state.until(
            lambda: os.path.exists(f"{run}/smtp.ready") or server.poll() is not None, "the mail servers", 60
        )
        if server.poll() is not None:
            raise RuntimeError("the mail servers did not start")


def digest(d):
    """A short name of a recipe's content."""
    return hashlib.sha256(json.dumps(d, sort_keys=True).encode()).hexdigest()[:8]
