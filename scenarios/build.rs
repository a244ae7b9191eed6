//! Makes cargo embed the data anew when a file of it was added, changed or removed.

fn main() {
    for folder in [
        "requirements",
        "suites",
        "executors",
        "profiles",
        "releases",
        "quirks",
        "faults",
        "mutants",
        "roadmap",
        "catalogue",
    ] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
