//! What is known of the terminal that is written to.

/// The columns of standard output; 80 when it is no terminal, or does not say.
pub(crate) fn width() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
    size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0).unwrap_or(80)
}
