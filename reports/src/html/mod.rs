//! The report of one executor as a page, `report.html`: one file without scripts that asks no network for anything.

mod failures;
mod requirements;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::compliance::Compliance;
use crate::escape;
use crate::known::{self, KnownRow};
use crate::report::{ExecutorReport, ProfileRow, ReleaseRow};
use crate::verdict::{Level, Verdict};

/// Nothing may be loaded, run or sent by a page that holds what peers said, whatever escaped the escaping.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The whole page, with a line end.
pub fn report(report: &ExecutorReport) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Compliance of " (line(&report.executor)) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {
                (head(report))
                (compliance(&report.compliance))
                @if let Some(known) = &report.release { (release(known)) }
                (profiles(&report.profiles))
                (failures::all(report))
                (requirements::all(&report.requirements))
                (requirements::newer(&report.newer, &report.catalogue.revision))
                (known_failures(&report.known_failures))
                (gaps("uncovered", "Not covered", "No scenario judges these requirements.", &report.uncovered))
                (gaps(
                    "unbroken",
                    "Never seen to fail",
                    "No quirk, no mutant and no version breaks these requirements.",
                    &report.unbroken,
                ))
            }
        }
    };
    page.into_string() + "\n"
}

fn head(report: &ExecutorReport) -> Markup {
    let (subject, catalogue) = (&report.subject, &report.catalogue);
    let failed = report.failures.len() + report.failures_left_out as usize;
    html! {
        header {
            h1 { "Compliance of " (line(&report.executor)) }
            p.lead {
                @if !report.complete {
                    span.inconclusive { "Incomplete: not every selected cell ran to its end. These verdicts may change." }
                } @else if failed > 0 {
                    span.fail { (failed) @if failed == 1 { " failure" } @else { " failures" } " that nobody expected" }
                } @else {
                    span.pass { "No failure that nobody expected" }
                }
            }
            nav {
                a href="#compliance" { "Compliance" }
                @if !report.failures.is_empty() { a href="#failures" { "Failures" } }
                a href="#requirements" { "Requirements" }
                @if !report.known_failures.is_empty() { a href="#known" { (known::heading(&report.known_failures).0) } }
            }
            table {
                (fact("subject", &format!("{} {}, release {}", subject.kind, subject.name, subject.release)))
                (fact("tool", &format!("{} {}", report.tool.name, report.tool.version)))
                (fact("catalogue", &format!("{} ({})", catalogue.revision, catalogue.digest)))
                @for layer in &catalogue.layers {
                    (fact("own data", &format!("{} ({})", layer.folder, layer.digest)))
                }
                (fact("seed", &report.seed.to_string()))
            }
        }
    }
}

fn fact(name: &str, value: &str) -> Markup {
    html! { tr { th scope="row" { (name) } td { (line(value)) } } }
}

fn compliance(compliance: &Compliance) -> Markup {
    let has_known = Level::ALL.into_iter().any(|level| compliance.at(level).known > 0);
    html! {
        section id="compliance" {
            h2 { "Compliance" }
            p.quiet { "Requirements by verdict, in cells without quirk or fault." }
            table {
                tr {
                    th scope="col" { "level" }
                    @for verdict in Verdict::ALL { th.count scope="col" { (verdict.label()) } }
                    @if has_known { th.count scope="col" { "known" } }
                }
                @for level in Level::ALL {
                    @let tally = compliance.at(level);
                    tr {
                        th scope="row" { (level) }
                        @for verdict in Verdict::ALL {
                            @let count = tally.get(verdict);
                            td.count {
                                @if count > 0 { span class=(verdict.as_str()) { (count) } } @else { span.quiet { "0" } }
                            }
                        }
                        @if has_known { td.count { (tally.known) } }
                    }
                }
            }
        }
    }
}

fn release(release: &ReleaseRow) -> Markup {
    html! {
        section id="release" {
            h2 { "Release " code { (line(&release.id)) } }
            p { (line(&release.title)) " Seen in: " (list(&release.seen_in)) "." }
            p { "It is known not to keep these requirements. Their failures have the evidence." }
            table {
                tr { th scope="col" { "requirement" } th scope="col" { "known by" } }
                @for known in &release.breaks {
                    tr { td.id { (line(&known.requirement)) } td { (line(&known.evidence)) } }
                }
            }
            @for (ids, what) in [
                (&release.unexpected_breaks, "Failed without being listed: "),
                (&release.missing_breaks, "Listed, and not failed: "),
            ] {
                @if !ids.is_empty() { p { span.fail { (what) } (list(ids)) } }
            }
        }
    }
}

fn profiles(profiles: &[ProfileRow]) -> Markup {
    html! {
        @if !profiles.is_empty() {
            section id="versions" {
                h2 { "Versions" }
                p.quiet {
                    "A break is a requirement that even the reference cannot keep on that version. Unexpected breaks are not "
                    "listed in the profile; missing breaks are listed but did not occur."
                }
                table {
                    tr {
                        @for name in ["version", "recorded", "breaks", "unexpected breaks", "missing breaks"] {
                            th scope="col" { (name) }
                        }
                    }
                    @for profile in profiles {
                        tr {
                            td.id { (line(&profile.version)) }
                            td {
                                @match (&profile.recorded_from, profile.recorded) {
                                    (Some(from), true) => (line(from)),
                                    (None, true) => "yes",
                                    (_, false) => span.inconclusive { "unrecorded" },
                                }
                            }
                            td { (list(&profile.breaks)) }
                            td.fail { (list(&profile.unexpected_breaks)) }
                            td.fail { (list(&profile.missing_breaks)) }
                        }
                    }
                }
            }
        }
    }
}

fn known_failures(rows: &[KnownRow]) -> Markup {
    html! {
        @if !rows.is_empty() {
            section id="known" {
                h2 { (known::heading(rows).0) }
                p.quiet { (known::heading(rows).1) }
                table {
                    tr {
                        @for name in
                            ["cells", "state", "failed", "passed", "reason", "owner", "issue", "until", "listed at"]
                        {
                            th scope="col" { (name) }
                        }
                    }
                    @for row in rows {
                        tr {
                            td { code { (line(&row.name())) } }
                            td { (row.state.label()) }
                            td.count { (row.failed) }
                            td.count { (row.passed) }
                            td { (line(&row.reason)) }
                            td { (line(&row.owner)) }
                            td { (line(row.issue.as_deref().unwrap_or_default())) }
                            td.id { (line(&row.expires)) }
                            td { (line(&row.place)) }
                        }
                    }
                }
            }
        }
    }
}

fn gaps(id: &str, title: &str, what: &str, ids: &[String]) -> Markup {
    html! {
        @if !ids.is_empty() {
            section id=(id) {
                h2 { (title) }
                p { (what) }
                ul { @for id in ids { li { code { (line(id)) } } } }
            }
        }
    }
}

/// Text on one line; what a reader cannot see is shown. maud escapes the markup.
fn line(text: &str) -> String {
    escape::one_line(text)
}

fn list(items: &[String]) -> String {
    line(&items.join(", "))
}
