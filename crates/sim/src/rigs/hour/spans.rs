//! Spans of simulated time, in milliseconds, the end not included.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    pub from: u64,
    pub to: u64,
}

impl Span {
    pub fn length(self) -> u64 {
        self.to.saturating_sub(self.from)
    }

    /// What the two have in common, if anything.
    pub fn meets(self, other: Self) -> Option<Self> {
        let both = Self {
            from: self.from.max(other.from),
            to: self.to.min(other.to),
        };
        (both.from < both.to).then_some(both)
    }
}

/// Spans in their order, none touching another.
#[derive(Clone, Debug, Default)]
pub struct Spans(Vec<Span>);

impl Spans {
    pub fn new(mut spans: Vec<Span>) -> Self {
        spans.sort_by_key(|span| span.from);
        let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
        for span in spans {
            match merged.last_mut() {
                Some(last) if span.from <= last.to => last.to = last.to.max(span.to),
                _ => merged.push(span),
            }
        }
        Self(merged)
    }

    pub fn union(all: &[&Self]) -> Self {
        Self::new(all.iter().flat_map(|spans| spans.iter()).collect())
    }

    pub fn iter(&self) -> impl Iterator<Item = Span> {
        self.0.iter().copied()
    }

    /// The span that `now` is in.
    pub fn at(&self, now: u64) -> Option<Span> {
        let next = self.0.partition_point(|span| span.from <= now);
        let span = self.0.get(next.checked_sub(1)?)?;
        (now < span.to).then_some(*span)
    }

    pub fn holds(&self, now: u64) -> bool {
        self.at(now).is_some()
    }

    /// The spans between these, from `from` on and up to `to`.
    pub fn gaps(&self, from: u64, to: u64) -> impl Iterator<Item = Span> {
        let first = self.0.partition_point(|span| span.to <= from);
        let rest = self.0.get(first..).unwrap_or_default();
        let starts = std::iter::once(from).chain(rest.iter().map(|span| span.to));
        let ends = rest.iter().map(|span| span.from).chain([to]);
        starts.zip(ends).filter_map(move |(from, end)| {
            let to = end.min(to);
            (from < to).then_some(Span { from, to })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(pairs: &[(u64, u64)]) -> Spans {
        Spans::new(pairs.iter().map(|&(from, to)| Span { from, to }).collect())
    }

    #[test]
    fn gaps_are_what_the_spans_leave() {
        let spans = spans(&[(10, 20), (15, 30), (50, 60)]);
        let gaps = |from, to| -> Vec<(u64, u64)> {
            spans.gaps(from, to).map(|gap| (gap.from, gap.to)).collect()
        };
        assert_eq!(gaps(0, 100), [(0, 10), (30, 50), (60, 100)]);
        assert_eq!(gaps(12, 55), [(30, 50)]);
        assert_eq!(gaps(35, 40), [(35, 40)]);
        assert!(gaps(12, 25).is_empty());
        assert!(spans.holds(29) && !spans.holds(30) && !spans.holds(9));
    }
}
