#!/usr/bin/env python3
"""A small A2A fleet receiver in front of the codex CLI: Python 3.9 or newer, standard library alone.

receiver.py [REPOSITORY] reads REPOSITORY/.hermes/codex_receiver.json (without argument, the working directory's) and writes
beside it. It ends with 0 when told to or idle for long enough, and with 2 when it cannot or must not listen.
"""
import contextlib, errno, json, math, os, select, signal, sys, threading, time, uuid
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit
import codex
from files import append, content, now, replace
from front import Front, MAX_BODY, refuses

MAX_TEXT, MAX_OPEN = 1 << 18, 2000
ACK = "Message received; executing in repo via Codex. Reply will follow. [queued]"
NO_SLOT = "[busy] max concurrent turns reached, retry"
NO_CONTEXT = "[busy] this context is processing another turn; retry shortly"
INTERRUPTED = "[error] codex turn was interrupted when its receiver ended; it was not run again"
CUT = "\n\n[cut] codex was given the first text of this task alone, and at most 262144 characters of it"
MISPLACED = "contextId must be nested under params.message, not at params root (A2A spec)"
DEFAULTS = {
    "repo_path": "", "bind_host": "127.0.0.1", "bind_port": 9311, "hermes_url": "http://127.0.0.1:9219/jsonrpc",
    "auth_token_env": "", "hermes_auth_token_env": "", "role_prompt": "", "role_file": "", "idle_timeout_s": 1800.0,
    "codex_model": "", "codex_sandbox": "workspace-write", "codex_timeout_s": 300.0, "codex_extra_flags": [],
    "context_lock_wait_s": 600.0, "max_concurrent_turns": 3}


def log(text):
    print(now(), text, file=sys.stderr, flush=True)


def read_message(params):
    """Context (empty when there is none), text, and whether more was sent than is taken. TypeError names a wrong type."""
    def typed(value, kind, name):
        if not isinstance(value, kind):
            raise TypeError(f"{name} must be of type {kind.__name__}")
        return value
    message = typed(typed(params, dict, "params").get("message"), dict, "message")
    parts = [typed(part, dict, "each of parts") for part in typed(message.get("parts", []), list, "parts")]
    texts = [typed(part["text"], str, "text") for part in parts if "text" in part] or [""]
    context = typed("" if message.get("contextId") is None else message["contextId"], str, "contextId")
    return context, texts[0][:MAX_TEXT], len(parts) > 1 or len(texts[0]) > MAX_TEXT


