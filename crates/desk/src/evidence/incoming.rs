//! A file that comes in pieces, as a window hands it over.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::EvidenceSource;

/// Pieces that may wait to be stored before whoever brings them waits.
const WAITING: usize = 4;

/// Where the pieces go. Dropped before [`end`](Self::end), the file is not added.
#[derive(Clone)]
pub struct Incoming(SyncSender<Vec<u8>>);

/// The file has been given up: what it failed at tells whoever adds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the file is not taken any further")]
pub struct GivenUp;

impl Incoming {
    /// A file of this name, and where its pieces go.
    pub fn begin(name: String) -> (Self, EvidenceSource) {
        let (sender, receiver) = sync_channel(WAITING);
        let from = Pieces {
            receiver,
            piece: Vec::new(),
            read: 0,
            ended: false,
        };
        let from = Box::new(from);
        (Self(sender), EvidenceSource::Stream { name, from })
    }

    /// Hands over the next piece; waits while too many do.
    pub fn give(&self, piece: Vec<u8>) -> Result<(), GivenUp> {
        if piece.is_empty() {
            return Ok(());
        }
        self.0.send(piece).map_err(|_| GivenUp)
    }

    /// All pieces have been handed over.
    pub fn end(self) -> Result<(), GivenUp> {
        self.0.send(Vec::new()).map_err(|_| GivenUp)
    }
}

struct Pieces {
    receiver: Receiver<Vec<u8>>,
    piece: Vec<u8>,
    read: usize,
    ended: bool,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.read == self.piece.len() && !self.ended {
            let next = self.receiver.recv();
            // Whoever brought them is gone before the end.
            self.piece = next.map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))?;
            self.read = 0;
            self.ended = self.piece.is_empty();
        }
        let rest = self.piece.get(self.read..).unwrap_or_default();
        let taken = rest.len().min(buffer.len());
        let (from, to) = (rest.get(..taken), buffer.get_mut(..taken));
        if let (Some(from), Some(to)) = (from, to) {
            to.copy_from_slice(from);
        }
        self.read += taken;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]], ends: bool) -> io::Result<Vec<u8>> {
        let (incoming, source) = Incoming::begin("x".into());
        let EvidenceSource::Stream { mut from, .. } = source else {
            panic!("not a stream");
        };
        let pieces: Vec<Vec<u8>> = pieces.iter().map(|piece| piece.to_vec()).collect();
        let giving = std::thread::spawn(move || {
            for piece in pieces {
                incoming.give(piece).unwrap();
            }
            if ends {
                incoming.end().unwrap();
            }
        });
        let mut all = Vec::new();
        let done = from.read_to_end(&mut all);
        giving.join().unwrap();
        done.map(|_| all)
    }

    #[test]
    fn a_file_in_pieces_is_whole_only_when_its_end_was_told() {
        assert_eq!(read(&[b"ab", b"", b"cde"], true).unwrap(), b"abcde");
        let cut = read(&[b"ab"], false).unwrap_err();
        assert_eq!(cut.kind(), io::ErrorKind::UnexpectedEof);
    }
}
