//! How close a letter's text stands on A4.

/// How close the text stands.
#[derive(Clone, Copy)]
pub struct Density {
    /// Of the body, in points.
    pub size: f32,
    /// For Chinese, which is justified, and for English.
    pub leading: (f32, f32),
    /// Of the usual gaps between blocks.
    pub gaps: f32,
    /// Of the usual height of lines and pads around the body.
    pub scale: f32,
}

/// The usual one first; the last is the closest that still reads well on paper.
pub const DENSITIES: [Density; 3] = [
    Density {
        size: 10.5,
        leading: (17.0, 15.5),
        gaps: 1.0,
        scale: 1.0,
    },
    Density {
        size: 10.25,
        leading: (16.0, 14.8),
        gaps: 0.8,
        scale: 0.92,
    },
    Density {
        size: 9.75,
        leading: (14.4, 13.3),
        gaps: 0.55,
        scale: 0.85,
    },
];
