//! The compliance of one executor as a badge, `badge.svg`: how many musts hold, for a README or a page.

use crate::compliance::Tally;
use crate::escape;
use crate::report::ExecutorReport;

/// The most characters of a name.
const MOST: usize = 40;

/// The badge, with a line end.
pub fn report(report: &ExecutorReport) -> String {
    let name: String = report.executor.chars().take(MOST).collect();
    let (message, colour) = told(report);
    drawn(&escape::one_line(&format!("gauntlet {name}")), &message, colour)
}

const GREEN: &str = "#2e7d32";
const AMBER: &str = "#b26a00";
const RED: &str = "#b71c1c";
const GREY: &str = "#616161";

fn told(report: &ExecutorReport) -> (String, &'static str) {
    let Tally { pass, fail, inconclusive, error, known, .. } = report.compliance.must;
    let judged =
        u64::from(pass) + u64::from(fail) + u64::from(inconclusive) + u64::from(error) + u64::from(known);
    if judged == 0 {
        return ("not judged".to_owned(), GREY);
    }
    let also = if known > 0 { format!(", {known} known") } else { String::new() };
    let message = format!("{pass} of {judged} must{also}");
    if !report.complete {
        return (format!("{message}, incomplete"), GREY);
    }
    let should = &report.compliance.should;
    match () {
        () if fail + inconclusive + error > 0 => (message, RED),
        () if known + should.fail + should.error > 0 => (message, AMBER),
        () => (message, GREEN),
    }
}

fn drawn(label: &str, message: &str, colour: &str) -> String {
    // Characters of such a font are at most so wide; a badge is rather too wide than too narrow.
    let width = |text: &str| text.chars().map(|c| if c.is_ascii() { 7 } else { 12 }).sum::<usize>() + 12;
    let (left, right) = (width(label), width(message));
    let (label, message) = (xml(label), xml(message));
    let all = left + right;
    let (middle_left, middle_right) = (left / 2, left + right / 2);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{all}\" height=\"20\" role=\"img\" aria-label=\"{label}: {message}\">\n\
         <title>{label}: {message}</title>\n\
         <rect width=\"{left}\" height=\"20\" fill=\"#424242\"/>\n\
         <rect x=\"{left}\" width=\"{right}\" height=\"20\" fill=\"{colour}\"/>\n\
         <g fill=\"#fff\" text-anchor=\"middle\" font-family=\"Verdana,Geneva,sans-serif\" font-size=\"11\">\n\
         <text x=\"{middle_left}\" y=\"14\">{label}</text>\n\
         <text x=\"{middle_right}\" y=\"14\">{message}</text>\n\
         </g>\n\
         </svg>\n"
    )
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
