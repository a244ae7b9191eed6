#!/usr/bin/env node
// A small A2A fleet receiver in front of opencode: Node 20.10 or newer, standard library alone.
//
// receiver.mjs [REPOSITORY] reads REPOSITORY/.hermes/oc_receiver.json (without argument, the working directory's) and writes
// beside it. It ends with 0 when told to or idle for long enough, and with 2 when it cannot or must not listen.
import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { append, ascii, attempt, content, isObject, jsonObject, now, replace } from "./files.mjs";
import { front } from "./front.mjs";
import * as opencode from "./opencode.mjs";

const MAX_TEXT = 1 << 18, MAX_OPEN = 2000;
const ACK = "Message received; executing in repo via OpenCode. Reply will follow. [queued]";
const NO_SLOT = "[busy] max concurrent turns reached, retry";
const IN_FLIGHT = "duplicate dispatch: context already has a turn in flight; retry after it completes";
const MISPLACED = "contextId must be nested under params.message, not at params root (A2A spec)";
const INTERRUPTED = "[error] opencode turn was interrupted when its receiver ended; it was not run again";
const CUT = "\n\n[cut] opencode was given the first text of this task alone, and at most 262144 characters of it";
const DEFAULTS = { repo_path: "", bind_host: "127.0.0.1", bind_port: 9310, hermes_url: "http://127.0.0.1:9219/jsonrpc",
  auth_token_env: "", hermes_auth_token_env: "", role_prompt: "", role_file: "", idle_timeout_s: 1800, opencode_agent: "",
  opencode_model: "", opencode_timeout_s: 300, opencode_extra_flags: [], context_lock_wait_s: 600, max_concurrent_turns: 3 };

const ms = (seconds) => Math.min(seconds * 1000, 2 ** 31 - 1); // what a timer can wait
const sleep = (time) => new Promise((done) => setTimeout(done, time));
const log = (text) => process.stderr.write(`${now()} ${text}\n`);
/** Context (empty when there is none), text, and whether more was sent than is taken. A TypeError names a wrong type. */
function readMessage(params) {
  const typed = (good, name) => { if (!good) throw new TypeError(`${name} is of a wrong type`); };
  typed(isObject(params), "params");
  const { contextId, parts = [] } = (typed(isObject(params.message), "message"), params.message);
  typed(Array.isArray(parts) && parts.every(isObject), "parts");
  typed(parts.every((part) => part.text === undefined || typeof part.text === "string"), "text");
  typed(contextId === undefined || contextId === null || typeof contextId === "string", "contextId");
  const letters = [...(parts.find((part) => part.text !== undefined)?.text ?? "")];
  return [contextId ?? "", letters.slice(0, MAX_TEXT).join(""), parts.length > 1 || letters.length > MAX_TEXT];
}

/** Accepts dispatches, runs one turn at a time of each context, and sends every outcome once it is written down. */
export class Receiver {
  constructor(repo) {
    const folder = path.resolve(repo, ".hermes"), file = (name) => path.join(folder, name);
    fs.mkdirSync(this.turns = file("a2a-oc-turns"), { recursive: true }); // what is accepted and not yet answered, a file each
    [this.inbox, this.offsetFile, this.transcript] = ["inbox.jsonl", "inbox.offset", "transcript.jsonl"].map((n) => file(`a2a-oc-${n}`));
    [this.sessionFile, this.pidFile] = [file("a2a-oc-sessions.json"), file("oc_receiver.pid")];
    this.config = { ...DEFAULTS, repo_path: path.resolve(repo) };
    for (const [name, value] of Object.entries(jsonObject(content(file("oc_receiver.json"))))) {
      const said = typeof value === "number" ? value > 0 || (value === 0 && name === "idle_timeout_s") : value?.length > 0;
      if (Object.hasOwn(DEFAULTS, name) && typeof value === typeof DEFAULTS[name] && said) this.config[name] = value;
    }
    const secret = (name) => (name ? process.env[name] : "") || "";
    [this.bearer, this.outbound] = [secret(this.config.auth_token_env), secret(this.config.hermes_auth_token_env)];
    const role = this.config.role_file ? content(path.resolve(repo, this.config.role_file)) : "";
    this.role = role.trim() || this.config.role_prompt.trim() || `# Executor\nYou are the executor of the repository `
      + `${this.config.repo_path}: work there alone, by absolute paths. Tasks come from ${this.config.hermes_url}; a context is one `
      + `conversation. Answer briefly.`;
    [this.environment, this.mark] = [opencode.environment([this.bearer, this.outbound]), `A2A_OPENCODE_TURN=${folder}|`];
    const said = Object.entries(jsonObject(content(this.sessionFile)));
    this.sessions = Object.fromEntries(said.filter(([, entry]) => opencode.SESSION.test(String(entry?.session_id).trim())));
    [this.queues, this.mail, this.waiting] = [new Map(), new Map(), new Set()];
    [this.slots, this.open, this.lastId, this.lines] = [Math.max(1, Math.floor(this.config.max_concurrent_turns)), 0, 0, 0];
    this.touch();
  }

