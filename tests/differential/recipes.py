"""Random mail domains: what one looks like follows from a seed and its number, and from nothing else.

A recipe is plain data (JSON prints it). internet.py publishes it; nothing here knows what a sender makes of it.

    domain: n, zone, mx (mx, implicit, null, null-beside, nxdomain), alias (zones of CNAMEs from the domain), hosts
    host:   pref, zone, kind (name, literal4, literal6, bracket, numeric, nodata, nxdomain), alias (zones of CNAMEs),
            v4, v6 (addresses that answer), dead4, dead6 (that refuse), tlsa ([usage, selector, matching type, of]),
            tlsa_at (final, alias, both, middle), tlsa_via (direct, wildcard, or the zone of a CNAME's target),
            cert (key, names, dates, issuer, sends), tls (a mode), and what is said: banner, ehlo, helo, starttls, after
    is_random: the sender's own dice decide; it is delivered to several times
"""

import random

# zone -> (how it is signed, its DS at the parent, its fault), in the words of tests/lab/world.py.
ZONES = {
    "sec": ("ecdsa", "good", ""),
    "three": ("nsec3", "good", ""),
    "opt": ("nsec3-optout", "good", ""),
    "rsa": ("rsa", "good", ""),
    "ed": ("ed25519", "good", ""),
    "uns": ("", "none", ""),
    "isl": ("ecdsa", "none", ""),
    "dsb": ("ecdsa", "wrong", ""),
    "bog": ("ecdsa", "good", "garbage"),
    "exp": ("ecdsa", "good", "expired"),
    "nosig": ("ecdsa", "good", "missing"),
    "bmx": ("ecdsa", "good", "garbage:MX"),
    "ba": ("ecdsa", "good", "garbage:A"),
    "baaaa": ("ecdsa", "good", "garbage:AAAA"),
    "btlsa": ("ecdsa", "good", "garbage:TLSA"),
    "etlsa": ("ecdsa", "good", "expired:TLSA"),
    "ntlsa": ("ecdsa", "good", "missing:TLSA"),
    "ltlsa": ("ecdsa", "good", "lately:TLSA"),
    "lmx": ("ecdsa", "good", "lately:MX"),
    "bcn": ("ecdsa", "good", "garbage:CNAME"),
    "ncn": ("ecdsa", "good", "missing:CNAME"),
    "bnsec": ("ecdsa", "good", "garbage:NSEC"),
}
SOUND = ("sec", "three", "opt", "rsa", "ed")
INSECURE = ("uns", "isl")

GOOD = {
    "banner": "220 {host} ESMTP",
    "ehlo": "250-{host}|250-PIPELINING|250-STARTTLS|250 8BITMIME",
    "helo": "250 {host}",
    "starttls": "220 2.0.0 Ready",
    "after": "250-{host}|250 8BITMIME",
}
CERT = {"key": "ecdsa", "names": "base", "dates": "ok", "issuer": "inter", "sends": "inter"}


def weighted(dice, table):
    """One key of a table of weights."""
    return dice.choices(list(table), list(table.values()))[0]


def sound_zone(dice):
    return weighted(dice, {"sec": 60, "three": 14, "opt": 12, "rsa": 8, "ed": 6})


def host(dice, pref=10):
    return {
        "pref": pref,
        "zone": weighted(dice, {sound_zone(dice): 85, "uns": 12, "isl": 3}),
        "kind": "name",
        "alias": [],
        "v4": 1,
        "v6": int(dice.random() < 0.2),
        "dead4": 0,
        "dead6": 0,
        "tlsa": [[3, 1, 1, "leaf"]] if dice.random() < 0.85 else [],
        "tlsa_at": "final",
        "tlsa_via": "direct",
        "cert": dict(CERT),
        "tls": "normal",
        **GOOD,
    }


# ---- troubles: each changes one thing of a recipe


def domain_zone(dice, d, h):
    d["zone"] = weighted(
        dice,
        {
            "uns": 30,
            "isl": 5,
            "bmx": 8,
            "bog": 4,
            "exp": 3,
            "dsb": 3,
            "nosig": 3,
            "opt": 10,
            "bnsec": 4,
            "bcn": 3,
            "lmx": 3,
        },
    )


def host_zone(dice, d, h):
    h["zone"] = weighted(
        dice,
        {
            "uns": 30,
            "isl": 8,
            "btlsa": 14,
            "etlsa": 6,
            "ntlsa": 6,
            "ba": 10,
            "baaaa": 8,
            "bog": 5,
            "exp": 4,
            "dsb": 3,
            "bnsec": 8,
            "opt": 10,
            "ltlsa": 5,
        },
    )


