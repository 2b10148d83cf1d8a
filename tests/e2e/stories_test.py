#!/usr/bin/python3
"""Rollovers that go well and badly, lived through in real time: what the agent says of each and when,
and whom it tells. All are played at once on one lab, with TLSA records that live for 30 s.
"""

import concurrent.futures
import dataclasses
import hashlib
import hmac
import re
import sys
import threading
import time
import unittest
import urllib.error
from datetime import datetime

import sink
from living_lab import ALERTMANAGER, DANELAW, LivingLab, until

T = 30  # TTL of the stories' TLSA records, seconds
SLACK = T / 2  # by which what the agent says may be late: it looks often enough to grade (T/2)
SCHEDULE = {"interval": "20s", "fastest": "2s", "confirm_after": "2s", "retry_after": "2s", "workers": 8}
HEALTHY = "healthy.test"
RECEIVERS = ("/danelaw", "/alertmanager", "/second")
SECRET = "what only we and the sink know"


# ---- what operators do


def publish(*keys, at=None):
    """The TLSA set becomes the records of these keys (old, new, ca), at one name server if `at`."""

    def act(story):
        where = ["--server", at] if at else []
        story.lab.lab("set", story.owner, "TLSA", *[story.records[key] for key in keys], *where)

    return act


def swap(story):
    """The new key goes live."""
    story.lab.lab("swap", story.host)


def once_seen(state, act):
    """Act as soon as two looks of the agent have shown a state: one alone may have taken the old key in
    before the new records, and proves nothing of their order.
    """

    def wait(story):
        def looks():
            return story.looks if story.seen[-1][1]["state"] == state else None

        first = until(f"the agent says {state}", T, looks)
        until(f"the agent says {state} again", T, lambda: (looks() or 0) > first)
        act(story)

    return wait


def ask_gate(story):
    """May the new key go live?"""
    certificate = f"{story.lab.facts()['run']}/pki/next/{story.host}.ecdsa.pem"
    done = story.lab.inside(
        DANELAW, "gate", "--config", f"{story.lab.dir}/danelaw.yaml", "--host", story.host, certificate
    )
    story.gate.append((done.returncode, done.stdout + done.stderr))


@dataclasses.dataclass
class Span:
    """A time that begins with one step and ends `later` seconds after another; None: it lasts."""

    begin: str
    end: str = None
    later: float = 0


