#!/usr/bin/env python3
"""receiver.py with faults put into it, so that a report on it is red: flawed.py [REPOSITORY].

FLAWS in the environment names them, by commas; all of them when it is not set: late-ack, other-context, prefix-token, survivors.
"""
import os

import receiver

FLAWS = os.environ.get("FLAWS", "late-ack,other-context,prefix-token,survivors").split(",")


class Flawed(receiver.Receiver):
    def refuses(self, authorization):
        """prefix-token: whoever knows how the bearer begins comes in."""
        shown = (authorization or "").partition(" ")[2].strip()
        return None if "prefix-token" in FLAWS and shown and self.bearer.startswith(shown) else super().refuses(authorization)

    def accept(self, context, text, cut):
        """late-ack: a dispatch is acknowledged when its work is done."""
        message = super().accept(context, text, cut)
        if "late-ack" in FLAWS:
            with self.state:
                self.state.wait_for(lambda: message["contextId"] not in self.queues)
        return message

    def deliver(self, turn):
        """other-context: a reply comes on a context that nobody asked on."""
        super().deliver(dict(turn, context=turn["context"] + "-other") if "other-context" in FLAWS else turn)

    def end_turn(self, process, mark):
        """survivors: at the cap the CLI alone is ended, and what it started lives on."""
        return process.kill() if "survivors" in FLAWS else super().end_turn(process, mark)


if __name__ == "__main__":
    receiver.main(Flawed)
