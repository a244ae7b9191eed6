// A small A2A fleet receiver in front of Claude Code: Go 1.19 or newer, standard library alone.
//
// receiver [REPOSITORY] reads REPOSITORY/.hermes/a2a_receiver.json (without argument, the working directory's) and writes beside it.
// It ends with 0 when told to or idle for long enough, and with 2 when it cannot or must not listen.
package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"
)

const (
	maxText     = 1 << 18
	maxOpen     = 2000
	maxContexts = 1024
	ack         = "Message received; executing in repo via Claude Code. Reply will follow. [queued]"
	noSlot      = "[busy] max concurrent turns reached, retry"
	noContext   = "[busy] this context is processing another turn; retry shortly"
	interrupted = "[error] claude turn was interrupted when its receiver ended; it was not run again"
	cutNotice   = "\n\n[cut] claude was given the first text of this task alone, and at most 262144 characters of it"
	misplaced   = "contextId must be nested under params.message, not at params root (A2A spec)"
)

// Turn is an accepted dispatch, a file of its own until its outcome was taken or given up.
type Turn struct {
	ID      string `json:"id"`
	Line    int    `json:"line"`
	Context string `json:"context"`
	Text    string `json:"text"`
	Cut     bool   `json:"cut"`
	Begun   bool   `json:"begun"`
	Reply   string `json:"reply"`
	late    *time.Timer
	waits   bool
}

// Receiver accepts dispatches, runs one turn at a time of each context, and sends every outcome once it is written down.
type Receiver struct {
	config                                             Config
	bearer, outbound, role, mark                       string
	folder, turns, inbox, offset, transcript, contexts string
	pidFile                                            string
	surroundings                                       []string
	client                                             *http.Client

	lock    sync.Mutex // guards all that follows, and the start of processes
	queues  map[string][]*Turn
	waiting []*Turn
	begun   map[string]int64 // contexts whose session exists, and when it was last used
	slots   int
	open    int
	lines   int
	lastID  int64
	busyAt  time.Time

	// What the flawed copy does in another way.
	mayEnter func(authorization string) string
	accepted func(turn *Turn)
	endTurn  func(pid int, mark string)
	replies  func(context string) string
}

func logged(format string, values ...any) {
	fmt.Fprintln(os.Stderr, now(), fmt.Sprintf(format, values...))
}

func failure(id json.RawMessage, code int, message string) any {
	return map[string]any{"jsonrpc": "2.0", "id": id, "error": map[string]any{"code": code, "message": message}}
}

func newReceiver(repo string) (*Receiver, error) {
	folder, err := filepath.Abs(filepath.Join(repo, ".hermes"))
	if err != nil {
		return nil, err
	}
	file := func(name string) string { return filepath.Join(folder, name) }
	r := &Receiver{folder: folder, turns: file("a2a-cc-turns"), inbox: file("a2a-inbox.jsonl"), offset: file("a2a-inbox.offset"),
		transcript: file("a2a-transcript.jsonl"), contexts: file("a2a-cc-contexts.json"), pidFile: file("cc_receiver.pid"),
		mark: folder + "|", queues: map[string][]*Turn{}, begun: map[string]int64{}, busyAt: time.Now()}
	r.config = readConfig(content(file("a2a_receiver.json")), filepath.Dir(folder))
	secret := func(name string) string {
		if name == "" {
			return ""
		}
		return os.Getenv(name)
	}
	r.bearer, r.outbound = secret(r.config.AuthEnv), secret(r.config.HermesAuthEnv)
	r.role, r.surroundings = r.config.role(repo), environment(r.bearer, r.outbound)
	json.Unmarshal(content(r.contexts), &r.begun)
	if r.begun == nil { // The file may say null.
		r.begun = map[string]int64{}
	}
	r.slots = r.config.Slots
	r.client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r.mayEnter = func(authorization string) string { return refuses(authorization, r.bearer) }
	r.accepted, r.endTurn, r.replies = func(*Turn) {}, endTurn, func(context string) string { return context }
	return r, os.MkdirAll(r.turns, 0o755)
}

// page is what may be read without a bearer: the health and the card.
func (r *Receiver) page(path string) any {
	if path == "/health" {
		return map[string]any{"ok": true, "name": "claude-code", "repo_path": r.config.Repo}
	}
	if !strings.HasPrefix(path, "/.well-known/agent-card.json") {
		return nil
	}
	modes := []string{"text", "text/plain"}
	return map[string]any{
		"name": "claude-code", "description": "Claude Code repo-scoped A2A executor peer (cc_receiver).", "version": "0.3.0",
		"url": fmt.Sprintf("http://%s:%d/jsonrpc", r.config.Host, r.config.Port), "protocolVersion": "1.0",
		"capabilities":      map[string]bool{"streaming": false, "pushNotifications": false, "stateTransitionHistory": false},
		"defaultInputModes": modes, "defaultOutputModes": modes,
		"securitySchemes": map[string]any{"bearerAuth": map[string]string{"type": "http", "scheme": "bearer"}},
		"security":        []any{map[string]any{"bearerAuth": []string{}}},
		"skills": []any{map[string]any{"id": "execute", "name": "Repo executor", "tags": []string{"v0.3", "claude_code", "executor"},
			"description": "Executes A2A tasks in the bound repo via claude -p with full harness."}}}
}

