//! The peers: receivers, executor CLIs, and the injection points where quirks bite.
