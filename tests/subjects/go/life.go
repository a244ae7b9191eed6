package main

// The life of the process: what it takes up from an earlier one, how long it lasts, and its end.

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// recover ends what an earlier life left at work, takes up what it owes, and reads what the inbox asks for beyond its offset.
func (r *Receiver) recover() {
	endMarked(r.mark)
	files, _ := filepath.Glob(filepath.Join(r.turns, "*.json"))
	sort.Strings(files)
	r.lock.Lock()
	defer r.lock.Unlock()
	taken := map[int]bool{}
	for _, path := range files {
		turn := &Turn{}
		if json.Unmarshal(content(path), turn) == nil && turn.ID != "" {
			taken[turn.Line] = true
			r.start(turn)
		}
	}
	passed, _ := strconv.ParseUint(string(content(r.offset)), 10, 31)
	lines := bytes.Split(content(r.inbox), []byte("\n"))
	if r.lines = len(lines); len(lines[len(lines)-1]) == 0 {
		r.lines--
	}
	for number, data := range lines {
		asked := object(data)
		from, _ := text(asked["from"])
		task, ok := text(asked["text"])
		if number < int(passed) || taken[number] || from != "hermes" || !ok {
			continue
		}
		if letters := []rune(task); len(letters) > maxText {
			task = string(letters[:maxText])
		}
		context, _ := text(asked["contextId"])
		if turn, err := r.note(number, context, task, string(asked["cut"]) == "true"); err == nil {
			r.start(turn)
		}
	}
	replaceFile(r.offset, []byte(strconv.Itoa(r.lines)))
}

// untilItEnds comes back when the process is told to end, or when there was nothing to do for the idle time, if there is one.
func (r *Receiver) untilItEnds() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	for {
		left := time.Hour
		r.lock.Lock()
		if r.config.Idle > 0 && r.open == 0 {
			left = time.Until(r.busyAt.Add(seconds(r.config.Idle)))
		} else if r.config.Idle > 0 {
			left = seconds(r.config.Idle)
		}
		r.lock.Unlock()
		if left <= 0 {
			return
		}
		select {
		case <-told:
			return
		case <-time.After(left):
		}
	}
}

// main leaves with everything that still runs; what is open is told in the next life.
func main() {
	repo, _ := os.Getwd()
	if len(os.Args) > 1 {
		repo = os.Args[1]
	}
	r, err := newReceiver(repo)
	if err == nil {
		change(r)
		host := strings.ToLower(strings.TrimSpace(r.config.Host))
		if local := host == "127.0.0.1" || host == "::1" || host == "localhost"; r.bearer == "" && (r.config.AuthEnv != "" || !local) {
			err = errors.New("there is no bearer, and one is named or other machines could come in")
		}
	}
	var listener net.Listener
	if err == nil {
		listener, err = net.Listen("tcp", net.JoinHostPort(r.config.Host, strconv.Itoa(r.config.Port)))
	}
	if err != nil {
		logged("not listening: %v", err)
		if r != nil {
			os.Remove(r.pidFile)
		}
		os.Exit(2)
	}
	if r.bearer == "" {
		logged("warning: no bearer is wanted, every process of this machine may dispatch")
	}
	r.recover()
	os.WriteFile(r.pidFile, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o644)
	go (&Front{path: "/jsonrpc", page: r.page, refuses: r.mayEnter, call: r.call}).serve(listener)
	r.untilItEnds()
	r.lock.Lock()
	endMarked(r.mark)
	os.Remove(r.pidFile)
	os.Exit(0)
}
