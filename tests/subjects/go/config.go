package main

// The configuration: what is wrong in it counts as not said.

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// Config is that of the fleet for Claude Code; times are in seconds.
type Config struct {
	Repo, Host, Hermes, AuthEnv, HermesAuthEnv, RolePrompt, RoleFile, Model string
	Port, Slots                                                             int
	Idle, Cap, LockWait                                                     float64
	Flags                                                                   []string
}

// said takes a member into its place when it is of the type of the place, and good.
func said[T any](members map[string]json.RawMessage, name string, into *T, good func(T) bool) {
	var value *T
	if json.Unmarshal(members[name], &value) == nil && value != nil && good(*value) {
		*into = *value
	}
}

func readConfig(data []byte, repo string) Config {
	config := Config{Repo: repo, Host: "127.0.0.1", Hermes: "http://127.0.0.1:9219/jsonrpc", Model: "sonnet", Port: 9300, Slots: 3,
		Idle: 1800, Cap: 300, LockWait: 600}
	members := object(data)
	words, whole := func(value string) bool { return value != "" }, func(value int) bool { return value > 0 }
	positive := func(value float64) bool { return value > 0 }
	for name, into := range map[string]*string{"repo_path": &config.Repo, "bind_host": &config.Host, "hermes_url": &config.Hermes,
		"auth_token_env": &config.AuthEnv, "hermes_auth_token_env": &config.HermesAuthEnv, "role_prompt": &config.RolePrompt,
		"role_file": &config.RoleFile, "claude_model": &config.Model} {
		said(members, name, into, words)
	}
	said(members, "bind_port", &config.Port, whole)
	said(members, "max_concurrent_turns", &config.Slots, whole)
	said(members, "claude_timeout_s", &config.Cap, positive)
	said(members, "context_lock_wait_s", &config.LockWait, positive)
	said(members, "idle_timeout_s", &config.Idle, func(value float64) bool { return value >= 0 })
	config.Flags = listed(members["claude_extra_flags"])
	return config
}

// role is the text of the role file when it can be read, else the configured one, else our own.
func (c *Config) role(repo string) string {
	if c.RoleFile != "" {
		path := c.RoleFile
		if !filepath.IsAbs(path) {
			path = filepath.Join(repo, path)
		}
		if data, err := os.ReadFile(path); err == nil && strings.TrimSpace(string(data)) != "" {
			return strings.TrimSpace(strings.ToValidUTF8(string(data), "\uFFFD"))
		}
	}
	if configured := strings.TrimSpace(c.RolePrompt); configured != "" {
		return configured
	}
	return "# Executor\nYou are the executor of the repository " + c.Repo + ": work there alone, by absolute paths. Tasks come from " +
		c.Hermes + "; a context is one conversation. Answer briefly."
}
