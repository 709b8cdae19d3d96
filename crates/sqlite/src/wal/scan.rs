//! Reading the log's frames in order.

use std::io::{self, Read};

use super::Damage;
use super::format::{FRAME_HEADER, Frame, HEADER, Header, Index, Sum};

/// The log's first bytes; none when it has not been begun.
pub fn start(log: &mut impl Read) -> io::Result<Option<[u8; HEADER]>> {
    let mut header = [0; HEADER];
    let whole = fill(log, &mut header)?;
    Ok((whole && header != [0; HEADER]).then_some(header))
}

/// False at the end of the file.
pub fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

pub struct Scan {
    header: Header,
    /// The frames read so far.
    frames: u64,
    /// The last frame that SQLite would take as the end of a transaction.
    committed: u64,
    /// The first that it would not read.
    broken: Option<u64>,
    /// A transaction has ended at or behind that one.
    ended: bool,
}

impl Scan {
    pub fn new(header: Header) -> Self {
        Self {
            header,
            frames: 0,
            committed: 0,
            broken: None,
            ended: false,
        }
    }

    /// Reads to the end, or to the place that shows that something is lost.
    pub fn run(mut self, log: &mut impl Read, index: Option<Index>) -> io::Result<Option<Damage>> {
        let mut before = self.header.sum;
        let page = usize::try_from(self.header.page_size).map_err(io::Error::other)?;
        let mut bytes = vec![0; FRAME_HEADER + page];
        while fill(log, &mut bytes)? {
            let Some(frame) = Frame::parse(&bytes) else {
                break;
            };
            self.frames += 1;
            let fits = frame.salts == self.header.salts && frame.sum == self.sum(before, &bytes);
            if self.shows_loss(&frame, fits) {
                return Ok(self.broken.map(|frame| Damage { frame }));
            }
            before = frame.sum;
        }
        Ok(self.verdict(index))
    }

    fn sum(&self, before: Sum, frame: &[u8]) -> Sum {
        let (header, page) = frame.split_at(FRAME_HEADER);
        let (said, _) = header.split_at(8);
        before
            .over(said, self.header.big_endian)
            .over(page, self.header.big_endian)
    }

    /// Whether this frame can only stand there because a transaction before it
    /// was on the disk, and one of that transaction cannot be read.
    fn shows_loss(&mut self, frame: &Frame, fits: bool) -> bool {
        if self.broken.is_none() {
            if fits {
                if frame.commits {
                    self.committed = self.frames;
                }
                return false;
            }
            self.broken = Some(self.frames);
        } else if fits && self.ended {
            return true;
        }
        // What an earlier round has left says nothing of this one's ends.
        self.ended |= frame.commits && frame.salts == self.header.salts;
        false
    }

    /// At the end of the log nothing in it has shown a loss; the index may.
    fn verdict(self, index: Option<Index>) -> Option<Damage> {
        let known = index.filter(|index| index.salts == self.header.salts)?;
        let frame = self.broken.unwrap_or(self.frames + 1);
        (u64::from(known.committed) > self.committed).then_some(Damage { frame })
    }
}
