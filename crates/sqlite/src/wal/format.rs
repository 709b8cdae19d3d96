//! The parts of SQLite's log and of the index beside it that are read here.

pub const HEADER: usize = 32;
pub const FRAME_HEADER: usize = 24;
/// Two copies of 48 bytes.
pub const INDEX_HEADER: usize = 96;

const MAGIC: u32 = 0x377f_0682;
const PAGE_SIZES: std::ops::RangeInclusive<u32> = 512..=65_536;

/// The running checksum: two words over pairs of words.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sum(pub u32, pub u32);

impl Sum {
    /// Goes on over `bytes`, whose number is a multiple of eight.
    pub fn over(self, bytes: &[u8], big_endian: bool) -> Self {
        let word = |four: [u8; 4]| match big_endian {
            true => u32::from_be_bytes(four),
            false => u32::from_le_bytes(four),
        };
        bytes
            .as_chunks::<8>()
            .0
            .iter()
            .fold(self, |Sum(a, b), pair| {
                let [w, x, y, z, ..] = *pair;
                let [.., s, t, u, v] = *pair;
                let a = a.wrapping_add(word([w, x, y, z])).wrapping_add(b);
                let b = b.wrapping_add(word([s, t, u, v])).wrapping_add(a);
                Sum(a, b)
            })
    }
}

/// The log's header.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    pub big_endian: bool,
    pub page_size: u32,
    /// Two words that every frame of this round repeats, as they stand.
    pub salts: [u8; 8],
    pub sum: Sum,
}

impl Header {
    /// None when it does not give its own checksum.
    pub fn parse(bytes: &[u8; HEADER]) -> Option<Self> {
        let magic = big(bytes, 0)?;
        let page_size = big(bytes, 8)?;
        let big_endian = magic & 1 == 1;
        let sum = Sum::default().over(bytes.get(..24)?, big_endian);
        let fits = magic & !1 == MAGIC
            && PAGE_SIZES.contains(&page_size)
            && page_size.is_power_of_two()
            && sum == Sum(big(bytes, 24)?, big(bytes, 28)?);
        fits.then_some(Self {
            big_endian,
            page_size,
            salts: bytes.get(16..24)?.try_into().ok()?,
            sum,
        })
    }
}

/// What a frame says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// It ends a transaction.
    pub commits: bool,
    pub salts: [u8; 8],
    pub sum: Sum,
}

impl Frame {
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            commits: big(bytes, 4)? != 0,
            salts: bytes.get(8..16)?.try_into().ok()?,
            sum: Sum(big(bytes, 16)?, big(bytes, 20)?),
        })
    }
}

/// What the index says of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Index {
    /// The last frame that ends a transaction, counted from 1.
    pub committed: u32,
    pub salts: [u8; 8],
}

impl Index {
    /// None when it was being changed, or is not one of this machine.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (first, second) = (bytes.get(..48)?, bytes.get(48..INDEX_HEADER)?);
        let native = |at: usize| -> Option<u32> {
            let four = first.get(at..at + 4)?.try_into().ok()?;
            Some(u32::from_ne_bytes(four))
        };
        let sum = Sum::default().over(first.get(..40)?, cfg!(target_endian = "big"));
        let sound =
            first == second && first.get(12) == Some(&1) && sum == Sum(native(40)?, native(44)?);
        sound.then_some(Self {
            committed: native(16)?,
            salts: first.get(32..40)?.try_into().ok()?,
        })
    }
}

fn big(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(four))
}
