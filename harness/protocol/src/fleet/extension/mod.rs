//! What a receiver may do beyond the dialect, by A2A's extension mechanism: its card lists what it declares, and messages carry
//! the members of an extension in their `metadata`, under the extension's URI. Source: the hardening roadmap (issue 5).

pub mod usage;
