//! The model's file: a mark, a version, a header in JSON, the keys as gaps,
//! the bytes, and a check sum over all of it.

use serde::{Deserialize, Serialize};

use super::model::{Model, Slots};
use super::train::MODEL_BYTES;
use super::weighing::Weighing;

const MARK: &[u8; 8] = b"SUDAJUDG";

/// Rises with every change of the features, their weighing or the layout: a
/// model only makes sense to the code it was trained by.
const VERSION: u16 = 1;

/// Why a file is not used as a model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error("this is not a model of Suda's")]
    NotAModel,
    #[error("the model is of version {found}, this program reads version {VERSION}")]
    Version { found: u16 },
    #[error("the model is damaged: {0}")]
    Damaged(&'static str),
    #[error("a model of {0} bytes is larger than the {MODEL_BYTES} a desk takes")]
    TooLarge(usize),
    #[error("the model's header is not readable")]
    Header(#[from] serde_json::Error),
}

#[derive(Serialize, Deserialize)]
struct Header {
    fields: Vec<String>,
    labels: Vec<String>,
    counts: Vec<u32>,
    weighing: Weighing,
    scales: Vec<f32>,
    bias: Vec<f32>,
    keys: usize,
}

impl Model {
    /// The file's bytes.
    ///
    /// # Errors
    /// When the header cannot be written as JSON, or the file would be larger
    /// than [`MODEL_BYTES`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        let header = serde_json::to_vec(&Header {
            fields: self.fields.clone(),
            labels: self.labels.clone(),
            counts: self.counts.clone(),
            weighing: self.weighing,
            scales: self.scales.clone(),
            bias: self.bias.clone(),
            keys: self.keys.len(),
        })?;
        let mut bytes = MARK.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend((header.len() as u32).to_le_bytes());
        bytes.extend(header);
        let mut last = 0;
        for &key in &self.keys {
            put_gap(&mut bytes, key - last);
            last = key;
        }
        bytes.extend(&self.idf);
        bytes.extend(self.weights.iter().map(|&weight| weight as u8));
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        if bytes.len() > MODEL_BYTES {
            return Err(ModelError::TooLarge(bytes.len()));
        }
        Ok(bytes)
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// Names what is wrong: no model, another version, damage, too large.
    pub fn parse(bytes: &[u8]) -> Result<Self, ModelError> {
        let rest = bytes.strip_prefix(MARK).ok_or(ModelError::NotAModel)?;
        if bytes.len() > MODEL_BYTES {
            return Err(ModelError::TooLarge(bytes.len()));
        }
        let (version, rest) = rest
            .split_first_chunk()
            .ok_or(ModelError::Damaged("cut short"))?;
        let found = u16::from_le_bytes(*version);
        if found != VERSION {
            return Err(ModelError::Version { found });
        }
        let (body, sum) = bytes
            .split_last_chunk()
            .ok_or(ModelError::Damaged("cut short"))?;
        if crc32fast::hash(body) != u32::from_le_bytes(*sum) {
            return Err(ModelError::Damaged("its check sum does not fit"));
        }
        let (length, rest) = rest
            .split_first_chunk()
            .ok_or(ModelError::Damaged("cut short"))?;
        let length = u32::from_le_bytes(*length) as usize;
        let (header, rest) = rest
            .split_at_checked(length)
            .ok_or(ModelError::Damaged("cut short"))?;
        let rest = rest.get(..rest.len().saturating_sub(4)).unwrap_or_default();
        Self::assemble(serde_json::from_slice(header)?, rest)
    }

    fn assemble(header: Header, mut rest: &[u8]) -> Result<Self, ModelError> {
        let classes = header.labels.len();
        let fits = [header.counts.len(), header.scales.len(), header.bias.len()];
        if fits != [classes; 3]
            || classes < 2
            || header.fields.is_empty()
            || header.keys > rest.len()
        {
            return Err(ModelError::Damaged("its header does not fit itself"));
        }
        let mut keys = Vec::with_capacity(header.keys);
        let mut last = 0_u32;
        for _ in 0..header.keys {
            let gap = take_gap(&mut rest).ok_or(ModelError::Damaged("cut short"))?;
            last = last
                .checked_add(gap)
                .ok_or(ModelError::Damaged("its keys do not rise"))?;
            keys.push(last);
        }
        let (idf, weights) = rest
            .split_at_checked(keys.len())
            .ok_or(ModelError::Damaged("cut short"))?;
        if weights.len() != keys.len() * classes {
            return Err(ModelError::Damaged("its weights do not fit its keys"));
        }
        Ok(Self {
            fields: header.fields,
            labels: header.labels,
            counts: header.counts,
            weighing: header.weighing,
            scales: header.scales,
            bias: header.bias,
            idf: idf.to_vec(),
            weights: weights.iter().map(|&byte| byte as i8).collect(),
            slots: Slots::over(&keys, idf),
            keys,
        })
    }
}

/// Seven bits a byte, the lowest first; the high bit says that more follow.
fn put_gap(bytes: &mut Vec<u8>, mut gap: u32) {
    while gap >= 0x80 {
        bytes.push(gap as u8 | 0x80);
        gap >>= 7;
    }
    bytes.push(gap as u8);
}

fn take_gap(bytes: &mut &[u8]) -> Option<u32> {
    let mut gap = 0_u32;
    for shift in (0..35).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        gap |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte < 0x80 {
            return Some(gap);
        }
    }
    None
}