def implicit(dice, d, h):
    d["mx"] = "implicit"
    if dice.random() < 0.5:
        domain_alias(dice, d, h)
        d["hosts"][0]["tlsa_at"] = weighted(dice, {"final": 3, "alias": 4, "both": 2, "middle": 1})


def special_mx(dice, d, h):
    d["mx"] = weighted(dice, {"null": 2, "null-beside": 4, "nxdomain": 1})
    d["null_pref"] = dice.choice([0, 10, 30])


def domain_alias(dice, d, h):
    d["alias"] = [
        weighted(dice, {sound_zone(dice): 6, "uns": 3, "bcn": 0.4, "bog": 0.4})
        for _ in range(weighted(dice, {1: 8, 2: 2}))
    ]
    if dice.random() < 0.2:
        d["zone"] = weighted(dice, {"uns": 8, "bcn": 1, "ncn": 2})


def host_alias(dice, d, h):
    h["alias"] = [
        weighted(dice, {sound_zone(dice): 6, "uns": 4, "isl": 1, "ba": 0.4, "btlsa": 0.4, "bcn": 0.4})
        for _ in range(weighted(dice, {1: 7, 2: 2, 3: 1}))
    ]
    h["tlsa_at"] = weighted(dice, {"final": 4, "alias": 4, "both": 2, "middle": 1})
    if dice.random() < 0.25:
        h["zone"] = weighted(dice, {"uns": 5, "bcn": 1, "ncn": 1, "isl": 1, sound_zone(dice): 3})


def odd_name(dice, d, h):
    h["kind"] = weighted(dice, {"literal4": 4, "literal6": 2, "bracket": 1, "numeric": 1})


def no_address(dice, d, h):
    for one in [h] if dice.random() < 0.6 else d["hosts"]:
        one["kind"] = dice.choice(["nodata", "nxdomain"])


def addresses(dice, d, h):
    h["v4"], h["v6"], h["dead4"], h["dead6"] = weighted(
        dice,
        {
            (1, 1, 0, 0): 3,
            (3, 2, 0, 0): 2,
            (0, 1, 0, 0): 3,
            (0, 0, 1, 0): 3,
            (0, 0, 0, 1): 1,
            (1, 0, 1, 0): 2,
            (1, 0, 0, 1): 2,
            (0, 1, 2, 0): 2,
            (0, 0, 5, 0): 2,
            (0, 0, 6, 0): 3,
            (0, 0, 7, 1): 2,
            (0, 0, 4, 4): 2,
            (0, 0, 2, 9): 1,
            (1, 1, 8, 0): 2,
            (7, 0, 0, 0): 1,
        },
    )


def refusing_ahead(dice, d, h):
    """More hosts in front whose addresses all refuse, TLSA or connection; the sound one stands last."""
    count = dice.randint(2, 6)
    ahead = []
    for place in range(count):
        one = host(dice, 1 + (place if dice.random() < 0.7 else 0))
        one.update(
            {
                "down": {"v4": 0, "v6": 0, "dead4": dice.choice([1, 1, 2]), "dead6": dice.choice([0, 0, 1])},
                "wrong": {"tlsa": [[3, 1, 1, "wrong"]], "zone": "sec"},
                "lookup": {"zone": "btlsa", "tlsa": [[3, 1, 1, "leaf"]]},
                "none": {"kind": "nodata"},
            }[weighted(dice, {"down": 3, "wrong": 2, "lookup": 1, "none": 1})]
        )
        ahead.append(one)
    d["hosts"] = ahead + d["hosts"][:2]