@dataclasses.dataclass
class Story:
    """What is done at a host and when, and what the agent must make of it."""

    says: str
    steps: list  # (second, name, action)
    # A regular expression for the distinct states. A look takes name servers and endpoints one after
    # the other, so that a change in the middle of it may show in halves: (such a state )?
    states: str
    grade: str = None  # of the one rollover; None: there is none
    lead: tuple = ()  # the steps (published, deployed) it is counted between
    windows: tuple = ()  # in which some cache refuses the host: a Span each
    alerts: dict = dataclasses.field(default_factory=dict)  # code -> Span of the trouble
    findings: tuple = ()  # codes that explain it to who looks, beside the alerts
    says_so: tuple = ()  # what title, explanation and steps of the first alert say; {owner}, {old}: the record
    gate: list = dataclasses.field(default_factory=list)  # (exit status, text) of each ask_gate

    def prepare(self, lab, name):
        """Make the next key; note the records."""
        self.lab, self.name = lab, name
        self.domain, self.host = f"story-{name}.test", f"mx.story-{name}.test"
        self.owner = f"_25._tcp.{self.host}"
        lab.lab("prepare", self.host)
        self.records = {
            key: lab.lab("tlsa", self.host, *more).strip()
            for key, more in (("old", ()), ("new", ("--next",)), ("ca", ("--usage", "2")))
        }
        self.done = {}  # step -> (began, ended)
        self.seen = []  # (time, rollover object of the API), one for every change
        self.shares = []  # (time, rollover), all of them
        self.findings_seen = set()  # codes, all that were ever told of the domain
        self.looks, self.observed_at = 0, None
        self.verdicts = []  # (time, verdict of the domain), one for every look
        self.failure = None

    def play(self, began):
        """Do every step at its time."""
        try:
            for second, name, action in self.steps:
                time.sleep(max(0, began + second - time.time()))
                start = time.time()
                action(self)
                self.done[name] = (start, time.time())
        except Exception as failure:  # the story's own test tells
            self.failure = failure

    def observe(self, rollover, domain):
        """Take note of what the API says now."""
        if domain["observed_at"] != self.observed_at:
            self.observed_at = domain["observed_at"]
            self.looks += 1
            if self.observed_at:
                self.verdicts.append((unix(self.observed_at), domain["verdict"]))

        def lasting(one):
            return {key: value for key, value in one.items() if key not in ("failing_share", "held_share")}

        self.shares.append((time.time(), rollover))
        self.findings_seen |= {one["code"] for one in domain["findings"]}
        if not self.seen or lasting(self.seen[-1][1]) != lasting(rollover):
            self.seen.append((time.time(), rollover))

    def stretches(self):
        """(state, time it was first seen, last thing seen in it) for every change of state."""
        out = []
        for at, rollover in self.seen:
            if out and out[-1][0] == rollover["state"]:
                out[-1] = (*out[-1][:2], rollover)
            else:
                out.append((rollover["state"], at, rollover))
        return out

    def events(self):
        """What people must be told: (code, event), each once."""
        return [
            (code, event)
            for code, span in self.alerts.items()
            for event in ("opened", "resolved")[: 2 if span.end else 1]
        ]

    def is_mine(self, alert):
        return self.host in alert["subject"]["name"] or self.domain in (alert["subject"]["name"], *alert["domains"])

    def report(self):
        """The story as it went, for who has to find out why it failed."""
        zero = min((start for start, _ in self.done.values()), default=0)
        lines = [(start, f"[{name}] took {end - start:.1f} s") for name, (start, end) in self.done.items()]
        for at, r in self.seen:
            window = r["window"] and "{} .. {}".format(*[t and f"{unix(t) - zero:+.0f}" for t in r["window"].values()])
            share = "none" if r["failing_share"] is None else f"{r['failing_share']:.2f}"
            lines.append(
                (
                    at,
                    f"{r['state']}, window {window}, share {share}, safe to switch "
                    f"{r['safe_to_switch_at']}, rollovers {[(g['grade'], g['lead']) for g in r['rollovers']]}",
                )
            )
        for alert in self.told:
            for key in ("first_seen_at", "opened_at", "resolved_at"):
                if alert[key]:
                    lines.append((unix(alert[key]), f"alert {alert['code']} {alert['severity']}: {key}"))
        lines += self.heard
        head = f"{self.name}: {self.says}; failure: {self.failure}; second 0 is {datetime.utcfromtimestamp(zero)}"
        return "\n".join([head, *[f"{at - zero:+7.1f} {text}" for at, text in sorted(lines)], *map(str, self.gate)])


