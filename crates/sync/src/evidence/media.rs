//! What a file is, by its first bytes.

use suda_domain::evidence::MEDIA_TYPES;

/// The media type of a file that begins with these bytes, if it is one that
/// is taken as evidence. A few hundred bytes suffice.
pub fn media_type(first: &[u8]) -> Option<&'static str> {
    let found = infer::get(first)?.mime_type();
    MEDIA_TYPES.iter().copied().find(|known| *known == found)
}

#[cfg(test)]
mod tests {
    use super::media_type;

    #[test]
    fn contents_decide_and_programs_are_not_taken() {
        let taken: [(&[u8], &str); 6] = [
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
            (b"\x89PNG\r\n\x1a\n", "image/png"),
            (b"%PDF-1.7", "application/pdf"),
            (b"#!AMR\n<\x91\x17\x16\xbe\x66\x78", "audio/amr"),
            (b"RIFF\x24\0\0\0WAVEfmt ", "audio/x-wav"),
            (b"\0\0\0\x20ftypM4A \0\0\0\0", "audio/m4a"),
        ];
        for (first, name) in taken {
            assert_eq!(media_type(first), Some(name));
        }
        for refused in [
            &b"MZ\x90\0"[..],
            b"\x7fELF\x02\x01\x01",
            b"<html><script>",
            b"<svg xmlns=\"http://www.w3.org/2000/svg\">",
            b"PK\x03\x04",
            b"#!/bin/sh\n",
            b"",
        ] {
            assert_eq!(media_type(refused), None, "{refused:?}");
        }
    }
}