LEAF, WRONG, INTER, ROOT = "leaf", "wrong", "inter", "root"
SETS = [
    [[3, 0, 1, LEAF]],
    [[3, 1, 0, LEAF]],
    [[3, 0, 0, LEAF]],
    [[3, 1, 2, LEAF]],
    [[3, 0, 2, LEAF]],
    [[3, 1, 1, WRONG]],
    [[3, 1, 1, WRONG]],
    [[3, 0, 1, WRONG]],
    [[3, 1, 2, WRONG]],
    [[3, 1, 1, LEAF], [3, 1, 1, WRONG]],
    [[3, 1, 1, WRONG], [3, 1, 1, WRONG]],
    [[3, 1, 1, LEAF], [3, 1, 2, WRONG]],
    [[3, 1, 1, WRONG], [3, 1, 2, LEAF]],
    [[3, 0, 1, LEAF], [3, 1, 2, WRONG]],
    [[3, 1, 0, LEAF], [3, 1, 2, WRONG]],
    [[3, 1, 1, LEAF], [3, 1, 0, WRONG]],
    [[2, 1, 1, INTER], [3, 1, 1, WRONG]],
    [[2, 1, 1, WRONG], [3, 1, 1, LEAF]],
    [[2, 1, 1, INTER], [2, 1, 2, WRONG]],
    [[1, 1, 1, LEAF]],
    [[0, 0, 1, INTER]],
    [[0, 1, 1, INTER], [1, 1, 1, LEAF]],
    [[1, 1, 1, LEAF], [3, 1, 1, LEAF]],
    [[1, 1, 1, LEAF], [3, 1, 1, WRONG]],
    [[4, 1, 1, LEAF]],
    [[255, 1, 1, LEAF]],
    [[3, 2, 1, LEAF]],
    [[3, 255, 1, LEAF]],
    [[3, 1, 3, LEAF]],
    [[3, 1, 255, LEAF]],
    [[3, 2, 1, LEAF], [3, 1, 1, LEAF]],
    [[3, 1, 3, LEAF], [3, 1, 1, WRONG]],
    [[3, 1, 1, LEAF], [3, 1, 3, WRONG]],
    [[3, 1, 1, "short"]],
    [[3, 1, 1, "long"]],
    [[3, 1, 2, "short"]],
    [[3, 1, 1, "short"], [3, 1, 1, LEAF]],
    [[3, 1, 1, LEAF], [3, 1, 2, "short"]],
    [[3, 1, 2, "short"], [3, 1, 1, WRONG]],
    [[3, 0, 0, "junk"]],
    [[2, 0, 0, "junk"]],
    [[3, 1, 0, "junk"]],
    [[2, 1, 0, "junk"]],
    [[3, 0, 0, "junk"], [3, 1, 1, LEAF]],
    [[3, 1, 0, "junk"], [3, 1, 1, LEAF]],
    [[2, 0, 0, "junk"], [2, 1, 1, INTER]],
    [[3, 1, 1, "empty"]],
    [[3, 1, 1, "empty"], [3, 1, 1, LEAF]],
    [[3, 1, 0, "empty"]],
    [[3, 1, 1, WRONG]] * 20 + [[3, 1, 1, LEAF]],
    [[3, 1, 1, WRONG]] * 80 + [[3, 1, 1, LEAF]],
    [[3, 1, 1, WRONG]] * 60,
    [],
]
ANCHORS = [
    [[2, 1, 1, INTER]],
    [[2, 0, 1, INTER]],
    [[2, 1, 2, INTER]],
    [[2, 0, 2, INTER]],
    [[2, 0, 0, INTER]],
    [[2, 1, 0, INTER]],
    [[2, 1, 1, ROOT]],
    [[2, 0, 1, ROOT]],
    [[2, 0, 0, ROOT]],
    [[2, 1, 0, ROOT]],
    [[2, 1, 1, LEAF]],
    [[2, 0, 1, LEAF]],
    [[2, 0, 0, LEAF]],
    [[2, 1, 0, LEAF]],
    [[2, 1, 1, WRONG]],
    [[2, 1, 1, INTER], [2, 1, 1, WRONG]],
]


def tlsa_set(dice, d, h):
    h["tlsa"] = dice.choice(SETS)


def tlsa_via(dice, d, h):
    h["tlsa_via"] = weighted(dice, {"wildcard": 6, sound_zone(dice): 4, "uns": 3, "btlsa": 1, "bcn": 0.5})
    if h["tlsa_via"] == "wildcard" and dice.random() < 0.5:
        h["zone"] = weighted(dice, {"opt": 3, "three": 1, "uns": 1})
    h["tlsa"] = h["tlsa"] or [[3, 1, 1, LEAF]]


def anchors(dice, d, h):
    h["tlsa"] = dice.choice(ANCHORS)
    if dice.random() < 0.7:
        certificate(dice, d, h)
    if dice.random() < 0.25:
        d["mx"] = "implicit"
    elif dice.random() < 0.25:
        d["zone"] = "uns"
    if dice.random() < 0.25:
        dice.choice([host_alias, domain_alias])(dice, d, h)


