//! Path, query and header values: decoded, folded and searched.

use std::cell::RefCell;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::decode::{self, Syntax};
use super::rules::{FRAGMENTS, Rule};
use super::{Finding, Location, MAX_INSPECTED};

/// All fragments in one automaton: each byte is looked at once, however many fragments there are.
static AUTOMATON: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::DFA))
        .build(FRAGMENTS.iter().map(|fragment| fragment.text))
        .ok()
});

/// Fragments of one text that are looked at closely: each costs a look at the text around it.
const MAX_FRAGMENTS: usize = 1024;

thread_local! {
    /// Decoded and folded text of the request at hand.
    static BUFFERS: RefCell<[Vec<u8>; 3]> = const { RefCell::new([const { Vec::new() }; 3]) };
}

/// Builds the automaton now rather than in the first request.
pub(crate) fn warm_up() {
    LazyLock::force(&AUTOMATON);
}

/// Searches `text` as sent, decoded once and decoded twice.
pub(super) fn inspect(text: &[u8], location: Location, finding: &mut Finding) {
    if text.len() > MAX_INSPECTED {
        finding.add(Rule::Oversized, location, 2);
    }
    let text = &text[..text.len().min(MAX_INSPECTED)];
    if is_plain(text) {
        search(text, location, finding);
        return;
    }
    BUFFERS.with(|buffers| {
        // Nobody calls back into this function from within: the buffers are free.
        let Ok(mut buffers) = buffers.try_borrow_mut() else {
            return;
        };
        let [once, twice, folded] = &mut *buffers;
        let (first, again) = match location {
            Location::Query => (Syntax::Query, Syntax::Form),
            _ => (Syntax::Plain, Syntax::Plain),
        };
        let changed = decode::percent(text, first, once);
        decode::fold(once, folded);
        search(folded, location, finding);
        if changed && once.contains(&b'%') && decode::percent(once, again, twice) {
            if twice.contains(&b'%') && decode::percent(twice, again, once) && has_markup(once) {
                finding.add(Rule::Encoding, location, 5);
            }
            decode::fold(twice, folded);
            search(folded, location, finding);
            // Encoding twice is rare in itself, and markup under it is never an accident.
            let points = if has_markup(twice) { 3 } else { 1 };
            finding.add(Rule::Encoding, location, points);
        }
    });
}

/// Searches `text` as it stands, folded.
pub(super) fn inspect_folded(text: &[u8], location: Location, finding: &mut Finding) {
    BUFFERS.with(|buffers| {
        let Ok(mut buffers) = buffers.try_borrow_mut() else {
            return;
        };
        let [_, _, folded] = &mut *buffers;
        decode::fold(text, folded);
        search(folded, location, finding);
    });
}

/// Nothing to decode and nothing to fold.
fn is_plain(text: &[u8]) -> bool {
    !text
        .iter()
        .any(|&byte| matches!(byte, b'%' | b'+' | b'*') || byte <= b' ' || byte >= 0x7f)
}

fn has_markup(text: &[u8]) -> bool {
    text.iter().any(|byte| b"<>'\"`;|$\\\0".contains(byte))
        || memchr::memmem::find(text, b"..").is_some()
}

/// Adds the points of every fragment in `text`.
pub(super) fn search(text: &[u8], location: Location, finding: &mut Finding) {
    let Some(automaton) = &*AUTOMATON else { return };
    let mut left = MAX_FRAGMENTS;
    for found in automaton.find_overlapping_iter(text) {
        left -= 1;
        if left == 0 {
            // No honest text has so many; what else is in it need not be known.
            finding.add(Rule::Oversized, location, super::SUSPICIOUS);
            return;
        }
        let fragment = &FRAGMENTS[found.pattern().as_usize()];
        if fragment.place.allows(location) {
            let points = (fragment.confirm)(text, found.start(), found.end(), fragment.points);
            finding.add(fragment.rule, location, points);
        }
    }
}
