//go:build !flawed

package main

// change is for the flawed copy: `go build -tags flawed`.
func change(*Receiver) {}
