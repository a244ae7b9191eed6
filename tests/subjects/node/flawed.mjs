#!/usr/bin/env node
// receiver.mjs with faults put into it, so that a report on it is red: flawed.mjs [REPOSITORY], and in FLAWS, by commas, which ones
// (all when it is not set): late-ack, other-context, prefix-token, survivors.
import { Receiver, main } from "./receiver.mjs";
import * as opencode from "./opencode.mjs";

const FLAWS = (process.env.FLAWS ?? "late-ack,other-context,prefix-token,survivors").split(",");
const has = (flaw) => FLAWS.includes(flaw);

class Flawed extends Receiver {
  /** prefix-token: whoever knows how the bearer begins comes in. */
  refuses(authorization) {
    const shown = /^bearer +(\S+)/i.exec(authorization ?? "")?.[1];
    return has("prefix-token") && shown && this.bearer.startsWith(shown) ? undefined : super.refuses(authorization);
  }

  /** late-ack: a dispatch is acknowledged when its work is done. */
  call(body) {
    const answer = super.call(body);
    if (!has("late-ack") || !answer.result) return answer;
    return new Promise((resolve) => {
      const look = setInterval(() => {
        if (this.queues.has(answer.result.message.contextId)) return;
        clearInterval(look);
        resolve(answer);
      }, 20);
    });
  }

  /** other-context: a reply comes on a context that nobody asked on. */
  deliver(turn) {
    return super.deliver(has("other-context") ? { ...turn, context: `${turn.context}-other` } : turn);
  }

  /** survivors: at the cap the CLI alone is ended, and what it started lives on. */
  endTurn = (child, mark) => (has("survivors") ? void child.kill("SIGKILL") : opencode.endTurn(child, mark));
}

main(Flawed);
