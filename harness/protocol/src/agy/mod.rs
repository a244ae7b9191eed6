//! What a receiver must know of `agy --print` (fleet sheet 3.5). None of it was recorded: everything here is made from the sheet. How its
//! output is read is in `fleet/replay/`.

mod mode;
mod replays;

pub use mode::MODE;
pub use replays::REPLAYS;
