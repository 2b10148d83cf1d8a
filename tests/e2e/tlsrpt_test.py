#!/usr/bin/python3
"""What senders report, on the lab: about a host whose certificate does not match, and about one that danelaw sees well.
Reports come by POST, as mail through `danelaw tlsrpt`, by the watched folder and from a Postfix; API, metrics, alerts and
log tell one story.
"""

import json
import os
import unittest

from living_lab import DANELAW, LivingLab, until
from sender_reports import mail, pipe, report
from sending_postfix import SendingPostfix

SCHEDULE = {"interval": "20s", "fastest": "2s", "confirm_after": "2s", "retry_after": "2s", "workers": 8}
MISMATCH = "mx.mismatch.test"
HEALTHY = "mx.healthy.test"


class Senders(unittest.TestCase):
    def setUp(self):
        self.lab = LivingLab()
        self.addCleanup(self.lab.close)
        self.folder = f"{self.lab.dir}/reports"
        os.mkdir(self.folder)
        self.lab.configure_agent(["healthy.test", "mismatch.test"], schedule=SCHEDULE, tlsrpt={"folder": self.folder})
        self.lab.start_agent()

    def evidence(self, code, host):
        """What the finding says of senders; "" while it says nothing."""
        domain = host.removeprefix("mx.")
        for finding in self.lab.domain(domain)["findings"]:
            if finding["code"] == code and finding["subject"]["name"] == host:
                return str(finding["evidence"].get("sender-reports", ""))
        return ""

    def agreements(self, path):
        return {one["organization"]: one["agrees"] for one in self.lab.get(path)["items"] if one["result_type"]}

    def test_one_story(self):
        until("the mismatch fires", 60, lambda: self.lab.alerts(code="tlsa-mismatch"))
        until("the other is well", 60, lambda: self.lab.domain("healthy.test")["verdict"] == "authenticated")

        # Senders confirm the mismatch.
        status, said = self.lab.post_report(report("Google", "mismatch.test", MISMATCH, 1000), packed=True)
        self.assertEqual((status, said["is_new"], said["policies"]), (202, True, 1))
        self.assertFalse(self.lab.post_report(report("Google", "mismatch.test", MISMATCH, 1000))[1]["is_new"])
        done = pipe(self.lab, mail(report("Microsoft", "mismatch.test", MISMATCH, 204)))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("-: Microsoft, mismatch.test-1: 1 policy", done.stdout)
        self.assertIn("taken before", pipe(self.lab, mail(report("Microsoft", "mismatch.test", MISMATCH, 204))).stdout)
        self.assertEqual(pipe(self.lab, "Subject: hello\n\nno report\n").returncode, 1)
        words = "Google and Microsoft refused 1 204 sessions since"
        until("the finding says who refuses", 30, lambda: words in self.evidence("tlsa-mismatch", MISMATCH))
        until(
            "the alert says so, too",
            60,
            lambda: words in json.dumps(self.lab.alerts(code="tlsa-mismatch")[0]["evidence"]),
        )
        path = f"/api/v1/mx/{MISMATCH}/senders"
        self.assertEqual(self.agreements(path), {"Google": "yes", "Microsoft": "yes"})

        # One sender refuses the host that danelaw sees well; then another does.
        self.lab.post_report(report("Comcast", "healthy.test", HEALTHY, 3, "validation-failure"))
        until("one sender disagrees", 30, lambda: "Comcast refused 3" in self.evidence("senders-disagree", HEALTHY))
        self.assertEqual(self.lab.alerts(code="senders-refuse"), [])
        with open(f"{self.folder}/.writing", "w") as file:
            file.write(mail(report("Mail.ru", "healthy.test", HEALTHY, 4)))
        os.rename(f"{self.folder}/.writing", f"{self.folder}/1.eml")
        [alert] = until("several senders refuse", 60, lambda: self.lab.alerts(code="senders-refuse"))
        self.assertEqual(alert["severity"], "high")
        self.assertIn("Mail.ru and Comcast refused 7 sessions", json.dumps(alert))
        self.assertEqual(os.listdir(f"{self.folder}/taken"), ["1.eml"])
        self.assertEqual(self.agreements("/api/v1/domains/healthy.test/senders"), {"Comcast": "no", "Mail.ru": "no"})
        metrics = self.lab.text("/metrics")
        for series in (
            f'danelaw_senders_refused_sessions{{domain="",mx="{HEALTHY}",agrees="no"}} 7',
            f'danelaw_senders_refusing{{domain="",mx="{HEALTHY}"}} 2',
            f'danelaw_senders_refused_sessions{{domain="",mx="{MISMATCH}",agrees="yes"}} 1204',
        ):
            self.assertIn(series, metrics)
        self.assertRegex(metrics, r'danelaw_alert_firing\{code="senders-refuse"[^\n]*1\n')

        # Their newest reports are well again: it is over.
        for organization in ("Comcast", "Mail.ru"):
            good = report(organization, "healthy.test", HEALTHY, 0, number=2)
            good["policies"][0]["summary"]["total-successful-session-count"] = 9
            good["policies"][0]["failure-details"] = []
            self.lab.post_report(good)
        until("it is over", 60, lambda: not self.lab.alerts(code="senders-refuse"))
        self.assertEqual(len(self.lab.alerts(code="tlsa-mismatch")), 1)