def certificate(dice, d, h):
    what = weighted(dice, {"names": 6, "dates": 2, "sends": 3, "issuer": 2, "key": 1})
    h["cert"][what] = weighted(
        dice,
        {
            "names": {
                "base": 2,
                "mxname": 3,
                "next": 3,
                "nextfinal": 2,
                "other": 2,
                "wild": 2,
                "partial": 1,
                "cnonly": 2,
                "cnbase-sanother": 1,
                "wildnext": 1,
                "deep": 1,
            },
            "dates": {"expired": 2, "future": 1},
            "sends": {"leaf": 2, "inter+root": 3, "root": 1, "root+inter": 1, "inter+inter": 1, "other": 1},
            "issuer": {"root": 2, "self": 2, "oldinter": 2, "notca": 1, "oldroot": 1},
            "key": {"rsa": 3, "p384": 2, "ed25519": 1, "rsa1024": 1, "dual": 3, "p521": 1},
        }[what],
    )


def tls(dice, d, h):
    h["tls"] = weighted(
        dice,
        {
            "tls10": 3,
            "tls11": 1,
            "tls12": 2,
            "tls13": 2,
            "anonymous": 2,
            "close": 2,
            "garbage": 1,
            "alert": 1,
            "sni": 2,
            "ask-client": 1,
            "need-client": 2,
            "inject": 1,
            "dh": 1,
            "late-close": 1,
            "stall": 0.3,
        },
    )


def say(**words):
    """A trouble of what is said, by weights."""
    what, table = next(iter(words.items()))

    def trouble(dice, d, h):
        h[what] = weighted(dice, table)

    trouble.__name__ = what
    return trouble


banner = say(
    banner={
        "220-{host}|220-more|220 {host} ESMTP": 2,
        "220 {host}": 2,
        "220": 1,
        "220 ********0*0*": 2,
        "250 {host} hello": 1,
        "299 odd": 1,
        "421 4.3.2 busy": 3,
        "450 4.7.1 later": 2,
        "454 5.7.1 odd": 1,
        "554 5.7.1 no service": 4,
        "500 no": 1,
        "521 5.3.2 no mail": 2,
        "354 go on": 1,
        "150 wait": 1,
        "junk without a code|220 {host} ESMTP": 3,
        "|220 {host}": 1,
        "220_{host}|220 {host}": 1,
        "220-{host}|421 4.3.2 busy": 1,
        "421-busy|220 {host}": 1,
        "close": 2,
        "junk|close": 1,
        "22 {host}|220 {host}": 1,
        "220-{host} ESMTP|junk between|220 ready": 1,
        "0220 {host}|220 {host}": 1,
        "650 {host}": 1,
        "000 {host}": 0.5,
        "220\t{host}|220 {host}": 0.5,
        "220 " + "x" * 3000: 1,
    }
)
CODES = {
    code: 1
    for code in (
        "421 4.7.0 away",
        "450 4.7.1 wait",
        "451 no",
        "454 no",
        "500 5.5.2 what",
        "501 5.5.4 bad name",
        "502 5.5.1 no",
        "503 5.5.1 order",
        "504 no",
        "521 no",
        "530 5.7.0 login",
        "550 5.7.1 refused",
        "554 5.7.1 no",
        "354 go",
        "150 hm",
        "550-no|250 yes",
        "250-yes|550 no",
        "close",
    )
}


def ehlo_refused(dice, d, h):
    h["ehlo"] = weighted(dice, CODES)
    h["helo"] = weighted(
        dice,
        {
            GOOD["helo"]: 6,
            "550 5.7.1 refused": 2,
            "501 5.5.4 bad name": 1,
            "450 4.7.1 later": 1,
            "421 4.3.2 away": 1,
            "354 go": 0.5,
            "junk|250 {host}": 0.5,
            "close": 0.5,
        },
    )