  /** What is wrong with the Authorization that was shown, nothing when it may dispatch. */
  refuses(authorization = "") {
    const [, shown] = /^bearer +(.*\S)\s*$/i.exec(authorization) ?? [];
    if (this.bearer && !shown) return "missing bearer token";
    const hash = (text, coding) => createHash("sha256").update(Buffer.from(text, coding)).digest();
    return this.bearer && !timingSafeEqual(hash(shown, "latin1"), hash(this.bearer, "utf8")) ? "invalid bearer token" : undefined;
  }

  /** What may be read without a bearer: the health and the card. */
  page(url) {
    const { repo_path, bind_host, bind_port } = this.config;
    if (url === "/health") return { ok: true, name: "opencode", repo_path };
    return url.startsWith("/.well-known/agent-card.json") ? {
      name: "opencode", description: "OpenCode repo-scoped A2A executor peer (oc_receiver).", url: `http://${bind_host}:${bind_port}/jsonrpc`,
      version: "0.3.0", protocolVersion: "1.0", capabilities: { streaming: false, pushNotifications: false, stateTransitionHistory: false },
      defaultInputModes: ["text", "text/plain"], defaultOutputModes: ["text", "text/plain"],
      securitySchemes: { bearerAuth: { type: "http", scheme: "bearer" } }, security: [{ bearerAuth: [] }],
      skills: [{ id: "execute", name: "Repo executor", tags: ["v0.3", "opencode", "executor"],
        description: "Executes A2A tasks in the bound repo via opencode run with full harness." }] } : undefined;
  }

