//! The formats from outside: one sample, every rendering of it.

// The attribute tells the lints that helpers in these files are test code too.
#[cfg(test)]
mod formats;
#[cfg(test)]
mod known;
#[cfg(test)]
mod releases;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod schemas;
#[cfg(test)]
mod terminal_width;