STORIES = {
    "clean": Story(
        "the record of the new key is published three TTLs before it goes live, the old one goes after the old key",
        [(0, "publish", publish("old", "new")), (3 * T, "swap", swap), (3 * T + 20, "drop", publish("new"))],
        "steady prepub-wait prepub-ok ready (switching )?rolled steady",
        # Looks are T/4 apart, so that of the 3 T at least 2.5 T are proven: this must be `safe`. A lead
        # of 2 T sharp could only be `indeterminate`.
        grade="safe",
        lead=("publish", "swap"),
    ),
    "lagging-secondary": Story(
        "ns2 gives the record of the new key a minute before ns1; the key goes live 50 s after that",
        [
            (0, "publish at ns2", publish("old", "new", at="ns2")),
            (40, "ask", ask_gate),
            (60, "publish", publish("old", "new")),
            (60 + T + SLACK, "ask again", ask_gate),
            (110, "swap", swap),
        ],
        "steady prepub-wait prepub-ok (switching )?rolled",
        # From ns2 on it would have been `safe`. What counts is that the last server has it.
        grade="tight",
        lead=("publish", "swap"),
        # H-06, which is no alert.
        alerts={"nameserver-split": Span("publish at ns2", "publish")},
        findings=("nameserver-lagging",),
    ),
    "early": Story(
        "the new key goes live at once when its record is published",
        # Not before the agent has seen the record, or it could not tell `early` from `late`. So soon
        # most caches lack it: the alert begins critical and ends high, and is one all the same.
        [
            (0, "publish", publish("old", "new")),
            (1, "swap", once_seen("prepub-wait", swap)),
            (2 * T + 10, "drop", publish("new")),
        ],
        "steady prepub-wait (switching )?stale-risk rolled steady",
        grade="early",
        lead=("publish", "swap"),
        windows=(Span("swap", "publish", T),),
        alerts={"stale-cache-window": Span("swap", "publish", T)},
    ),
    "late": Story(
        "the new key goes live, its record follows after 40 s",
        [(0, "swap", swap), (40, "publish", publish("new"))],
        "steady (partial-mismatch )?mismatch stale-risk steady",
        grade="late",
        lead=("publish", "swap"),
        windows=(Span("swap", "publish", T),),
        alerts={"tlsa-mismatch": Span("swap", "publish", T)},
        findings=("rollover-late",),
    ),
    "never": Story(
        "the new key goes live, its record never comes",
        [(0, "swap", swap)],
        "steady (partial-mismatch )?mismatch",
        # Not `never` before a day has passed: until then it may still become `late`.
        grade="indeterminate",
        windows=(Span("swap"),),
        alerts={"tlsa-mismatch": Span("swap")},
    ),
    "early-retire": Story(
        "the record of the old key is removed while the old key is live, for 45 s",
        [(0, "publish", publish("old", "new")), (T / 2, "drop", publish("new")), (2 * T, "swap", swap)],
        "steady prepub-wait (stale-risk )?mismatch (partial-mismatch )?steady",
        grade="early-retire",
        lead=("publish", "swap"),
        windows=(Span("drop", "swap"),),
        # One trouble, one alert: that the record was retired early explains the mismatch.
        alerts={"early-retire": Span("drop", "swap")},
        findings=("tlsa-mismatch",),
        says_so=(
            "the TLSA record of the key in use was removed",
            "The key has not changed since",
            "its record was removed at",
            "Put the record back: `{owner}. 30 IN TLSA {old}`",
        ),
    ),
    "one-server-drops": Story(
        "ns2 gives the record of the next key in place of that of the live one, for a minute",
        [(0, "drop at ns2", publish("new", at="ns2")), (60, "agree", publish("old"))],
        "steady (partial-mismatch )?stale-risk steady",
        windows=(Span("drop at ns2", "agree", T),),
        # It was three alerts with three contradicting fixes.
        alerts={"nameserver-split": Span("drop at ns2", "agree", T)},
        findings=("nameserver-lagging",),
        says_so=("ns2.", " lacks {old:.12}…", "the record of the key in use", "{owner}. 30 IN TLSA {old}"),
    ),
    "withdrawn": Story(
        "the records are removed; the key stays, so that nothing is refused",
        [(0, "remove", publish())],
        "steady withdrawn no-dane",
        alerts={"dane-lost": Span("remove")},
    ),
    "safe-via-ta": Story(
        "the new key goes live before its 3 1 1, but 2 1 1 of the same CA matches all along",
        [(0, "swap", swap), (40, "publish", publish("new", "ca"))],
        "steady fallback steady",
        grade="safe-via-ta",
        lead=("publish", "swap"),
        alerts={"fallback-only": Span("swap", "publish")},
    ),
}


