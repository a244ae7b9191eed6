//! The embedded data: requirements, suites, profiles, releases, quirks, faults.
