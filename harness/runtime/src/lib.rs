//! The reference runtime: fleet client, Hermes node, one tool registry.
