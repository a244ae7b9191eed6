// One run of opencode at a time: its arguments, its surroundings, what it prints, and its end with all that it started.
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { attempt, isObject, jsonObject } from "./files.mjs";

const MAX_LINE = 8 << 20, MAX_ERRORS = 1 << 16;
const MANAGED = ["--session", "-s", "--continue", "-c", "run", "--print", "--format", "--agent"];
const PLACES = [path.join(os.homedir(), ".local/bin"), "/opt/homebrew/bin", "/opt/homebrew/sbin", "/usr/local/bin", "/usr/local/sbin",
  "/usr/bin", "/bin", "/usr/sbin", "/sbin"];
export const SESSION = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/; // what looks like this is no option of the CLI

/** Ours without the secrets, and with the usual places of programs behind the search path. */
export function environment(secrets) {
  const search = (process.env.PATH ?? "").split(":").filter(Boolean);
  search.push(...PLACES.filter((place) => !search.includes(place) && fs.existsSync(place)));
  const kept = Object.entries(process.env).filter(([, value]) => !value || !secrets.includes(value));
  return { ...Object.fromEntries(kept), PATH: search.join(":") };
}

export function find(surroundings) {
  const runs = (file) => attempt(() => fs.accessSync(file, fs.constants.X_OK) === undefined && fs.statSync(file).isFile(), false);
  return surroundings.PATH.split(":").map((place) => path.join(place, "opencode")).find(runs);
}

/** Kills all that has the mark in its environment, also what left its group or lost its parent. Needs /proc. */
export function endMarked(mark) {
  const has = (pid) => attempt(() => fs.readFileSync(`/proc/${pid}/environ`, "utf8"), "").split("\0").some((e) => e.startsWith(mark));
  for (let found = [0]; found.length > 0;) {
    found = attempt(() => fs.readdirSync("/proc"), []).filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid && has(pid));
    for (const pid of found) attempt(() => process.kill(Number(pid), "SIGKILL"));
    if (found.length > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
  }
}

/** Configured flags without those that are managed here, in either spelling, and without their values. */
function sanitised(flags) {
  let valueFollows = false;
  return flags.map(String).filter((flag) => {
    const ours = MANAGED.includes(flag.split("=")[0]), value = valueFollows && !flag.startsWith("-");
    valueFollows = ours && !flag.includes("=");
    return !ours && !value;
  });
}

/** Ends whatever a turn has left: its group, and all that has its mark. */
export function endTurn(child, mark) {
  attempt(() => process.kill(-child.pid, "SIGKILL"));
  endMarked(mark);
}

export function args(config, session, prompt) {
  const option = (name, value) => (value ? [name, value] : []);
  return ["run", ...option("--session", session), prompt, "--format", "json", "--dangerously-skip-permissions",
    ...option("--agent", config.opencode_agent), ...option("--model", config.opencode_model), ...sanitised(config.opencode_extra_flags)];
}

/** Gives each line of a stream to a reader; what is longer than a line may be is none. */
function lines(stream, reader) {
  let rest = Buffer.alloc(0);
  stream.on("data", (data) => {
    for (let end; (end = data.indexOf(10)) >= 0; data = data.subarray(end + 1), rest = Buffer.alloc(0))
      reader(Buffer.concat([rest, data.subarray(0, end)]).toString());
    rest = rest.length + data.length > MAX_LINE ? Buffer.alloc(0) : Buffer.concat([rest, data]);
  });
  stream.on("end", () => reader(rest.toString()));
}

/** Takes the first session, all texts and the last step from the output of opencode, and keeps nothing else of it. */
function readEvents(stream, seen) {
  lines(stream, (line) => {
    const event = jsonObject(line), part = isObject(event.part) ? event.part : {};
    seen.session ??= [event.sessionID, part.sessionID].map((id) => String(id ?? "").trim()).find((id) => SESSION.test(id));
    if (event.type === "tool_use" && part.state?.status === "completed") {
      seen.steps += 1;
      seen.step = String(part.state.input?.command ?? part.tool).slice(0, 300);
    } else if (event.type === "text" && typeof part.text === "string" && seen.reply.length < MAX_LINE) seen.reply += part.text;
  });
}

/** Runs opencode until it ends, or until it is too late: then there is no code. */
export function run(argv, where, surroundings, mark, until, end) {
  const seen = { reply: "", errors: "", code: undefined, steps: 0 }, [name, ...value] = mark.split("=");
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0], argv.slice(1), { cwd: where, env: { ...surroundings, [name]: value.join("=") }, detached: true,
      stdio: ["ignore", "pipe", "pipe"] });
    readEvents(child.stdout, seen);
    child.stderr.on("data", (data) => { if (seen.errors.length < MAX_ERRORS) seen.errors += data; });
    const cap = setTimeout(() => end(child, mark), Math.max(0, until - performance.now()));
    const over = () => { clearTimeout(cap); resolve({ ...seen, reply: seen.reply.trim() }); };
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      if (performance.now() < until) seen.code = code ?? -os.constants.signals[signal];
      end(child, mark);
      setTimeout(over, 5000).unref(); // somebody may hold its output open all the same
    });
    child.on("close", over);
  });
}
