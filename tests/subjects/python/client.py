#!/usr/bin/env python3
"""A small runtime of the A2A fleet with a driver: one JSON object a line comes in, and one goes out for it. README.md tells the verbs.

It ends with 0 after `stop`, and when its input ends.
"""
import json, os, sys, threading, time, uuid
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from codex import json_object
from front import MAX_BODY, Front, refuses


class Failure(Exception):
    """What a verb could not do: its class is `not_sent` (safe to try again), `refused`, `unknown`, `timeout` or `usage`."""

    def __init__(self, kind, why):
        super().__init__(why)
        self.kind = kind


class Client:
    """Dispatches to one receiver, and keeps what comes back until somebody asks for it."""

    def __init__(self):
        self.front, self.peer, self.bearer = None, "", ""
        self.state = threading.Condition()  # guards all that follows
        self.asked, self.seen, self.replies = set(), set(), {}

    def start(self, url, token="", host="127.0.0.1", port=0, path="/jsonrpc", callback_token=""):
        """Listen for callbacks, and keep in mind whom to dispatch to."""
        if self.front:
            raise Failure("usage", "it is started already")
        self.peer, self.bearer = url.rstrip("/"), token
        self.front = Front((host, port), path, lambda shown: refuses(shown, callback_token), self.take,
                           lambda page: {"ok": True} if page == "/health" else None)
        threading.Thread(target=self.front.serve_forever, daemon=True).start()
        return {"callback_url": f"http://{host}:{self.front.server_address[1]}{path}"}

    def dispatch(self, text, context=None):
        """Send a task. What was acknowledged is asked for; what was not may still come, where the class is `unknown`."""
        request_id, message = str(uuid.uuid4()), {"role": "user", "parts": [{"text": text}]}
        if context:
            message["contextId"] = context
            with self.state:
                self.asked.add(context)  # before it is sent: a reply may overtake the acknowledgement
        call = {"jsonrpc": "2.0", "id": request_id, "method": "SendMessage", "params": {"message": message}}
        status, answer = self.post(json.dumps(call).encode())
        if status != 200 or "error" in answer:
            raise Failure("refused", f"HTTP {status}: {json.dumps(answer.get('error'))}")
        result = answer.get("result") if isinstance(answer.get("result"), dict) else {}
        said = result.get("message") if isinstance(result.get("message"), dict) else {}
        if answer.get("id") != request_id or not isinstance(said.get("contextId"), str):
            raise Failure("unknown", "the answer is no acknowledgement of this dispatch")
        if context and said["contextId"] != context:
            raise Failure("unknown", "the acknowledgement is of another context")
        with self.state:
            self.asked.add(said["contextId"])
        return {"context": said["contextId"], "ack": first_text(said)}

    def post(self, body):
        url, headers = urlsplit(f"{self.peer}/jsonrpc"), {"Content-Type": "application/json"}
        if self.bearer:
            headers["Authorization"] = f"Bearer {self.bearer}"
        connection = {"http": HTTPConnection, "https": HTTPSConnection}[url.scheme](url.hostname, url.port, timeout=30)
        try:
            connection.connect()
        except OSError as error:
            raise Failure("not_sent", error.strerror or type(error).__name__) from error
        try:
            connection.request("POST", url.path, body, headers)
            answer = connection.getresponse()
            return answer.status, json_object(answer.read(MAX_BODY))
        except (OSError, HTTPException) as error:
            raise Failure("unknown", type(error).__name__) from error
        finally:
            connection.close()

    def take(self, body):
        """A callback. Each is kept once, however often it comes, and only on a context that was asked on."""
        call = json_object(body)
        params = call.get("params") if isinstance(call.get("params"), dict) else {}
        message = params.get("message") if isinstance(params.get("message"), dict) else {}
        context, answer = message.get("contextId"), {"jsonrpc": "2.0", "id": call.get("id")}
        if call.get("method") not in ("SendMessage", "message/send"):
            return {**answer, "error": {"code": -32601, "message": "method not found"}}
        if not isinstance(context, str):
            return {**answer, "error": {"code": -32602, "message": "a reply needs the context that it is on"}}
        with self.state:
            key = (context, json.dumps(call.get("id")))
            if key not in self.seen:
                self.seen.add(key)
                self.replies.setdefault(context, []).append(first_text(message))
                self.state.notify_all()
        return {**answer, "result": {"kind": "message", "message": {"role": "agent", "parts": [{"text": ""}], "contextId": context}}}

    def wait(self, context, within_s=30):
        """The oldest reply on a context that was not yet given out."""
        with self.state:
            if context not in self.asked:
                raise Failure("usage", "nothing was asked on this context")
            if not self.state.wait_for(lambda: self.replies.get(context), within_s):
                raise Failure("timeout", f"no reply within {within_s} s")
            return {"context": context, "text": self.replies[context].pop(0)}


def first_text(message):
    parts = message.get("parts") if isinstance(message.get("parts"), list) else []
    return next((part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)), "")


def obey(client, order):
    """Do what one line asks for, and give the line that answers it."""
    order = dict(order)
    number, verb = order.pop("id", None), order.pop("verb", None)
    try:
        verbs = {"start": client.start, "dispatch": client.dispatch, "await": client.wait, "stop": dict}
        if verb not in verbs or (client.front is None and verb in ("dispatch", "await")):
            raise Failure("usage", "no such verb, or it is not started")
        return {"id": number, "ok": True, **verbs[verb](**order)}
    except Failure as failure:
        return {"id": number, "ok": False, "class": failure.kind, "error": str(failure)}
    except (TypeError, ValueError, KeyError, OSError, AttributeError) as error:
        return {"id": number, "ok": False, "class": "usage", "error": str(error)}


def main():
    client = Client()
    for line in sys.stdin:
        order = json_object(line.encode())
        print(json.dumps(obey(client, order)), flush=True)
        if order.get("verb") == "stop":
            break
    os._exit(0)  # with whatever connections are still open


if __name__ == "__main__":
    main()
