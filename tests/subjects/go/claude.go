package main

// One run of the claude CLI at a time: its arguments, its surroundings, what it prints, and its end with all that it started.

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	maxLine   = 8 << 20
	maxErrors = 1 << 16
	variable  = "A2A_CLAUDE_TURN="
)

var (
	managed  = " --session-id --resume -r -p --print --output-format --permission-mode --model --setting-sources "
	lost     = []string{"no conversation found", "session not found", "no session found", "could not find session", "no such session"}
	inUse    = []string{"is already in use"}
	space, _ = hex.DecodeString("6ba7b8119dad11d180b400c04fd430c8") // of URLs (RFC 4122)
)

// uuid is the text of sixteen bytes as a UUID of this version.
func uuid(id []byte, version byte) string {
	id[6], id[8] = id[6]&0x0f|version<<4, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:16])
}

// sessionOf is the session of a context, the same in every life.
func sessionOf(context string) string {
	sum := sha1.Sum(append(space[:16:16], "a2a:"+context...))
	return uuid(sum[:16], 5)
}

// sanitised are configured flags without those that are managed here, in either spelling, and without their values.
func sanitised(flags []string) (kept []string) {
	valueFollows := false
	for _, flag := range flags {
		name, _, joined := strings.Cut(flag, "=")
		ours, value := strings.Contains(managed, " "+name+" "), valueFollows && !strings.HasPrefix(flag, "-")
		valueFollows = ours && !joined
		if !ours && !value {
			kept = append(kept, flag)
		}
	}
	return kept
}

// arguments of a turn. A task that looks like an option stands at the end, behind the sign that no option follows.
func arguments(config *Config, role, prompt, session string, resumes bool) []string {
	dashed := strings.HasPrefix(prompt, "-")
	args := []string{"-p", prompt, "--output-format", "stream-json", "--verbose", "--permission-mode", "bypassPermissions",
		"--setting-sources", "user,project,local", "--model", config.Model, "--append-system-prompt", role}
	if dashed {
		args = append(args[:1], args[2:]...)
	}
	if tools := filepath.Join(config.Repo, ".mcp.json"); json.Valid(content(tools)) {
		args = append(args, "--mcp-config", tools)
	}
	mode := "--session-id"
	if resumes {
		mode = "--resume"
	}
	args = append(append(args, mode, session), sanitised(config.Flags)...)
	if dashed {
		args = append(args, "--", prompt)
	}
	return args
}

// environment is ours without the secrets.
func environment(secrets ...string) (kept []string) {
	for _, entry := range os.Environ() {
		_, value, _ := strings.Cut(entry, "=")
		secret := false
		for _, one := range secrets {
			secret = secret || one != "" && strings.Contains(value, one)
		}
		if !secret {
			kept = append(kept, entry)
		}
	}
	return kept
}

