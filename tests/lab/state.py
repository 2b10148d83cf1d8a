"""What the running lab is meant to be, as JSON in RUN/state.json, changed under a lock."""

import contextlib
import fcntl
import json
import os
import time


class Lab:
    """A running lab: its directory DIR, its private directory RUN, and lab.json."""

    def __init__(self, directory):
        self.directory = os.path.abspath(directory)
        try:
            with open(f"{self.directory}/lab.json") as file:
                self.facts = json.load(file)
        except FileNotFoundError:
            raise SystemExit(f"lab: no lab runs in {self.directory} (lab.json is missing)")
        self.run = self.facts["run"]

    @property
    def pki(self):
        """Where certificates live."""
        return f"{self.run}/pki"


def load(run):
    """The state, for reading only."""
    with open(f"{run}/state.json") as file:
        return json.load(file)


def save(run, state):
    """Replace the state."""
    with open(f"{run}/state.json.new", "w") as file:
        json.dump(state, file, indent=1)
    os.rename(f"{run}/state.json.new", f"{run}/state.json")


@contextlib.contextmanager
def changing(run):
    """`with changing(run) as state:` one writer at a time; saved when the block ends well."""
    with open(f"{run}/lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        state = load(run)
        yield state
        save(run, state)


def until(condition, what, seconds=15):
    """Poll a condition until it holds; returns its value. RuntimeError naming `what` if it never does."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise RuntimeError(f"waited {seconds} s in vain: {what}")
        time.sleep(0.02)
    return value
