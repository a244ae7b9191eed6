#!/usr/bin/env python3
"""client.py with faults put into it, so that a report on it is red.

FLAWS in the environment names them, by commas; all of them when it is not set: any-context, twice, again, any-bearer, safe.
"""
import os

import client

FLAWS = os.environ.get("FLAWS", "any-context,twice,again,any-bearer,safe").split(",")


class Flawed(client.Client):
    def where(self, context):
        """any-context: whoever waits gets the reply to somebody else."""
        waiting = lambda: next((other for other in self.replies if self.replies[other]), context)
        return waiting if "any-context" in FLAWS else super().where(context)

    def is_new(self, key):
        """twice: a reply that comes again is shown again."""
        return "twice" in FLAWS or super().is_new(key)

    def send(self, peer, text, context, within):
        """again: what may have been accepted is sent once more. safe: it is said to be safe to send again."""
        for more in ("again" in FLAWS, False):
            try:
                return super().send(peer, text, context, within)
            except client.Failure as failure:
                if not (more and failure.outcome == "unknown"):
                    raise client.Failure("refused" if "safe" in FLAWS else failure.outcome, str(failure)) from failure


if __name__ == "__main__":
    if "any-bearer" in FLAWS:  # any-bearer: whoever calls back is let in
        client.refuses = lambda shown, token: None
    client.main(Flawed())
