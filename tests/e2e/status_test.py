#!/usr/bin/python3
"""A domain's status is one word wherever one looks: API, metrics, `check`, Nagios. The public page and badges say what
happens to mail, as the API does."""

import re
import unittest
from concurrent.futures import ThreadPoolExecutor

import yaml

from living_lab import DANELAW, LivingLab, until

WORDS = ("ok", "warning", "critical", "unknown")  # by the numbers of Nagios
COLOURS = {"#0b6b3a": "ok", "#8a5a00": "warning", "#b42318": "critical", "#6941c6": "unknown"}
PARTNER = "mismatch.test"  # its mail waits; as a partner's trouble it is a degree calmer
# What happens to mail, as the public page says and shows it.
MAIL = {
    "held-up": ("critical", "✗", "mail does not arrive"),
    "unprotected": ("warning", "!", "mail is not protected"),
    "at-risk": ("warning", "!", "mail arrives; something is wrong"),
    "fine": ("ok", "✓", "mail arrives securely"),
    "unknown": ("unknown", "?", "unknown"),
}
TAKES_NONE = ("ok", "✓", "takes no mail")
HIDDEN = "healthy.test"  # its first MX gets IPv6 only, its second is sound


class Status(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = LivingLab()
        cls.addClassCleanup(cls.lab.close)
        names = sorted(cls.lab.expected)
        with open(f"{cls.lab.dir}/danelaw.yaml") as file:
            web = yaml.safe_load(file)["web"]
        watched = [{"name": name, "role": "outbound"} if name == PARTNER else name for name in names]
        cls.lab.configure_agent(watched, web={**web, "public_badges": names})
        cls.names = names

    def agents_words(self):
        """outlet -> domain -> status, of all that the agent says at one moment."""
        metrics = self.lab.text("/metrics")
        page = self.lab.text("/public")
        rows = re.findall(r'<article><h2>([^<]+)</h2><p><span class="mark (\w+)">(\S) ([^<]+)<', page)
        listed = self.lab.get("/api/v1/domains?limit=500")["items"]
        out = {
            "list": {d["domain"]: d["status"] for d in listed},
            "domain": {n: self.lab.domain(n)["status"] for n in self.names},
            "metrics": {
                n: WORDS[int(v)]
                for n, v in re.findall(r'^danelaw_domain_status\{domain="([^"]+)"\} (\d)$', metrics, re.M)
            },
            "public.json": {d["domain"]: d["status"] for d in self.lab.get("/public.json")["items"]},
        }
        shown = {name: (look, sign, words) for name, look, sign, words in rows}
        mail = {d["domain"]: TAKES_NONE if d["verdict"] == "no-mail" else MAIL[d["delivery"]] for d in listed}
        self.is_shown = shown == mail and self.badges() == [{name: look for name, (look, *_) in mail.items()}] * 2
        words = list(out["list"].values())
        counts = {word: words.count(word) for word in WORDS}
        totals = {word: self.lab.get(f"/api/v1/domains?limit=500&status={word}")["total"] for word in WORDS}
        metric = {w: int(v) for w, v in re.findall(r'^danelaw_domains\{status="(\w+)"\} (\d+)$', metrics, re.M)}
        status = self.lab.get("/api/v1/status")["counts"]
        return out, [counts, totals, metric, status]

    def badges(self):
        """What they look like, in both forms."""
        path = "/api/v1/domains/{}/badge.{}"
        drawn = r'height="20" fill="(#(?!344054)\w+)"'
        return [
            {n: COLOURS[self.lab.get(path.format(n, "json"))["color"]] for n in self.names},
            {n: COLOURS[re.search(drawn, self.lab.text(path.format(n, "svg")))[1]] for n in self.names},
        ]

    def agree(self, seconds=90):
        """One word a domain, the same of all outlets; a look between two questions is waited out."""
        last = {}

        def all_agree():
            outlets, counts = self.agents_words()
            told = {n: {outlet: said.get(n) for outlet, said in outlets.items()} for n in self.names}
            last["differ"] = {n: words for n, words in told.items() if len(set(words.values())) != 1}
            last["counts"] = counts
            last["public page"] = self.is_shown
            agrees = not last["differ"] and self.is_shown and all(c == counts[0] for c in counts)
            return agrees and outlets["list"]

        try:
            return until("all outlets agree", seconds, all_agree)
        except AssertionError as error:
            raise AssertionError(f"{error}: {last}") from None

    def checks_word(self, name):
        """What `check` says: in JSON, by its exit status, and as a Nagios plug-in."""
        seen, code = self.lab.check(name)
        nagios = self.lab.inside(
            DANELAW, "check", "--config", f"{self.lab.dir}/danelaw.yaml", "--format", "nagios", name
        )
        word = re.match(r"DANE (\w+): ", nagios.stdout)[1].lower()
        return {"json": seen[name]["status"], "exit": WORDS[code], "nagios": word, "its exit": WORDS[nagios.returncode]}

    def check_agrees(self, agent):
        with ThreadPoolExecutor(4) as pool:
            for name, said in zip(self.names, pool.map(self.checks_word, self.names)):
                with self.subTest(domain=name):
                    self.assertEqual(said, dict.fromkeys(("json", "exit", "nagios", "its exit"), agent[name]))

    def test_all_outlets_say_the_same_of_every_domain(self):
        self.lab.start_agent()
        self.addCleanup(lambda: self.lab.agent and self.lab.stop_agent(15))
        self.lab.wait_for_all_verdicts()
        agent = self.agree()
        self.assertEqual({agent[PARTNER], agent["nostarttls.test"], agent[HIDDEN]}, {"warning", "critical", "ok"})
        self.assertEqual({self.lab.domain(n)["delivery"] for n in (PARTNER, "nostarttls.test")}, {"held-up"})
        self.check_agrees(agent)
        for item in self.lab.get("/api/v1/domains?limit=500")["items"]:
            if item["verdict"] in ("deferred", "bounced", "lookup-failed"):
                self.assertNotEqual(item["status"], "ok", item)

        # The first MX has an IPv6 address only, and from here on this machine has none.
        self.lab.lab("set", "mx.healthy.test", "A", "--flush")
        self.lab.lab("set", HIDDEN, "MX", "10 mx.healthy.test.", "20 mx.provider.test.", "--flush")
        self.lab.inside("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", check=True)
        self.addCleanup(self.lab.inside, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=0")
        until("it is seen", 90, lambda: self.lab.domain(HIDDEN)["status"] == "unknown")
        agent = self.agree()
        self.assertEqual(agent[HIDDEN], "unknown")
        self.check_agrees(agent)


if __name__ == "__main__":
    unittest.main()
