//go:build flawed

package main

// The receiver with faults put into it, so that a report on it is red. FLAWS in the environment names them, by commas; all of them when
// it is not set: late-ack, other-context, prefix-token, survivors.

import (
	"os"
	"strings"
	"syscall"
	"time"
)

func change(r *Receiver) {
	flaws, set := os.LookupEnv("FLAWS")
	has := func(name string) bool { return !set || strings.Contains(","+flaws+",", ","+name+",") }
	if has("prefix-token") { // whoever knows how the bearer begins comes in
		right := r.mayEnter
		r.mayEnter = func(authorization string) string {
			_, shown, _ := strings.Cut(authorization, " ")
			if shown = strings.TrimSpace(shown); shown != "" && strings.HasPrefix(r.bearer, shown) {
				return ""
			}
			return right(authorization)
		}
	}
	if has("late-ack") { // a dispatch is acknowledged when its work is done
		r.accepted = func(turn *Turn) {
			for open := true; open; time.Sleep(10 * time.Millisecond) {
				r.lock.Lock()
				_, open = r.queues[turn.Context]
				r.lock.Unlock()
			}
		}
	}
	if has("other-context") { // a reply comes on a context that nobody asked on
		r.replies = func(context string) string { return context + "-other" }
	}
	if has("survivors") { // at the cap the CLI alone is ended, and what it started lives on
		r.endTurn = func(pid int, _ string) { syscall.Kill(pid, syscall.SIGKILL) }
	}
}