ehlo = say(
    ehlo={
        "250-{host}|250 8BITMIME": 8,
        "250 {host}": 2,
        "250-{host}|250-XXXXXXXA|250 8BITMIME": 4,
        "250-{host}|250 starttls": 2,
        "250-{host}|250-STARTTLS=yes|250 8BITMIME": 1,
        "250-{host}|250 STARTTLS now": 1,
        "250 STARTTLS": 2,
        "250-STARTTLS|250 8BITMIME": 1,
        "250-{host}|junk|250 STARTTLS": 2,
        "250-{host}|junk STARTTLS|250 8BITMIME": 2,
        "250-{host}|STARTTLS|250 8BITMIME": 2,
        "junk|250-{host}|250 STARTTLS": 1,
        "junk|250 STARTTLS": 1,
        "250-{host}|250- STARTTLS|250 8BITMIME": 1,
        "250-{host}|250--STARTTLS|250 X": 1,
        "250-{host}|250_STARTTLS|250 8BITMIME": 1,
        "299-{host}|299 STARTTLS": 1,
        "220-{host}|220 STARTTLS": 1,
        "250-{host}|250-X STARTTLS|250 X": 1,
        "250-{host}|220-STARTTLS|250 X": 1,
        "250-{host}|250-STARTTLSX|250 X": 1,
        "250-{host}|250-STARTTLS-X|250 X": 1,
        "250-{host}|250\tSTARTTLS|250 X": 1,
        "250-{host}|" + "|".join(f"250-X-{i:04d}-{'y' * 40}" for i in range(60)) + "|250 STARTTLS": 2,
        "250-{host}|250-X" + "y" * 3000 + "|250 STARTTLS": 2,
        "250-{host}|250-STARTTLS|250-X" + "y" * 3000 + "|250 X": 1,
        "250-|250-STARTTLS|250 X": 1,
        "250-{host}|250-STARTTLS|250": 1,
        "250-{host}|250-STARTTLS|250-|250 X": 1,
    }
)
starttls = say(
    starttls={
        "454 4.7.0 not now": 5,
        "421 4.3.0 away": 2,
        "450 no": 1,
        "500 5.5.1 what": 3,
        "501 5.5.4 syntax": 2,
        "502 5.5.1 no": 3,
        "503 order": 1,
        "530 5.7.0 auth": 1,
        "554 5.7.3 no": 3,
        "250 2.0.0 fine": 2,
        "299 odd": 1,
        "334 go": 1,
        "150 wait": 1,
        "454 5.7.0 odd": 1,
        "554 4.3.0 odd": 1,
        "junk|220 ready": 2,
        "220-go|220 ready": 1,
        "220-go|454 no": 1,
        "close": 2,
        "220": 1,
    }
)
after = say(
    after={
        "421 4.3.2 busy": 3,
        "450 4.7.1 later": 1,
        "500 5.5.1 what": 1,
        "550 5.7.1 refused": 2,
        "502 no": 2,
        "close": 2,
        "junk|250 {host}": 1,
        "354 go": 0.5,
        "250-{host}|250 STARTTLS": 1,
    }
)

TROUBLES = {
    domain_zone: 6,
    host_zone: 8,
    implicit: 6,
    special_mx: 2,
    domain_alias: 4,
    host_alias: 9,
    odd_name: 3,
    no_address: 3,
    addresses: 5,
    refusing_ahead: 3,
    tlsa_set: 14,
    tlsa_via: 6,
    anchors: 12,
    certificate: 4,
    tls: 7,
    banner: 6,
    ehlo_refused: 6,
    ehlo: 8,
    starttls: 8,
    after: 3,
}


def recipe(seed, number):
    """Domain NUMBER of SEED."""
    dice = random.Random(f"{seed}:{number}")
    count = weighted(dice, {1: 60, 2: 28, 3: 12})
    is_level = dice.random() < 0.2
    d = {
        "n": number,
        "zone": weighted(dice, {sound_zone(dice): 84, "uns": 13, "isl": 3}),
        "mx": "mx",
        "alias": [],
        "hosts": [host(dice, 10 if is_level else 10 * (place + 1)) for place in range(count)],
    }
    d["troubles"] = []
    for _ in range(weighted(dice, {0: 6, 1: 42, 2: 34, 3: 18})):
        trouble = weighted(dice, TROUBLES)
        # The first host decides most; a trouble far behind is seldom seen.
        trouble(dice, d, d["hosts"][0] if dice.random() < 0.7 else dice.choice(d["hosts"]))
        d["troubles"].append(trouble.__name__)
    if d["mx"] == "implicit":
        d["hosts"] = d["hosts"][:1]
        only = d["hosts"][0]
        only["kind"] = only["kind"] if only["kind"] == "nodata" else "name"
        only["zone"], only["alias"] = d["zone"], d["alias"]
    d["is_random"] = is_random(d)
    if d["is_random"]:
        # A record that may end the sender's process: such a domain gets one mail only, too few where dice decide.
        for h in d["hosts"]:
            h["tlsa"] = [[*record, "short" if of == "empty" else of] for *record, of in h["tlsa"]]
    return d


def is_random(d):
    """Whether the order in which a sender takes hosts and addresses can matter."""
    prefs = [h["pref"] for h in d["hosts"]]
    return len(set(prefs)) < len(prefs) or sum(h["v4"] + h["v6"] + h["dead4"] + h["dead6"] for h in d["hosts"]) > 5
