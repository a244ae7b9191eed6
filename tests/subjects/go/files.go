package main

// Files that are whole at any moment: lines that are added, and files that are replaced.

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"syscall"
	"time"
)

func now() string { return time.Now().Format("2006-01-02 15:04:05") }

// line is a value as JSON, a line of it, as other tools of the fleet write it: without HTML in mind.
func line(value any) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(value) != nil {
		return []byte("null\n")
	}
	return text.Bytes()
}

// object is what some bytes hold, by names that are told apart to the letter; nothing when they are no JSON object.
func object(data []byte) map[string]json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(data, &members) != nil {
		return nil
	}
	return members
}

// text is a JSON text, and whether it is one.
func text(raw json.RawMessage) (string, bool) {
	var value *string
	if json.Unmarshal(raw, &value) != nil || value == nil {
		return "", false
	}
	return *value, true
}

// content is what a file holds, nothing when it cannot be read.
func content(path string) []byte {
	data, _ := os.ReadFile(path)
	return data
}

// appendLine adds one whole line, or leaves the file as it was. What is durable is on the disk when it comes back.
func appendLine(path string, value any, durable bool) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	data, last := line(value), []byte{'\n'}
	if end > 0 {
		file.ReadAt(last, end-1)
	}
	if last[0] != '\n' { // somebody was cut off in the middle of a line
		data = append([]byte{'\n'}, data...)
	}
	if _, err = file.Write(data); err == nil && durable {
		err = file.Sync()
	}
	if err != nil {
		file.Truncate(end)
	}
	return err
}

// replaceFile puts a whole new file in the place of an old one.
func replaceFile(path string, data []byte) error {
	file, err := os.OpenFile(path+".tmp", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	if _, err = file.Write(data); err == nil {
		err = file.Sync()
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}

// reason is what the system says of an error, without the path.
func reason(err error) string {
	for {
		if number, ok := err.(syscall.Errno); ok {
			return number.Error()
		}
		wrapped, ok := err.(interface{ Unwrap() error })
		if !ok {
			return err.Error()
		}
		err = wrapped.Unwrap()
	}
}