class Receiver:
    """Accepts dispatches, runs one turn at a time of each context, and sends every outcome once it is written down."""

    def __init__(self, repo):
        folder = (repo / ".hermes").resolve()
        self.turns = folder / "a2a-codex-turns"  # what is accepted and not yet answered, a file each
        self.turns.mkdir(parents=True, exist_ok=True)
        self.inbox, self.offset_file = folder / "a2a-codex-inbox.jsonl", folder / "a2a-codex-inbox.offset"
        self.transcript, self.session_file = folder / "a2a-codex-transcript.jsonl", folder / "a2a-codex-sessions.json"
        self.pid_file, self.mark = folder / "codex_receiver.pid", f"A2A_CODEX_TURN={folder}|"
        self.config = SimpleNamespace(**{**DEFAULTS, "repo_path": str(repo)})
        for name, value in codex.json_object(content(folder / "codex_receiver.json")).items():
            default, kind = DEFAULTS.get(name), type(value)
            number = kind in (int, float) and math.isfinite(value) and (value > 0 or name == "idle_timeout_s" and value == 0)
            if number and type(default) in (kind, float) or kind in (str, list) and kind is type(default) and value:
                setattr(self.config, name, value)
        self.bearer, self.outbound = (os.environ.get(name, "") for name in
                                      (self.config.auth_token_env, self.config.hermes_auth_token_env))
        role = content(repo / self.config.role_file).decode("utf-8", "replace") if self.config.role_file else ""
        self.role = role.strip() or self.config.role_prompt.strip() or (
            f"# Executor\nYou are the executor of the repository {self.config.repo_path}: work there alone, by absolute paths. "
            f"Tasks come from {self.config.hermes_url}; a context is one conversation. Answer briefly.")
        self.environment = codex.environment([secret for secret in (self.bearer, self.outbound) if secret])
        self.sessions = {context: entry for context, entry in codex.json_object(content(self.session_file)).items()
                         if isinstance(entry, dict) and codex.THREAD.fullmatch(str(entry.get("thread_id")))}
        self.state = threading.Condition()  # guards all that follows
        self.queues, self.slots, self.open, self.last_id = {}, self.config.max_concurrent_turns, 0, 0
        self.lines, self.busy_at = 0, time.monotonic()

    def refuses(self, authorization):
        return refuses(authorization, self.bearer)

    def page(self, path):
        """What may be read without a bearer: the health and the card."""
        if path == "/health":
            return {"ok": True, "name": "codex", "repo_path": self.config.repo_path}
        return path.startswith("/.well-known/agent-card.json") and {
            "name": "codex", "description": "Codex CLI repo-scoped A2A executor peer (codex_receiver).", "version": "0.1.0",
            "url": f"http://{self.config.bind_host}:{self.config.bind_port}/jsonrpc", "protocolVersion": "1.0",
            "capabilities": {"streaming": False, "pushNotifications": False, "stateTransitionHistory": False},
            "defaultInputModes": ["text", "text/plain"], "defaultOutputModes": ["text", "text/plain"],
            "securitySchemes": {"bearerAuth": {"type": "http", "scheme": "bearer"}}, "security": [{"bearerAuth": []}],
            "skills": [{"id": "execute", "name": "Repo executor", "tags": ["v0.1", "codex", "executor"],
                        "description": "Executes A2A tasks in the bound repo via codex exec with full harness."}]}

    def call(self, body):
        """The JSON-RPC answer to the body of a request."""
        def refusal(code, message, request_id=None):
            return {"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": message}}
        try:
            request = json.loads(body.decode("utf-8"))
            json.dumps(request, allow_nan=False)  # Python reads numbers that JSON does not have
        except (ValueError, RecursionError):
            return refusal(-32700, "parse error")
        if not isinstance(request, dict):
            return refusal(-32600, "invalid request")
        request_id, method, params = (request.get(name) for name in ("id", "method", "params"))
        if method not in ("SendMessage", "message/send"):
            return refusal(-32601, f"method not found: {method!r:.200}", request_id)
        if isinstance(params, dict) and "contextId" in params:
            return refusal(-32602, MISPLACED, request_id)
        try:
            message = self.accept(*read_message(params))
        except TypeError as error:
            return refusal(-32602, str(error), request_id)
        except OSError as error:
            return refusal(-32000, f"inbox write failed: {error.strerror}", request_id)
        return {"jsonrpc": "2.0", "id": request_id, "result": {"kind": "message", "message": message}}

    def accept(self, context, text, cut):
        """Write a dispatch down, and only then acknowledge it."""
        context = context or f"anon-{uuid.uuid4()}"
        with self.state:
            if self.open >= MAX_OPEN:
                raise OSError(errno.EAGAIN, "too many dispatches wait")
            self.lines = self.lines if content(self.inbox, 1) else 0  # somebody may have begun it anew
            turn = self.note(self.lines, context, text, cut)
            try:
                append(self.inbox, {"ts": now(), "from": "hermes", "contextId": context, "text": text, "cut": cut})
            except OSError:
                self.file(turn).unlink()
                raise
            self.lines += 1
            self.record("hermes->codex", context, text)
            self.record("codex->hermes (ack)", context, ACK)
            self.write_offset()
            self.start(turn)
        return {"role": "agent", "parts": [{"text": ACK}], "contextId": context}

    def record(self, direction, context, text):
        sender, taker = ("hermes", "codex") if direction.startswith("hermes") else ("codex", "hermes")
        with contextlib.suppress(OSError):  # what the transcript cannot hold is lost to it alone
            record = {"ts": now(), "dir": direction, "from": sender, "to": taker, "contextId": context, "text": text}
            append(self.transcript, record, durable=False)

    def write_offset(self):
        with contextlib.suppress(OSError):  # turns have files of their own: the next offset says this one's, too
            replace(self.offset_file, self.lines)

    def file(self, turn):
        return self.turns / f"{turn['id']}.json"

    def note(self, line, context, text, cut):
        """Make a turn of a line of the inbox, with a file of its own until its outcome was sent."""
        self.last_id = max(self.last_id + 1, int(time.time() * 1000))
        turn = {"id": f"codex-{self.last_id}", "line": line, "context": context, "text": text, "cut": cut}
        replace(self.file(turn), turn)
        return turn

    def start(self, turn):
        self.open, self.busy_at = self.open + 1, time.monotonic()
        self.queues.setdefault(turn["context"], []).append(turn)
        threading.Thread(target=self.work, args=(turn,), daemon=True).start()

    def recover(self):
        """End what an earlier life left at work, take up what it owes, and read what the inbox asks for beyond its offset."""
        codex.end_marked(self.mark)
        old = sorted(filter(None, map(codex.json_object, map(content, self.turns.glob("*.json")))), key=lambda turn: turn["id"])
        offset, lines = content(self.offset_file), content(self.inbox).split(b"\n")
        passed = set(range(int(offset) if offset.isdigit() else 0)) | {turn["line"] for turn in old}
        with self.state:
            for turn in old:
                self.start(turn)
            self.lines = len(lines) - (lines[-1] == b"")
            for number, asked in enumerate(map(codex.json_object, lines)):
                if number not in passed and asked.get("from") == "hermes" and isinstance(asked.get("text"), str):
                    context = str(asked.get("contextId") or f"anon-{uuid.uuid4()}")
                    self.start(self.note(number, context, asked["text"][:MAX_TEXT], asked.get("cut") is True))
            self.write_offset()

    def until_it_ends(self):
        """Come back when the process is told to end, or when there was nothing to do for the idle time, if there is one."""
        told, tell = os.pipe()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: os.write(tell, b"."))
        limit, left = self.config.idle_timeout_s or math.inf, 1.0
        while left > 0 and not select.select([told], [], [], min(max(left, 0.5), 3600))[0]:
            left = max(self.busy_at + limit - time.monotonic(), 0.5 if self.open else 0)

    def work(self, turn):
        """Wait for the context and for a slot, run the turn, and send what came of it, once."""
        queue, ready = self.queues[turn["context"]], False
        text = turn.get("reply") or turn.get("begun") and INTERRUPTED
        if not text:
            with self.state:
                ready = self.state.wait_for(lambda: queue[0] is turn and self.slots > 0, self.config.context_lock_wait_s)
                self.slots -= ready
            try:
                text = self.run(turn) if ready else NO_SLOT if queue[0] is turn else NO_CONTEXT
            except Exception as error:
                text = f"[error] codex invocation failed: {error}"
        with self.state:  # whoever ends the receiver holds it: what is not over by then was interrupted
            if "reply" not in turn:
                turn["reply"] = text + CUT * turn["cut"]
                with contextlib.suppress(OSError):
                    replace(self.file(turn), turn)
                self.record("codex->hermes" + " (busy)" * text.startswith("[busy]"), turn["context"], turn["reply"])
        self.deliver(turn)
        with self.state:
            queue.remove(turn)
            if not queue:
                del self.queues[turn["context"]]
            self.slots, self.open, self.busy_at = self.slots + ready, self.open - 1, time.monotonic()
            self.state.notify_all()

    def run(self, turn):
        """Run the CLI, once more when it lost the thread, and give what it answered or what went wrong."""
        until = time.monotonic() + self.config.codex_timeout_s
        if not codex.find(self.environment):
            return "[error] codex CLI not found on PATH"
        replace(self.file(turn), dict(turn, begun=True))
        thread = self.sessions.get(turn["context"], {}).get("thread_id")
        seen = self.run_cli(turn, thread, until)
        if thread and seen.code and not seen.reply and "no rollout found for thread id" in seen.errors:
            self.remember(turn["context"], None)
            seen = self.run_cli(turn, None, until)
        if seen.thread:
            self.remember(turn["context"], seen.thread)
        if seen.code is None:
            step = f"; last completed step: {seen.steps}, {seen.step}" if seen.steps else ""
            return f"[error] codex turn timed out after {float(self.config.codex_timeout_s)}s" + step
        errors = seen.errors.replace("\n", " ")[:300]
        failed = f"[error] codex exited rc={seen.code} with no parseable output" + (errors and f": {errors}")
        return seen.reply or (failed if seen.code else "[no reply produced by codex]")

    def run_cli(self, turn, thread, until):
        prompt = f"{self.role}\n\n{turn['text'].strip()}".strip()
        argv = [codex.find(self.environment), *codex.arguments(self.config, thread, prompt)]
        return codex.run(argv, self.config.repo_path, self.environment, self.mark + turn["id"], until, self.state, self.end_turn)

    def end_turn(self, process, mark):
        codex.end_turn(process, mark)

    def remember(self, context, thread):
        with self.state, contextlib.suppress(OSError):
            self.sessions.pop(context, None)
            if thread:
                self.sessions[context] = {"thread_id": thread, "updated_at": int(time.time())}
            replace(self.session_file, self.sessions)

    def deliver(self, turn):
        """Send an outcome, three times at most, and forget it."""
        message = {"role": "agent", "parts": [{"text": turn["reply"]}], "contextId": turn["context"]}
        body = json.dumps({"jsonrpc": "2.0", "id": turn["id"], "method": "SendMessage", "params": {"message": message}})
        for pause in (0, 0.5, 1):
            time.sleep(pause)
            try:
                self.post(body)
                break
            except Exception as error:
                log(f"the reply {turn['id']} was not taken: {type(error).__name__}")
        self.file(turn).unlink(missing_ok=True)

    def post(self, body):
        url, bearer = urlsplit(self.config.hermes_url), {"Authorization": f"Bearer {self.outbound}"} if self.outbound else {}
        connection = {"http": HTTPConnection, "https": HTTPSConnection}[url.scheme](url.hostname, url.port, timeout=30)
        with contextlib.closing(connection):
            connection.request("POST", url.path or "/", body, {"Content-Type": "application/json", **bearer})
            answer = connection.getresponse()
            if not 200 <= answer.status < 300 or codex.json_object(answer.read(MAX_BODY)).get("error"):
                raise ConnectionError(answer.status)

    def end(self):
        """Leave, with everything that still runs; what is open is told in the next life."""
        with self.state:
            codex.end_marked(self.mark)
            self.pid_file.unlink(missing_ok=True)
            os._exit(0)


def main(kind=Receiver):
    receiver = kind(Path(sys.argv[1] if len(sys.argv) > 1 else os.getcwd()))
    config, local = receiver.config, receiver.config.bind_host.strip().lower() in ("127.0.0.1", "localhost")
    try:
        if not receiver.bearer and (config.auth_token_env or not local):
            raise OSError("there is no bearer, and one is named or other machines could come in")
        front = Front((config.bind_host, config.bind_port), "/jsonrpc", receiver.refuses, receiver.call, receiver.page)
    except (OSError, OverflowError) as error:
        log(f"not listening: {error}")
        receiver.pid_file.unlink(missing_ok=True)
        sys.exit(2)
    if not receiver.bearer:
        log("warning: no bearer is wanted, every process of this machine may dispatch")
    receiver.recover()
    receiver.pid_file.write_text(f"{os.getpid()}\n")
    threading.Thread(target=front.serve_forever, daemon=True).start()
    receiver.until_it_ends()
    receiver.end()


if __name__ == "__main__":
    main()