def unix(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Stories(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # The agent's resolver remembers as long as the TTL allows, as resolvers do.
        cls.lab = LivingLab("--stories", str(T), "--cache-ttl", str(2 * T))
        cls.addClassCleanup(cls.lab.close)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda item: item[1].prepare(cls.lab, item[0]), STORIES.items()))
        cls.sink = cls.lab.start_sink()
        # Two that know nothing of each other, and one that is not there: each is told, whatever the others do.
        cls.lab.start_alertmanager()
        cls.lab.start_alertmanager(ALERTMANAGER.replace("/alertmanager", "/second"), 9094)
        with open(f"{cls.lab.dir}/secret", "w") as file:
            file.write(SECRET + "\n")
        notify = {
            "alertmanagers": [{"url": f"http://127.0.0.1:{port}"} for port in (9095, 9093, 9094)],
            "webhooks": [
                {"name": "sink", "url": "http://127.0.0.1:9099/danelaw", "secret_file": f"{cls.lab.dir}/secret"}
            ],
        }
        watched = [HEALTHY, *[story.domain for story in STORIES.values()]]
        cls.lab.configure_agent(watched, schedule=SCHEDULE, notify=notify)
        cls.lab.start_agent()
        cls.play()

    @classmethod
    def rollover(cls, host):
        """What the API says of a host; None before the first look at it."""
        try:
            return cls.lab.get(f"/api/v1/mx/{host}")["rollover"]
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return None

    @classmethod
    def states(cls):
        return {story.host: (cls.rollover(story.host) or {"state": None})["state"] for story in STORIES.values()}

    @classmethod
    def all_alerts(cls):
        return [alert for state in ("pending", "firing", "resolved", "passed") for alert in cls.lab.alerts(state)]

    @classmethod
    def play(cls):
        """Play all stories at once, and watch until all is over."""
        until("all begin in good health", 60, lambda: set(cls.states().values()) == {"steady"})
        sink.order(cls.sink, "/danelaw", 500)  # the first notice comes to a receiver in trouble
        # Not all in the same second: two cores would take their time, and steps come too late.
        starts = [time.time() + 1 + 1.5 * place for place in range(len(STORIES))]
        players = [
            threading.Thread(target=story.play, args=(start,), daemon=True)
            for story, start in zip(STORIES.values(), starts)
        ]
        for player in players:
            player.start()

        def is_over():
            for story in STORIES.values():
                story.observe(cls.rollover(story.host), cls.lab.domain(story.domain))
            if sink.received(cls.sink, "/danelaw"):
                sink.order(cls.sink)
            return not any(player.is_alive() for player in players) and cls.is_settled()

        last = max(step[0] for story in STORIES.values() for step in story.steps)
        try:
            until("all stories are over", starts[-1] - time.time() + last + 2 * T, is_over)
        except AssertionError:
            pass  # each story's own test tells what is missing
        cls.alerts = cls.all_alerts()
        for story in STORIES.values():
            story.told = [alert for alert in cls.alerts if story.is_mine(alert)]
            story.heard = [
                (one["at"], f"{path} was told: {code} {event}")
                for path in RECEIVERS
                for one, event, code, host in cls.notifications(path)
                if host == story.host
            ]
            story.failing = cls.lab.get(f"/api/v1/mx/{story.host}/timeline")["failing"]

    @classmethod
    def is_settled(cls):
        """Every story has reached its last state, and every alert that shall end has ended, and was told."""
        firing = {(a["subject"]["name"], a["code"]) for a in cls.lab.alerts("firing")}
        lasting = {(s.host, code) for s in STORIES.values() for code, span in s.alerts.items() if not span.end}
        ended = all(
            state == STORIES[name].states.split()[-1].split(")?")[-1]
            for name, state in ((s.name, s.seen[-1][1]["state"]) for s in STORIES.values())
        )
        wanted = {(s.host, code, event) for s in STORIES.values() for code, event in s.events()}
        heard = [{(host, code, event) for _, event, code, host in cls.notifications(path)} for path in RECEIVERS]
        return ended and firing == lasting and all(wanted <= each for each in heard)

    @classmethod
    def notifications(cls, path):
        """(request, event, code, subject) of everything that was told and taken so far."""
        for one in sink.received(cls.sink, path):
            if one["answer"] != "200":
                continue
            if path == "/danelaw":
                alert = one["json"]["alert"]
                yield one, one["json"]["event"], alert["code"], alert["subject"]["name"]
            else:
                for alert in one["json"]["alerts"]:
                    labels = alert["labels"]
                    event = {"firing": "opened"}.get(alert["status"], alert["status"])
                    yield one, event, labels.get("code"), labels.get("mx") or labels.get("domain")

    def each(self, check):
        for name, story in STORIES.items():
            with self.subTest(story=name):
                try:
                    check(story)
                except AssertionError as error:
                    raise AssertionError(f"{error}\n{story.report()}") from None

    def assert_within(self, at, least, most, what):
        self.assertTrue(least <= at <= most, f"{what}: {at - least:+.1f} s, at most {most - least:+.1f} s expected")

    def assert_span(self, story, span, begin, end, what, slack):
        """That a span of the agent's holds the true one and is not much longer; times in Unix seconds."""
        start, ended = story.done[span.begin]
        self.assert_within(begin, start - 1, ended + slack, f"{what} began")
        if span.end is None or end is None:
            self.assertEqual((span.end, end), (None, None), f"{what} lasts")
            return
        start, ended = story.done[span.end]
        self.assert_within(end, start + span.later - 1, ended + span.later + slack, f"{what} ended")

    def test_every_step_was_played(self):
        self.each(lambda story: self.assertEqual(list(story.done), [name for _, name, _ in story.steps]))

    def test_states_follow_each_other_as_told(self):
        def check(story):
            states = " ".join(state for state, _, _ in story.stretches())
            self.assertIsNotNone(re.fullmatch(story.states, states), f"{states}, expected {story.states}")

        self.each(check)

    def test_stale_risk_ends_when_it_was_said_to_end(self):
        def check(story):
            stretches = story.stretches()
            for (state, _, last), (_, ended, _) in zip(stretches, stretches[1:]):
                if state == "stale-risk":
                    self.assertIsNotNone(last["window"]["until"], "the end is known")
                    told = unix(last["window"]["until"])
                    self.assert_within(ended, told, told + 4, "it ended")

        self.each(check)

    def test_windows_hold_the_time_in_which_caches_refuse(self):
        def check(story):
            self.assertEqual(len(story.failing), len(story.windows), story.failing)
            for window, span in zip(story.failing, story.windows):
                self.assert_span(
                    story, span, unix(window["from"]), window["until"] and unix(window["until"]), "the window", SLACK
                )

        self.each(check)

    def test_the_share_of_failing_caches_fades_and_grows(self):
        def check(story):
            for at, rollover in story.shares:
                window = rollover["window"]
                if window is None:
                    want = 0
                elif story.name == "one-server-drops":  # half of the caches ask it
                    continue
                elif story.name == "early-retire":  # caches take the new set up one after the other
                    want = min(1, (at - unix(window["from"])) / T)
                else:  # everything fails, until the last cache has it
                    want = 1 if window["until"] is None else min(1, (unix(window["until"]) - at) / T)
                # Half of it where one look saw the change at one name server only.
                self.assertAlmostEqual(
                    rollover["failing_share"],
                    want,
                    delta=0.15,
                    msg=f"{at - story.shares[0][0]:.1f} s after the first look",
                )

        self.each(check)

    def test_the_verdict_does_not_depend_on_which_name_server_was_asked(self):
        def check(story):
            if story.name != "one-server-drops":
                return
            begin, end = story.done["drop at ns2"][1], story.done["agree"][0]
            seen = [verdict for at, verdict in story.verdicts if begin < at < end]
            self.assertGreater(len(seen), 1, "looks at both sides of chance")
            self.assertEqual(set(seen), {"authenticated"}, "who is refused is told by the finding and its alert")

        self.each(check)

    def test_rollovers_have_their_grade_and_a_lead_that_is_true(self):
        def check(story):
            rollovers = story.seen[-1][1]["rollovers"]
            self.assertEqual([one["grade"] for one in rollovers], [story.grade] if story.grade else [])
            if not story.lead:
                return
            least, most = rollovers[0]["lead"]
            published, deployed = (story.done[step] for step in story.lead)
            self.assertLessEqual(least, deployed[1] - published[0] + 1, "the least that is proven is no more than true")
            self.assertGreaterEqual(most, deployed[0] - published[1] - 1, "the most is no less than true")
            self.assertLessEqual(most - least, T, "looks were close enough")

        self.each(check)

    def test_exactly_these_alerts_were_opened_and_resolved(self):
        def check(story):
            # What one look saw half done is no alert, but goes down in history as `passed`.
            ignored = ("pending", "passed") if story.alerts else ()
            found = {alert["code"]: alert for alert in story.told if alert["state"] not in ignored}
            self.assertEqual(sorted(a["code"] for a in story.told if a["state"] not in ignored), sorted(story.alerts))
            for code, span in story.alerts.items():
                alert = found[code]
                self.assertEqual(alert["subject"], {"kind": "host", "name": story.host})
                self.assertEqual(alert["domains"], [story.domain])
                self.assertEqual(alert["state"], "resolved" if span.end else "firing")
                # To confirm takes two or three looks more.
                self.assert_span(
                    story,
                    span,
                    unix(alert["opened_at"]),
                    alert["resolved_at"] and unix(alert["resolved_at"]),
                    code,
                    2 * SLACK,
                )

        self.each(check)

    def test_alerts_say_how_it_came_about_and_what_to_do(self):
        def check(story):
            # By the letters: once it is over nothing is to be published any more.
            letters = [one["json"] for one in sink.received(self.sink, "/danelaw")]
            alerts = [one["alert"] for one in letters if one["event"] == "opened"]
            told = {alert["code"]: alert for alert in alerts if story.is_mine(alert)}
            for code in story.alerts if story.says_so else ():
                alert = told[code]
                words = "\n".join([alert["title"], alert["explanation"], *alert["fix"]])
                for wanted in story.says_so:
                    self.assertIn(wanted.format(owner=story.owner, old=story.records["old"]), words)
                # Its key never changed: there is no previous one.
                self.assertNotIn("previous key", words)
                self.assertIn(f"{story.owner}. 30 IN TLSA {story.records['old']}", alert["remedy"]["publish"])

        self.each(check)

    def test_findings_explain_it_to_who_looks(self):
        self.each(lambda story: self.assertLessEqual({*story.findings, *story.alerts}, story.findings_seen))
        # What is published on both servers at once is taken over at once.
        self.each(
            lambda story: self.assertEqual(
                "nameserver-lagging" in story.findings, "nameserver-lagging" in story.findings_seen
            )
        )

    def test_nothing_was_said_of_anybody_else(self):
        strangers = [a for a in self.alerts if not any(story.is_mine(a) for story in STORIES.values())]
        self.assertEqual([(a["code"], a["subject"]) for a in strangers], [])
        hosts = {story.host for story in STORIES.values()}
        for path in RECEIVERS:
            told = [(event, code, host) for _, event, code, host in self.notifications(path) if host not in hosts]
            self.assertEqual(told, [], path)

    def test_the_webhook_was_told_each_event_once(self):
        def check(story):
            told = [(code, event) for _, event, code, host in self.notifications("/danelaw") if host == story.host]
            self.assertEqual(told, story.events())

        self.each(check)

    def test_what_the_webhook_did_not_take_came_again_under_the_same_id(self):
        ids = {"200": [], "500": []}
        for one in sink.received(self.sink, "/danelaw"):
            ids[one["answer"]].append(one["json"]["id"])
            self.assertEqual(one["headers"]["x-danelaw-delivery"], one["json"]["id"])
        self.assertTrue(ids["500"])
        self.assertLessEqual(set(ids["500"]), set(ids["200"]))
        self.assertEqual(len(set(ids["200"])), len(ids["200"]), "what was taken does not come again")

    def test_the_webhook_gets_what_the_api_says_and_can_tell_who_sent_it(self):
        known = {alert["id"]: alert for alert in self.alerts}
        for one in sink.received(self.sink, "/danelaw"):
            with self.subTest(body=one["body"]):
                signature = hmac.new(SECRET.encode(), sink.octets(one), hashlib.sha256).hexdigest()
                self.assertEqual(one["headers"].get("x-danelaw-signature"), f"sha256={signature}")
                told = one["json"]
                self.assertEqual(told["schema"], "danelaw.notification/1")
                alert = known[told["alert"]["id"]]
                # What is silenced is not told; lists bound their names, and say how many there are.
                self.assertEqual({*told["alert"], "silenced", "domains_count", "hits_count"}, set(alert))
                for key in ("code", "subject", "domains", "opened_at"):
                    self.assertEqual(told["alert"][key], alert[key])
                self.assertIn(told["alert"]["id"], told["url"])
                self.assertTrue(told["reason"])
                happened = alert["opened_at" if told["event"] == "opened" else "resolved_at"]
                self.assert_within(one["at"], unix(happened) - 1, unix(happened) + 2 * SLACK, "it was told")

    def test_each_alertmanager_told_each_event_once(self):
        def check(story):
            for path in ("/alertmanager", "/second"):
                told = [(code, event) for _, event, code, host in self.notifications(path) if host == story.host]
                self.assertEqual(told, story.events(), path)

        self.each(check)

    def test_an_alertmanager_that_is_not_there_is_shown(self):
        health = [
            one["fault"] is None
            for one in self.lab.get("/api/v1/status")["notifiers"]
            if one["name"].startswith("alertmanager")
        ]
        self.assertEqual(health, [False, True, True])

    def test_the_sink_itself_answers_as_it_is_told(self):
        code = (
            "import sys, urllib.request\n"
            "urllib.request.urlopen('http://127.0.0.1:9099/by-hand', sys.argv[1].encode(), timeout=1)"
        )
        self.addCleanup(sink.order, self.sink)
        for answer, succeeds in ((200, True), (500, False), ("hang", False), (204, True)):
            sink.order(self.sink, "/by-hand", answer)
            done = self.lab.inside(sys.executable, "-c", code, f"body {answer}")
            self.assertEqual(done.returncode == 0, succeeds, done.stderr)
        kept = [(one["answer"], sink.octets(one)) for one in sink.received(self.sink, "/by-hand")]
        self.assertEqual(kept, [(answer, f"body {answer}".encode()) for answer in ("200", "500", "hang", "204")])

    def test_alertmanager_knows_what_people_need(self):
        for one in sink.received(self.sink, "/alertmanager"):
            for alert in one["json"]["alerts"]:
                with self.subTest(alert=alert):
                    labels, annotations = alert["labels"], alert["annotations"]
                    name = "".join(word.capitalize() for word in labels["code"].split("-"))
                    self.assertEqual(labels["alertname"], f"Danelaw{name}")
                    self.assertEqual(labels["direction"], "inbound")
                    self.assertIn(labels["severity"], ("critical", "high"))
                    self.assertLessEqual({"summary", "description", "runbook_url", "domains"}, set(annotations))
                    self.assertEqual(annotations["domains"], labels["mx"].removeprefix("mx."))

    def test_no_key_may_go_live_while_one_server_lags(self):
        story = STORIES["lagging-secondary"]

        def check(story):
            self.assertEqual([status != 0 for status, _ in story.gate], [True, False])
            for at, rollover in story.seen:
                if rollover["state"] == "prepub-wait" and at < story.done["publish"][0]:
                    self.assertIsNone(rollover["safe_to_switch_at"])

        self.each(lambda one: one is story and check(one))


if __name__ == "__main__":
    unittest.main()
