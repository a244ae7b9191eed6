//! The event stream's framing (`text/event-stream`), read as bytes come.

/// An event may have this many bytes, over all its lines. A history that is sent as one event has a few hundred thousand.
pub const MAX_EVENT: usize = 4 * 1024 * 1024;

/// One frame of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// An event with data.
    Event {
        /// Its type; nothing when the stream names none.
        name: Option<String>,
        /// Its data, lines joined by newlines.
        data: String,
    },
    /// The beginning of an event that is over the cap. Nothing more of it is told, and the stream goes on behind it.
    TooLarge,
}

/// Reads frames. Any way to cut the bytes gives the same frames, and no bytes are an error: the format has none.
#[derive(Debug)]
pub struct SseReader {
    cap: usize,
    line: Vec<u8>,
    name: Option<String>,
    data: Option<String>,
    /// Bytes of the event so far, also of its comments: somebody who sends comments without end sends no event.
    size: usize,
    is_dropping: bool,
    /// The last line ended with a carriage return: a newline that comes now belongs to it.
    after_return: bool,
    is_first_line: bool,
}

impl Default for SseReader {
    fn default() -> Self {
        Self::new(MAX_EVENT)
    }
}

impl SseReader {
    /// A reader at the beginning of a stream, of which no event may have more bytes.
    pub fn new(cap: usize) -> Self {
        Self {
            cap,
            line: Vec::new(),
            name: None,
            data: None,
            size: 0,
            is_dropping: false,
            after_return: false,
            is_first_line: true,
        }
    }

    /// Takes bytes, and gives the frames that are whole with them. What the stream ends in the middle of is no frame.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Frame> {
        let mut frames = Vec::new();
        for byte in bytes {
            let belongs_to_last = *byte == b'\n' && self.after_return;
            self.after_return = *byte == b'\r';
            match byte {
                b'\n' if belongs_to_last => {}
                b'\n' | b'\r' => frames.extend(self.end_line()),
                byte => frames.extend(self.take(*byte)),
            }
        }
        frames
    }

    fn take(&mut self, byte: u8) -> Option<Frame> {
        if self.is_dropping {
            // Only whether the line is empty still matters.
            self.line.resize(1, byte);
            return None;
        }
        self.line.push(byte);
        self.size += 1;
        if self.size <= self.cap {
            return None;
        }
        self.is_dropping = true;
        self.line = vec![byte];
        (self.name, self.data) = (None, None);
        Some(Frame::TooLarge)
    }

    fn end_line(&mut self) -> Option<Frame> {
        let line = std::mem::take(&mut self.line);
        let mut line = line.as_slice();
        if std::mem::take(&mut self.is_first_line) {
            line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
        }
        if line.is_empty() {
            self.size = 0;
            self.is_dropping = false;
            let name = self.name.take().filter(|name| !name.is_empty());
            return self.data.take().map(|data| Frame::Event { name, data });
        }
        if self.is_dropping {
            return None;
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (field, value) = (&line[..colon], line.get(colon + 1..).unwrap_or_default());
        let value = String::from_utf8_lossy(value.strip_prefix(b" ").unwrap_or(value));
        match field {
            b"data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(&value);
                }
                None => self.data = Some(value.into_owned()),
            },
            b"event" => self.name = Some(value.into_owned()),
            // Comments, ids and pauses: the host resumes nothing, so that there is nothing to remember.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(data: &str) -> Frame {
        Frame::Event { name: None, data: data.to_owned() }
    }

    #[test]
    fn lines_end_in_three_ways_and_comments_are_passed_over() {
        let stream =
            "\u{feff}data: a\n\n: still here\r\ndata:b\r\ndata:  c\r\n\r\nevent: x\rid: 7\rdata\r\rdata: cut";
        let expected =
            [event("a"), event("b\n c"), Frame::Event { name: Some("x".to_owned()), data: String::new() }];
        assert_eq!(SseReader::default().push(stream.as_bytes()), expected);
    }

    #[test]
    fn an_event_without_data_is_none() {
        assert_eq!(SseReader::default().push(b"event: x\n\n\n\n: beat\n\n"), []);
    }

    #[test]
    fn what_is_too_large_is_told_once_and_the_stream_goes_on_behind_it() {
        let stream = b"data: 12345\n\ndata: 123456789\ndata: more\n\ndata: 1\n\n";
        assert_eq!(SseReader::new(11).push(stream), [event("12345"), Frame::TooLarge, event("1")]);
    }

    #[test]
    fn an_endless_line_holds_no_more_memory_than_the_cap() {
        let mut reader = SseReader::new(64);
        let told: Vec<_> = (0..1000).flat_map(|_| reader.push(&[b'x'; 1000])).collect();
        assert_eq!(told, [Frame::TooLarge]);
        assert!(reader.line.capacity() <= 64, "{}", reader.line.capacity());
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_such() {
        assert_eq!(SseReader::default().push(b"data: a\xff\n\n"), [event("a\u{fffd}")]);
    }
}
