"""`danelaw check` of many domains beside as many runs of posttls-finger: client CPU and wall time.

Runs inside a lab made with --crowd (script/bench): crowd.py DANELAW DOMAINS AT_ONCE
"""

import concurrent.futures
import json
import os
import resource
import subprocess
import sys
import time

import yaml


def measured(what, run):
    """Prints the cost of run(), and how many domains it found authenticated."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    found = run()
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{what:<58} {cpu:9.1f} {wall:9.1f} {found:9}", flush=True)


def main(danelaw, count, at_once):
    folder = os.environ["LAB_DIR"]
    domains = [f"d{n}.crowd.test" for n in range(1, int(count) + 1)]
    with open(f"{folder}/danelaw.yaml") as file:
        full = yaml.safe_load(file)
    full.setdefault("schedule", {})["workers"] = int(at_once)
    brief = {
        **full,
        "dns": {**full["dns"], "every_server": False},
        "mta_sts": {"enabled": False},
        "smtp": {**full.get("smtp", {}), "every_key_type": False},
    }
    files = {}
    for name, config in (("full", full), ("brief", brief)):
        files[name] = f"{folder}/{name}.yaml"
        with open(files[name], "w") as file:
            json.dump(config, file)

    def check(name):
        done = subprocess.run(
            [danelaw, "check", "--config", files[name], "--format", "json", *domains],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        return sum(json.loads(line)["verdict"] == "authenticated" for line in done.stdout.splitlines())

    def finger(domain):
        done = subprocess.run(
            ["posttls-finger", "-c", "-l", "dane", "-Lsummary", domain],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return "Verified TLS connection established" in done.stdout

    def fingers():
        with concurrent.futures.ThreadPoolExecutor(int(at_once)) as pool:
            return sum(pool.map(finger, domains))

    print(f"\n{f'{count} domains, an MX host each, {at_once} at once':<58} {'CPU s':>9} {'wall s':>9} {'good':>9}")
    measured("(to fill the resolver's cache: posttls-finger)", fingers)
    measured("danelaw check, what a sender looks at, three times", lambda: check("brief"))
    measured("the same with every name server, both key types, MTA-STS", lambda: check("full"))
    measured("posttls-finger -c -l dane", fingers)


if __name__ == "__main__":
    main(*sys.argv[1:])