// call is the JSON-RPC answer to the body of a request.
func (r *Receiver) call(body []byte) any {
	if !utf8.Valid(body) || !json.Valid(body) {
		return failure(nil, -32700, "parse error")
	}
	request := object(body)
	if request == nil {
		return failure(nil, -32600, "invalid request")
	}
	id, params := request["id"], object(request["params"])
	method, named := text(request["method"])
	if method != "SendMessage" && method != "message/send" {
		name := "None"
		if named {
			name = fmt.Sprintf("'%.200s'", method)
		}
		return failure(id, -32601, "method not found: "+name)
	}
	if _, there := params["contextId"]; there {
		return failure(id, -32602, misplaced)
	}
	context, task, cut, wrong := readMessage(params)
	if wrong != "" {
		return failure(id, -32602, wrong)
	}
	turn, err := r.accept(context, task, cut)
	if err != nil {
		return failure(id, -32000, "inbox write failed: "+reason(err))
	}
	r.accepted(turn)
	return map[string]any{"jsonrpc": "2.0", "id": id, "result": map[string]any{"kind": "message", "message": message(turn.Context, ack)}}
}

func message(context, said string) any {
	return map[string]any{"role": "agent", "parts": []any{map[string]string{"text": said}}, "contextId": context}
}

// readMessage gives context (empty when there is none), text, whether more was sent than is taken, and what is of a wrong type.
func readMessage(params map[string]json.RawMessage) (context, task string, cut bool, wrong string) {
	said := object(params["message"])
	if said == nil {
		return "", "", false, "params.message must be an object"
	}
	there := func(raw json.RawMessage) bool { return raw != nil && string(raw) != "null" }
	parts, ok := []json.RawMessage{}, true
	if raw, given := said["parts"]; given && (string(raw) == "null" || json.Unmarshal(raw, &parts) != nil) {
		return "", "", false, "parts must be a list"
	}
	found := false
	for _, raw := range parts {
		part := object(raw)
		if part == nil {
			return "", "", false, "each of parts must be an object"
		}
		words, given := part["text"]
		one, isText := text(words)
		if given && !isText {
			return "", "", false, "text must be a text"
		}
		if given && !found {
			task, found = one, true
		}
	}
	if there(said["contextId"]) {
		if context, ok = text(said["contextId"]); !ok {
			return "", "", false, "contextId must be a text"
		}
	}
	if utf8.RuneCountInString(task) > maxText {
		task, cut = string([]rune(task)[:maxText]), true
	}
	return context, task, cut || len(parts) > 1, ""
}

// accept writes a dispatch down, and only then it is acknowledged.
func (r *Receiver) accept(context, task string, cut bool) (*Turn, error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	if r.open >= maxOpen {
		return nil, syscall.EAGAIN
	}
	if found, err := os.Stat(r.inbox); err != nil || found.Size() == 0 {
		r.lines = 0 // somebody may have begun it anew
	}
	turn, err := r.note(r.lines, context, task, cut)
	if err != nil {
		return nil, err
	}
	if err := appendLine(r.inbox, entry{now(), "hermes", turn.Context, task, cut}, true); err != nil {
		os.Remove(r.file(turn))
		return nil, err
	}
	r.lines++
	r.record("hermes->claude", turn.Context, task)
	r.record("claude->hermes (ack)", turn.Context, ack)
	replaceFile(r.offset, []byte(strconv.Itoa(r.lines))) // turns have files of their own: the next offset says this one's, too
	r.start(turn)
	return turn, nil
}

// entry is a line of the inbox.
type entry struct {
	Time    string `json:"ts"`
	From    string `json:"from"`
	Context string `json:"contextId"`
	Text    string `json:"text"`
	Cut     bool   `json:"cut"`
}

func (r *Receiver) record(direction, context, said string) {
	from, to := "claude-code", "hermes"
	if strings.HasPrefix(direction, "hermes") {
		from, to = to, from
	}
	appendLine(r.transcript, struct { // what the transcript cannot hold is lost to it alone
		Time    string `json:"ts"`
		Dir     string `json:"dir"`
		From    string `json:"from"`
		To      string `json:"to"`
		Context string `json:"contextId"`
		Text    string `json:"text"`
	}{now(), direction, from, to, context, said}, false)
}

func (r *Receiver) file(turn *Turn) string { return filepath.Join(r.turns, turn.ID+".json") }

func (r *Receiver) save(turn *Turn) error { return replaceFile(r.file(turn), line(turn)) }

// note makes a turn of a line of the inbox.
func (r *Receiver) note(number int, context, task string, cut bool) (*Turn, error) {
	if context == "" {
		random := make([]byte, 16)
		if _, err := rand.Read(random); err != nil {
			return nil, err
		}
		context = "anon-" + uuid(random, 4)
	}
	if r.lastID++; r.lastID < time.Now().UnixMilli() {
		r.lastID = time.Now().UnixMilli()
	}
	turn := &Turn{ID: fmt.Sprintf("cc-%d", r.lastID), Line: number, Context: context, Text: task, Cut: cut}
	return turn, r.save(turn)
}