// endMarked kills all that has the mark in its environment, also what left its group or lost its parent. Needs /proc.
func endMarked(mark string) {
	for found := true; found; {
		found = false
		places, _ := filepath.Glob("/proc/[0-9]*")
		for _, place := range places {
			pid, _ := strconv.Atoi(filepath.Base(place))
			if pid != os.Getpid() && bytes.Contains(append([]byte{0}, content(place+"/environ")...), []byte("\x00"+variable+mark)) {
				found = syscall.Kill(pid, syscall.SIGKILL) == nil || found
			}
		}
		if found {
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// endTurn ends whatever a turn has left: its group, and all that has its mark.
func endTurn(pid int, mark string) {
	syscall.Kill(-pid, syscall.SIGKILL)
	endMarked(mark)
}

// seen is what a run came to: its code is negative when it was too late.
type seen struct {
	code                  int
	reply, failed, errors string
	named                 bool
	asked                 map[string]string // what the tools were asked for that have not answered
	steps                 int
	step                  string
}

// says tells whether a run failed without an answer, and spoke of one of these.
func (s *seen) says(signs []string) bool {
	if s.code <= 0 || s.reply != "" {
		return false
	}
	said := strings.ToLower(s.errors + "\n" + s.failed)
	for _, sign := range signs {
		if strings.Contains(said, sign) {
			return true
		}
	}
	return false
}

// event takes what matters from one line of the CLI's output.
func (s *seen) event(data []byte, last *string) {
	event := object(data)
	_, named := text(event["session_id"])
	s.named = s.named || named
	switch kind, _ := text(event["type"]); kind {
	case "result":
		reply, _ := text(event["result"])
		outcome, said := text(event["subtype"])
		s.reply, s.failed = strings.TrimSpace(reply), ""
		if failed := event["is_error"]; failed != nil && string(failed) != "false" && string(failed) != "null" || said && outcome != "success" {
			s.reply, s.failed = "", firstOf(reply, strings.Join(listed(event["errors"]), " "), outcome, "unknown error")
		}
	case "assistant", "user":
		var blocks []json.RawMessage
		json.Unmarshal(object(event["message"])["content"], &blocks)
		words := ""
		for _, raw := range blocks {
			block := object(raw)
			word, _ := text(block["text"])
			switch kind, _ := text(block["type"]); kind {
			case "text":
				words += word
			case "tool_use":
				id, _ := text(block["id"])
				s.asked[id] = firstOf(member(block["input"], "command"), member(raw, "name"), "a tool")
			case "tool_result":
				id, _ := text(block["tool_use_id"])
				if step, known := s.asked[id]; known {
					s.steps, s.step = s.steps+1, step
				}
			}
		}
		if kind == "assistant" && strings.TrimSpace(words) != "" {
			*last = strings.TrimSpace(words)
		}
	}
}

// firstOf is the first of some texts that is not blank.
func firstOf(texts ...string) string {
	for _, one := range texts {
		if strings.TrimSpace(one) != "" {
			return strings.TrimSpace(one)
		}
	}
	return ""
}

// member is the text that a JSON object has under a name.
func member(raw json.RawMessage, name string) string {
	said, _ := text(object(raw)[name])
	return said
}

// listed are the texts of a JSON list.
func listed(raw json.RawMessage) (texts []string) {
	var list []json.RawMessage
	json.Unmarshal(raw, &list)
	for _, one := range list {
		if said, ok := text(one); ok {
			texts = append(texts, said)
		} else {
			texts = append(texts, string(one))
		}
	}
	return texts
}

// events reads the CLI's output to its end, and keeps nothing of lines that are too long.
func (s *seen) events(output io.Reader, last *string) {
	reader := bufio.NewReaderSize(output, 1<<16)
	var held []byte
	for long := false; ; {
		part, err := reader.ReadSlice('\n')
		if long = long || len(held)+len(part) > maxLine; long {
			held = nil
		} else {
			held = append(held, part...)
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if len(held) > 0 {
			s.event(held, last)
		}
		if held, long = held[:0], false; err != nil {
			return
		}
	}
}

// run runs the CLI until it ends, or until it is too late. Nothing is started while another has the lock.
func run(program string, args []string, where string, surroundings []string, mark string, until time.Time, lock *sync.Mutex,
	end func(pid int, mark string)) (*seen, error) {
	errors, err := os.CreateTemp("", "claude-errors-")
	if err != nil {
		return nil, err
	}
	defer errors.Close()
	os.Remove(errors.Name())
	output, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer output.Close()
	command := exec.Command(program, args...)
	command.Dir, command.Env = where, append(append([]string{}, surroundings...), variable+mark)
	command.Stdout, command.Stderr, command.SysProcAttr = theirs, errors, &syscall.SysProcAttr{Setsid: true}
	lock.Lock()
	err = command.Start()
	lock.Unlock()
	theirs.Close()
	if err != nil {
		return nil, err
	}
	came, last := &seen{code: -1, asked: map[string]string{}}, ""
	read, ended := make(chan bool), make(chan error, 1)
	go func() { came.events(output, &last); close(read) }()
	go func() { ended <- command.Wait() }()
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	late := false
	select {
	case <-ended:
		end(command.Process.Pid, mark)
	case <-timer.C:
		late = true
		end(command.Process.Pid, mark)
		<-ended
	}
	select { // who holds the output and is not found is not waited for
	case <-read:
	case <-time.After(5 * time.Second):
		output.Close()
		<-read
	}
	if !late {
		came.code = command.ProcessState.ExitCode()
		if status, ok := command.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			came.code = 128 + int(status.Signal())
		}
	}
	if came.reply == "" && came.failed == "" {
		came.reply = last
	}
	said := make([]byte, maxErrors)
	size, _ := errors.ReadAt(said, 0)
	came.errors = strings.TrimSpace(string(said[:size]))
	return came, nil
}