# As docs/tlsrpt.md has it. The user is not the one that owns /etc/aliases, nor the one that Postfix delivers as then.
BY_POSTFIX = """mydestination = reports.test
local_transport = local
alias_maps = texthash:{home}/aliases
allow_mail_to_files = alias, forward, include
allow_mail_to_commands = alias, forward, include
"""
ADD_USER = """grep -q ^danelaw: /etc/passwd || {
  { cat /etc/passwd; echo danelaw:x:64990:64990::/nonexistent:/usr/sbin/nologin; } >"$0" && mount --bind "$0" /etc/passwd
}; id -u danelaw"""


class ByPostfix(unittest.TestCase):
    def setUp(self):
        self.lab = LivingLab()
        self.addCleanup(self.lab.close)
        self.user = int(self.lab.inside("sh", "-c", ADD_USER, f"{self.lab.dir}/passwd", check=True).stdout)
        self.folder = f"{self.lab.dir}/spool"
        os.mkdir(self.folder, 0o750)
        os.chown(self.folder, self.user, -1)

    def start_postfix(self, *aliases):
        home = f"{self.lab.dir}/out"
        os.makedirs(home)
        with open(f"{home}/aliases", "w") as file:
            for name, goes_to in aliases:
                file.write(f"{name} :include:{home}/{name}\n")
                with open(f"{home}/{name}", "w") as included:
                    included.write(goes_to + "\n")
                os.chown(f"{home}/{name}", self.user, -1)
        return SendingPostfix(self.lab, BY_POSTFIX.format(home=home), "local unix - n n - - local\n")

    def test_a_folder(self):
        postfix = self.start_postfix(("tlsrpt", f"{self.folder}/"))
        self.lab.configure_agent(["mismatch.test"], schedule=SCHEDULE, tlsrpt={"folder": self.folder})
        self.lab.start_agent()
        postfix.send("tlsrpt@reports.test", message=mail(report("Google", "mismatch.test", MISMATCH, 5)))
        [taken] = until(
            "the agent has taken it",
            60,
            lambda: os.path.isdir(f"{self.folder}/taken") and os.listdir(f"{self.folder}/taken"),
        )
        self.assertEqual(os.stat(f"{self.folder}/taken/{taken}").st_uid, self.user)
        [said] = [one for one in self.lab.get(f"/api/v1/mx/{MISMATCH}/senders")["items"] if one["result_type"]]
        self.assertEqual((said["organization"], said["sessions"]), ("Google", 5))
        self.assertIsNone(self.lab.get("/api/v1/status")["tlsrpt"]["folder_fault"])
        os.rename(self.folder, self.folder + "-gone")
        until("the status says so", 30, lambda: self.lab.get("/api/v1/status")["tlsrpt"]["folder_fault"])
        self.assertIn("event=tlsrpt-failed", self.lab.agent_log())
        done = self.lab.inside(DANELAW, "check-config", f"{self.lab.dir}/danelaw.yaml")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"the folder {self.folder} cannot be read", done.stderr)

    def test_a_command_whose_user_may_not_write_is_tried_again(self):
        config = f"{self.lab.dir}/danelaw.yaml"
        postfix = self.start_postfix(("tlsrpt", f'"|{DANELAW} tlsrpt --config {config} -"'))
        self.lab.start_agent()
        postfix.send("tlsrpt@reports.test", message=mail(report("Google", "mismatch.test", MISMATCH, 5)))
        until(
            "Postfix waits",
            30,
            lambda: [one for one in postfix.lines() if "tlsrpt@reports.test" in one and "status=deferred" in one],
        )
        self.assertNotIn("status=bounced", "\n".join(postfix.lines()))


if __name__ == "__main__":
    unittest.main()
