package main

// What becomes of accepted dispatches: they wait, run, are written down and sent.

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

func seconds(count float64) time.Duration {
	if count > 1e9 {
		count = 1e9
	}
	return time.Duration(count * float64(time.Second))
}

// start lines a turn up behind those of its context; one of an earlier life that began is not run again. The lock is held.
func (r *Receiver) start(turn *Turn) {
	r.open, r.busyAt = r.open+1, time.Now()
	r.queues[turn.Context] = append(r.queues[turn.Context], turn)
	if turn.Reply != "" || turn.Begun {
		r.finish(turn, interrupted)
		return
	}
	turn.waits = true
	turn.late = time.AfterFunc(seconds(r.config.LockWait), func() {
		r.lock.Lock()
		defer r.lock.Unlock()
		if notice := noContext; turn.waits {
			if r.queues[turn.Context][0] == turn {
				notice = noSlot
			}
			r.finish(turn, notice)
		}
	})
	r.waiting = append(r.waiting, turn)
	r.begin()
}

// begin begins what can begin: the first of each context, as long as there are slots. The lock is held.
func (r *Receiver) begin() {
	for at := 0; at < len(r.waiting) && r.slots > 0; {
		turn := r.waiting[at]
		if r.queues[turn.Context][0] != turn {
			at++
			continue
		}
		r.waiting = append(r.waiting[:at], r.waiting[at+1:]...)
		turn.waits = false
		turn.late.Stop()
		r.slots--
		go func() {
			outcome := r.run(turn)
			r.lock.Lock()
			defer r.lock.Unlock()
			r.slots++
			r.finish(turn, outcome)
			r.begin()
		}()
	}
}

// finish writes down what came of a turn, and sees to it that it is sent. The lock is held: whoever ends the receiver holds it, too.
func (r *Receiver) finish(turn *Turn, outcome string) {
	turn.waits = false
	for at, other := range r.waiting {
		if other == turn {
			r.waiting = append(r.waiting[:at], r.waiting[at+1:]...)
			break
		}
	}
	if turn.Reply == "" {
		if turn.Reply = outcome; turn.Cut {
			turn.Reply += cutNotice
		}
		r.save(turn)
		direction := "claude->hermes"
		if strings.HasPrefix(outcome, "[busy]") {
			direction += " (busy)"
		}
		r.record(direction, turn.Context, turn.Reply)
	}
	go func() {
		r.deliver(turn)
		r.lock.Lock()
		defer r.lock.Unlock()
		kept := []*Turn{}
		for _, other := range r.queues[turn.Context] {
			if other != turn {
				kept = append(kept, other)
			}
		}
		if r.queues[turn.Context] = kept; len(kept) == 0 {
			delete(r.queues, turn.Context)
		}
		r.open, r.busyAt = r.open-1, time.Now()
		r.begin()
	}()
}

// run runs the CLI, once more when it lost or has the session, and gives what it answered or what went wrong.
func (r *Receiver) run(turn *Turn) string {
	until := time.Now().Add(seconds(r.config.Cap))
	program, err := exec.LookPath("claude")
	if err != nil {
		return "[error] claude CLI not found on PATH"
	}
	turn.Begun = true
	if err := r.save(turn); err != nil {
		return "[error] claude invocation failed: " + reason(err)
	}
	r.lock.Lock()
	_, resumes := r.begun[turn.Context]
	r.lock.Unlock()
	var came *seen
	for try := 0; try < 2; try++ {
		args := arguments(&r.config, r.role, turn.Text, sessionOf(turn.Context), resumes)
		came, err = run(program, args, r.config.Repo, r.surroundings, r.mark+turn.ID, until, &r.lock, r.endTurn)
		if err != nil {
			return "[error] claude invocation failed: " + reason(err)
		}
		if resumes && came.says(lost) || !resumes && came.says(inUse) {
			resumes = !resumes
			continue
		}
		break
	}
	if came.code >= 0 || came.named {
		r.remember(turn.Context)
	}
	switch {
	case came.code < 0:
		limit := strconv.FormatFloat(r.config.Cap, 'f', -1, 64)
		if !strings.Contains(limit, ".") {
			limit += ".0"
		}
		step := ""
		if came.steps > 0 {
			step = fmt.Sprintf("; last completed step: %d, %.300s", came.steps, came.step)
		}
		return "[error] claude turn timed out after " + limit + "s" + step
	case came.failed != "":
		return "[error] claude turn failed: " + came.failed
	case came.reply != "":
		return came.reply
	case came.code == 0:
		return "[no reply produced by claude]"
	}
	errors := []rune(strings.ReplaceAll(came.errors, "\n", " "))
	if len(errors) > 300 {
		errors = errors[:300]
	}
	failed := fmt.Sprintf("[error] claude exited rc=%d with no parseable output", came.code)
	if len(errors) > 0 {
		failed += ": " + string(errors)
	}
	return failed
}

// remember notes that the session of a context exists.
func (r *Receiver) remember(context string) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.begun[context] = time.Now().UnixNano()
	for len(r.begun) > maxContexts {
		oldest := context
		for name, at := range r.begun {
			if at < r.begun[oldest] {
				oldest = name
			}
		}
		delete(r.begun, oldest)
	}
	replaceFile(r.contexts, line(r.begun))
}

// deliver sends an outcome, three times at most, and forgets it.
func (r *Receiver) deliver(turn *Turn) {
	body := line(map[string]any{"jsonrpc": "2.0", "id": turn.ID, "method": "SendMessage",
		"params": map[string]any{"message": message(r.replies(turn.Context), turn.Reply)}})
	for _, pause := range []time.Duration{0, 500 * time.Millisecond, time.Second} {
		time.Sleep(pause)
		err := r.post(body)
		if err == nil {
			break
		}
		logged("the reply %s was not taken: %s", turn.ID, reason(err))
	}
	os.Remove(r.file(turn))
}

func (r *Receiver) post(body []byte) error {
	request, err := http.NewRequest(http.MethodPost, r.config.Hermes, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if r.outbound != "" {
		request.Header.Set("Authorization", "Bearer "+r.outbound)
	}
	answered, err := r.client.Do(request)
	if err != nil {
		return err
	}
	defer answered.Body.Close()
	data := make([]byte, 0, 512)
	for chunk := make([]byte, 1<<14); len(data) < maxBody; {
		size, err := answered.Body.Read(chunk)
		if data = append(data, chunk[:size]...); err != nil {
			break
		}
	}
	refused := object(data)["error"]
	if answered.StatusCode/100 != 2 || refused != nil && string(refused) != "null" {
		return fmt.Errorf("HTTP %d", answered.StatusCode)
	}
	return nil
}
