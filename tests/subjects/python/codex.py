"""One run of the codex CLI at a time: its arguments, its surroundings, what it prints, and its end with all that it started."""
import contextlib, json, os, re, shutil, signal, subprocess, tempfile, threading, time
from pathlib import Path
from types import SimpleNamespace

MAX_LINE, MAX_ERRORS = 8 << 20, 1 << 16
PLACES = "~/.local/bin /opt/homebrew/bin /opt/homebrew/sbin /usr/local/bin /usr/local/sbin /usr/bin /bin /usr/sbin /sbin".split()
THREAD = re.compile(r"\s*[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}\s*")  # what looks like this is no option of the CLI


def json_object(data):
    """The JSON object that some bytes are, an empty one when they are none."""
    try:
        value = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def environment(secrets):
    """Ours without the secrets, and with the usual places of programs behind the search path."""
    path = [place for place in os.environ.get("PATH", "").split(":") if place]
    path += [place for place in map(os.path.expanduser, PLACES) if place not in path and os.path.isdir(place)]
    return {**{name: value for name, value in os.environ.items() if value not in secrets}, "PATH": ":".join(path)}


def sanitised(flags, managed):
    """Configured flags without those that are managed here, in either spelling, and without their values."""
    kept, value_follows = [], False
    for flag in map(str, flags):
        ours, value = flag.split("=")[0] in managed, value_follows and not flag.startswith("-")
        value_follows = ours and "=" not in flag
        kept += [] if ours or value else [flag]
    return kept


def arguments(config, thread, prompt):
    managed = ["--ephemeral", "--color", "-s", "--sandbox"][:4 if thread else 1]
    return ["exec", *(["resume", thread, prompt] if thread else [prompt, "-s", config.codex_sandbox]), "--json",
            "--skip-git-repo-check", *(["-m", config.codex_model] if config.codex_model else []),
            *sanitised(config.codex_extra_flags, managed)]


def marked(place, mark):
    with contextlib.suppress(OSError):
        return any(entry.startswith(mark) for entry in (place / "environ").read_bytes().split(b"\0"))


def end_marked(mark):
    """Kill all that has the mark in its environment, also what left its group or lost its parent. Needs /proc."""
    found = True
    while found:
        found = [int(place.name) for place in Path("/proc").glob("[0-9]*") if marked(place, mark.encode())]
        found = [pid for pid in found if pid != os.getpid()]
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.005 if found else 0)


def end_turn(process, mark):
    """End whatever a turn has left: its group, and all that has its mark."""
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    end_marked(mark)


def read_events(stream, seen):
    """Take the first thread, the last answer and the last step from the CLI's output, and keep nothing else of it."""
    for line in iter(lambda: stream.readline(MAX_LINE), b""):
        event = json_object(line)
        item = event.get("item") if isinstance(event.get("item"), dict) else {}
        if event.get("type") == "thread.started" and THREAD.fullmatch(str(event.get("thread_id"))):
            seen.thread = seen.thread or str(event["thread_id"]).strip()
        elif event.get("type") == "item.completed" and item.get("type") == "agent_message":
            seen.reply = item.get("text") if isinstance(item.get("text"), str) else ""
        elif event.get("type") == "item.completed" and item.get("type") not in ("error", "reasoning", None):
            seen.steps, seen.step = seen.steps + 1, str(item.get("command") or item["type"])[:300]


def run(argv, where, surroundings, mark, until, lock, end):
    """Run the CLI until it ends, or until it is too late: then there is no code. Nothing is started while another has the lock."""
    seen, (name, _, value) = SimpleNamespace(thread=None, reply="", steps=0, step=""), mark.partition("=")
    with tempfile.TemporaryFile() as errors:
        with lock:
            process = subprocess.Popen(argv, cwd=where, env={**surroundings, name: value}, stderr=errors, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, start_new_session=True)
        reader = threading.Thread(target=read_events, args=(process.stdout, seen))
        waiter = threading.Thread(target=process.wait)
        reader.start()
        waiter.start()
        waiter.join(max(0, until - time.monotonic()))
        seen.code = process.poll()
        end(process, mark)
        waiter.join()
        reader.join(5)
        errors.seek(0)
        seen.errors = errors.read(MAX_ERRORS).decode("utf-8", "replace").strip()
    return seen


def find(surroundings):
    return shutil.which("codex", path=surroundings["PATH"])
