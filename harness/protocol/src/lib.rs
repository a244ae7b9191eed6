//! Messages and dialects that bridges speak: pure data, total parsers, no I/O.