  /** The JSON-RPC answer to the body of a request. */
  call(body) {
    const answer = (id, rest) => ({ jsonrpc: "2.0", id: id ?? null, ...rest });
    const refusal = (code, message, id) => answer(id, { error: { code, message } });
    const request = attempt(() => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)));
    if (request === undefined) return refusal(-32700, "parse error");
    if (!isObject(request)) return refusal(-32600, "invalid request");
    const { id, method, params } = request;
    const named = typeof method === "string" ? `'${method.slice(0, 200)}'` : "None";
    if (method !== "SendMessage" && method !== "message/send") return refusal(-32601, `method not found: ${named}`, id);
    if (isObject(params) && Object.hasOwn(params, "contextId")) return refusal(-32602, MISPLACED, id);
    try {
      const [context, text, cut] = readMessage(params);
      if (this.queues.has(context)) return refusal(-32001, IN_FLIGHT, id);
      return answer(id, { result: { kind: "message", message: this.accept(context || `anon-${randomUUID()}`, text, cut) } });
    } catch (error) {
      return error instanceof TypeError ? refusal(-32602, error.message, id) : refusal(-32000, `inbox write failed: ${error.code}`, id);
    }
  }

  /** Writes a dispatch down, and only then acknowledges it. */
  accept(context, text, cut) {
    if (this.open >= MAX_OPEN) throw Object.assign(new Error(), { code: "EAGAIN" });
    if (!attempt(() => fs.statSync(this.inbox).size)) this.lines = 0; // somebody may have begun it anew
    const turn = this.note(this.lines, context, text, cut);
    try {
      append(this.inbox, { ts: now(), from: "hermes", contextId: context, text, cut });
    } catch (error) {
      fs.unlinkSync(this.file(turn));
      throw error;
    }
    this.lines += 1;
    this.record("hermes->opencode", context, text);
    this.record("opencode->hermes (ack)", context, ACK);
    attempt(() => replace(this.offsetFile, String(this.lines))); // turns have files of their own: the next offset says this, too
    this.start(turn);
    return { role: "agent", parts: [{ text: ACK }], contextId: context };
  }

  record(dir, contextId, text) {
    const [from, to] = dir.startsWith("hermes") ? ["hermes", "opencode"] : ["opencode", "hermes"];
    attempt(() => append(this.transcript, { ts: now(), dir, from, to, contextId, text }, false)); // what it cannot hold is lost to it alone
  }

  endTurn = opencode.endTurn;

  file = (turn) => path.join(this.turns, `${turn.id}.json`);

  save(turn, more) {
    replace(this.file(turn), ascii(Object.assign(turn, more)));
    return turn;
  }

  /** Makes a turn of a line of the inbox, with a file of its own until its outcome was sent. */
  note(line, context, text, cut) {
    this.lastId = Math.max(this.lastId + 1, Date.now());
    return this.save({ id: `oc-${this.lastId}`, line, context, text, cut });
  }

  /** Ends what an earlier life left at work, takes up what it owes, and reads what the inbox asks for beyond its offset. */
  recover() {
    opencode.endMarked(this.mark);
    const old = fs.readdirSync(this.turns).sort().filter((name) => name.endsWith(".json"))
      .map((name) => jsonObject(content(path.join(this.turns, name)))).filter((turn) => turn.id);
    const taken = new Set(old.map((turn) => turn.line)), offset = Number(/^\d+$/.exec(content(this.offsetFile))?.[0] ?? 0);
    const asked = content(this.inbox).replace(/\n$/, "").split("\n");
    this.lines = content(this.inbox) ? asked.length : 0;
    old.forEach((turn) => this.start(turn));
    asked.map(jsonObject).forEach(({ from, text, contextId, cut }, line) => {
      if (line >= offset && !taken.has(line) && from === "hermes" && typeof text === "string")
        this.start(this.note(line, String(contextId || `anon-${randomUUID()}`), text, cut === true));
    });
    attempt(() => replace(this.offsetFile, String(this.lines)));
  }

  /** Lines a turn up behind those of its context; one of an earlier life that began is not run again. */
  start(turn) {
    this.open += 1;
    this.touch();
    this.queues.set(turn.context, [...(this.queues.get(turn.context) ?? []), turn]);
    if (turn.reply || turn.begun) return this.finish(turn, INTERRUPTED);
    turn = Object.defineProperty(turn, "late", { enumerable: false, // not written down with it
      value: setTimeout(() => this.finish(turn, NO_SLOT), ms(this.config.context_lock_wait_s)) });
    this.waiting.add(turn);
    this.begin();
  }

  /** Begins what can begin: the first of each context, as long as there are slots. */
  begin() {
    for (const turn of this.waiting) {
      if (this.slots < 1) return;
      if (this.queues.get(turn.context)[0] !== turn) continue;
      this.waiting.delete(turn);
      clearTimeout(turn.late);
      this.slots -= 1;
      this.run(turn).catch((error) => `[error] opencode invocation failed: ${error.message}`).then((text) => {
        this.slots += 1;
        this.finish(turn, text);
      });
    }
  }

  /** Runs opencode, once more when it lost the session, and gives what it answered or what went wrong. */
  async run(turn) {
    const { opencode_timeout_s: limit } = this.config, until = performance.now() + ms(limit);
    if (!opencode.find(this.environment)) return "[error] opencode CLI not found on PATH";
    this.save(turn, { begun: true });
    const session = this.sessions[turn.context]?.session_id;
    let seen = await this.runCli(turn, session, until);
    const complaint = seen.errors.replace(/\x1b\[[0-9;]*m/g, "");
    if (session && seen.code && !seen.reply && complaint.toLowerCase().includes("error: session not found")) {
      this.remember(turn.context, undefined);
      seen = await this.runCli(turn, undefined, until);
    }
    if (seen.session) this.remember(turn.context, seen.session);
    const step = seen.steps ? `; last completed step: ${seen.steps}, ${seen.step}` : "", cap = Number.isInteger(limit) ? `${limit}.0` : limit;
    if (seen.code === undefined) return `[error] opencode turn timed out after ${cap}s${step}`;
    const errors = seen.errors.trim().replaceAll("\n", " ").slice(0, 300);
    const failed = `[error] opencode exited rc=${seen.code} with no parseable output${errors && `: ${errors}`}`;
    return seen.reply || (seen.code ? failed : "[no reply produced by opencode]");
  }

  runCli(turn, session, until) {
    const argv = [opencode.find(this.environment), ...opencode.args(this.config, session, `${this.role}\n\n${turn.text.trim()}`.trim())];
    return opencode.run(argv, this.config.repo_path, this.environment, this.mark + turn.id, until, (child, mark) => this.endTurn(child, mark));
  }

  remember(context, session) {
    delete this.sessions[context];
    if (session) this.sessions[context] = { session_id: session, updated_at: Math.floor(Date.now() / 1000) };
    attempt(() => replace(this.sessionFile, ascii(this.sessions, 2) + "\n"));
  }

  /** Writes down what came of a turn, frees its context, and sends it behind the earlier replies of that context. */
  finish(turn, text) {
    if (!turn.reply) {
      const reply = text + (turn.cut ? CUT : "");
      attempt(() => this.save(turn, { reply }));
      this.record(`opencode->hermes${text === NO_SLOT ? " (busy)" : ""}`, turn.context, turn.reply);
    }
    const others = this.queues.get(turn.context).filter((other) => other !== turn);
    if (others.length) this.queues.set(turn.context, others); else this.queues.delete(turn.context);
    this.waiting.delete(turn);
    this.begin();
    const sent = (this.mail.get(turn.context) ?? Promise.resolve()).then(() => this.deliver(turn));
    this.mail.set(turn.context, sent);
    sent.then(() => {
      if (this.mail.get(turn.context) === sent) this.mail.delete(turn.context);
      this.open -= 1;
      this.touch();
    });
  }

  /** Sends an outcome, three times at most, and forgets it. */
  async deliver(turn) {
    const message = { role: "agent", parts: [{ text: turn.reply }], contextId: turn.context };
    const body = Buffer.from(ascii({ jsonrpc: "2.0", id: turn.id, method: "SendMessage", params: { message } }));
    for (const pause of [0, 500, 1000]) {
      await sleep(pause);
      const wrong = await this.post(body).then(() => undefined, (error) => error.code ?? error.message);
      if (!wrong) break;
      log(`the reply ${turn.id} was not taken: ${wrong}`);
    }
    attempt(() => fs.unlinkSync(this.file(turn)));
  }

  async post(body) {
    const url = new URL(this.config.hermes_url), headers = { "Content-Type": "application/json", "Content-Length": body.length };
    if (this.outbound) headers.Authorization = `Bearer ${this.outbound}`;
    const [status, said] = await new Promise((resolve, reject) => {
      const request = (url.protocol === "https:" ? https : http).request(url, { method: "POST", headers, agent: false }, (response) => {
        let text = "";
        response.on("data", (data) => { if (text.length < 1 << 20) text += data; });
        response.on("end", () => resolve([response.statusCode, text])).on("error", reject);
      });
      request.setTimeout(30000, () => request.destroy(new Error("timed out"))).on("error", reject).end(body);
    });
    if (status < 200 || status > 299 || jsonObject(said).error) throw new Error(`HTTP ${status}`);
  }

  /** Sees to it that the receiver ends when it has had nothing to do for the idle time. */
  touch() {
    clearTimeout(this.idle);
    const { idle_timeout_s: limit } = this.config;
    if (limit) this.idle = setTimeout(() => (this.open ? this.touch() : this.end(0)), ms(limit));
  }

  /** Leaves, with everything that still runs; what is open is told in the next life. */
  end(code) {
    opencode.endMarked(this.mark);
    attempt(() => fs.unlinkSync(this.pidFile));
    process.exit(code);
  }
}

export function main(kind = Receiver) {
  const receiver = new kind(process.argv[2] ?? process.cwd()), { bind_host, bind_port, auth_token_env } = receiver.config;
  const refuse = (why) => { log(`not listening: ${why}`); attempt(() => fs.unlinkSync(receiver.pidFile)); process.exit(2); };
  if (!receiver.bearer && (auth_token_env || !["127.0.0.1", "::1", "localhost"].includes(bind_host.trim().toLowerCase())))
    return refuse("there is no bearer, and one is named or other machines could come in");
  if (!receiver.bearer) log("warning: no bearer is wanted, every process of this machine may dispatch");
  const server = front({ page: (url) => receiver.page(url), refuses: (shown) => receiver.refuses(shown), call: (body) => receiver.call(body) });
  server.on("error", (error) => refuse(error.code));
  server.listen(Math.min(bind_port, 65535), bind_host, 512, () => {
    fs.writeFileSync(receiver.pidFile, `${process.pid}\n`);
    for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => receiver.end(0));
    receiver.recover();
  });
}

if (import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href) main();
