#!/usr/bin/env python3
"""A small runtime of the A2A fleet with a driver: an order, a JSON object a line, comes in, and its answer goes out.

docs/runtime-toml.md tells the four verbs. It ends with 0 after `stop`, and when its input ends.
"""
import json, os, sys, threading, uuid
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from codex import json_object
from front import MAX_BODY, Front, refuses


class Failure(Exception):
    """A dispatch that came to nothing: `not_sent` and `refused` are safe to send again, `unknown` is not."""

    def __init__(self, outcome, why):
        super().__init__(why)
        self.outcome = outcome


class Client:
    """Dispatches to its peers, and keeps what comes back until somebody asks for it."""

    def __init__(self):
        self.front, self.peers = None, {}
        self.state = threading.Condition()  # guards all that follows
        self.asked, self.seen, self.replies = set(), set(), {}

    def start(self, order):
        """Listen for callbacks, and keep in mind whom to dispatch to."""
        self.peers = {peer["name"]: (peer["url"].rstrip("/"), bearer(peer)) for peer in order["peers"]}
        place = order["callback"]
        token = bearer(place)
        self.front = Front((place["host"], place["port"]), "/jsonrpc", lambda shown: refuses(shown, token), self.take,
                           lambda page: {"ok": True} if page == "/health" else None)
        threading.Thread(target=self.front.serve_forever, daemon=True).start()
        return {"callback_url": f"http://{place['host']}:{self.front.server_address[1]}/jsonrpc"}

    def dispatch(self, order):
        """Send a task, once. What was acknowledged is asked for; what was not may still come, where the outcome is `unknown`."""
        try:
            return {"outcome": "accepted", **self.send(order["peer"], order["text"], order.get("context"), order["within_ms"] / 1000)}
        except Failure as failure:
            return {"outcome": failure.outcome, "error": str(failure)}

    def send(self, peer, text, context, within):
        if peer not in self.peers:
            raise Failure("not_sent", f"there is no peer {peer!r}")
        request_id, message = str(uuid.uuid4()), {"role": "user", "parts": [{"text": text}]}
        if context:
            message["contextId"] = context
            with self.state:
                self.asked.add(context)  # before it is sent: a reply may overtake the acknowledgement
        call = {"jsonrpc": "2.0", "id": request_id, "method": "SendMessage", "params": {"message": message}}
        status, answer = self.post(*self.peers[peer], json.dumps(call).encode(), within)
        if 400 <= status < 500 or (status == 200 and isinstance(answer.get("error"), dict)):
            raise Failure("refused", f"HTTP {status}: {json.dumps(answer.get('error'))}")
        result = answer.get("result") if isinstance(answer.get("result"), dict) else {}
        said = result.get("message") if isinstance(result.get("message"), dict) else {}
        if status != 200 or answer.get("id") != request_id or not isinstance(said.get("contextId"), str):
            raise Failure("unknown", f"HTTP {status}: the answer is no acknowledgement of this dispatch")
        if context and said["contextId"] != context:
            raise Failure("unknown", "the acknowledgement is of another context")
        with self.state:
            self.asked.add(said["contextId"])
        return {"context": said["contextId"], "text": first_text(said)}

    def post(self, peer, token, body, within):
        url, headers = urlsplit(f"{peer}/jsonrpc"), {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection = {"http": HTTPConnection, "https": HTTPSConnection}[url.scheme](url.hostname, url.port, timeout=within)
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
        """A callback. Each is kept once, however often it comes, for whoever asked on its context."""
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
            if self.is_new(key):
                self.seen.add(key)
                self.replies.setdefault(context, []).append(first_text(message))
                self.state.notify_all()
        return {**answer, "result": {"kind": "message", "message": {"role": "agent", "parts": [{"text": ""}], "contextId": context}}}

    def is_new(self, key):
        return key not in self.seen

    def await_reply(self, order):
        """The oldest reply on the context of a dispatch that was not yet given out."""
        with self.state:
            where = self.where(order["context"])
            if not self.state.wait_for(lambda: self.replies.get(where()), order["within_ms"] / 1000):
                return {"outcome": "none"}
            return {"outcome": "reply", "text": self.replies[where()].pop(0)}

    def where(self, context):
        return lambda: context


def bearer(place):
    """Bearers are in the environment, and their names alone are told."""
    return os.environ.get(place.get("token_env") or "", "")


def first_text(message):
    parts = message.get("parts") if isinstance(message.get("parts"), list) else []
    return next((part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)), "")


def main(client):
    verbs = {"start": client.start, "dispatch": client.dispatch, "await": client.await_reply, "stop": lambda order: {}}
    for line in sys.stdin:
        order = json_object(line.encode())
        verb = verbs.get(order.get("verb"), lambda order: {"error": "there is no such verb"})
        try:
            answer = verb(order)
        except (TypeError, ValueError, KeyError, OSError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps({"seq": order.get("seq"), **answer}), flush=True)
        if order.get("verb") == "stop":
            break
    os._exit(0)  # with whatever connections are still open


if __name__ == "__main__":
    main(Client())
