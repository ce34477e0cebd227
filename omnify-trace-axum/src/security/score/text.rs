//! Path, query and header values: decoded, folded and searched.

use std::cell::RefCell;
use std::sync::LazyLock;

use aho_corasick::automaton::{Automaton as _, StateID};
use aho_corasick::{Anchored, MatchKind, StartKind, dfa::DFA};

use super::decode::{self, Comments, Syntax};
use super::rules::{FRAGMENTS, Rule};
use super::{Finding, Location, MAX_INSPECTED};

/// All fragments in one automaton: each byte is looked at once, however many fragments there are.
static AUTOMATON: LazyLock<Option<(DFA, StateID)>> = LazyLock::new(|| {
    let automaton = DFA::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        .start_kind(StartKind::Unanchored)
        .prefilter(false)
        .build(FRAGMENTS.iter().map(|fragment| fragment.text))
        .ok()?;
    let start = automaton.start_state(Anchored::No).ok()?;
    Some((automaton, start))
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
    with_buffers(|[once, twice, folded]| {
        let (first, again) = match location {
            Location::Query => (Syntax::Query, Syntax::Form),
            _ => (Syntax::Plain, Syntax::Plain),
        };
        let changed = decode::percent(text, first, once);
        search_variants(once, folded, location, finding);
        if !changed {
            return;
        }
        if once.contains(&b'%') && decode::percent(once, again, twice) {
            if twice.contains(&b'%') && decode::percent(twice, again, once) && has_markup(once) {
                finding.add(Rule::Encoding, location, 5);
            }
            search_variants(twice, folded, location, finding);
            // Encoding twice is rare in itself, and markup under it is never an accident.
            let points = if has_markup(twice) { 3 } else { 1 };
            finding.add(Rule::Encoding, location, points);
        } else if again == Syntax::Form && once.contains(&b'+') {
            // Nobody's fault: `C++` is spelled like that.
            decode::percent(once, again, twice);
            decode::fold(twice, Comments::Space, folded);
            search(folded, location, finding);
        }
    });
}

/// Searches `text` as it stands, folded.
pub(super) fn inspect_folded(text: &[u8], location: Location, finding: &mut Finding) {
    with_buffers(|[_, _, folded]| search_variants(text, folded, location, finding));
}

fn with_buffers(work: impl FnOnce(&mut [Vec<u8>; 3])) {
    BUFFERS.with(|buffers| {
        // Nobody calls back into these functions from within: the buffers are free.
        if let Ok(mut buffers) = buffers.try_borrow_mut() {
            work(&mut buffers);
        }
    });
}

/// Searches decoded text as each of those who may read it sees it: databases, browsers, pages.
fn search_variants(text: &[u8], folded: &mut Vec<u8>, location: Location, finding: &mut Finding) {
    decode::fold(text, Comments::Space, folded);
    search(folded, location, finding);
    if memchr::memmem::find(text, b"/*").is_some() {
        // `uni/**/on` is one word to some, and what is no SQL has no comments to hide in.
        for comments in [Comments::Nothing, Comments::Text] {
            decode::fold(text, comments, folded);
            search(folded, location, finding);
        }
    }
    if memchr::memchr2(b'\n', b'\r', text).is_some() {
        decode::fold(text, Comments::Lines, folded);
        search(folded, location, finding);
    }
    if text.contains(&b'&') {
        let mut plain = Vec::new();
        let mut entities = decode::entities(text, &mut plain);
        if entities.changed {
            // Once more, for what was escaped on its way: `&amp;#106;`.
            let mut again = Vec::new();
            let more = decode::entities(&plain, &mut again);
            entities.letters |= more.letters;
            decode::fold(&again, Comments::Space, folded);
            search(folded, location, finding);
        }
        if entities.letters {
            finding.add(Rule::Encoding, location, 5);
        }
    }
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
    let Some((automaton, start)) = &*AUTOMATON else {
        return;
    };
    let mut left = MAX_FRAGMENTS;
    let mut state = *start;
    // One step a byte, by hand: the iterator over matches costs three times as much.
    for (at, &byte) in text.iter().enumerate() {
        state = automaton.next_state(Anchored::No, state, byte);
        if !automaton.is_special(state) || !automaton.is_match(state) {
            continue;
        }
        let count = automaton.match_len(state);
        if count >= left {
            // No honest text has so many; what else is in it need not be known.
            finding.add(Rule::Oversized, location, super::SUSPICIOUS);
            return;
        }
        left -= count;
        for index in 0..count {
            let pattern = automaton.match_pattern(state, index).as_usize();
            confirm(pattern, text, at + 1, location, finding);
        }
    }
}

/// Looks closely at a fragment that ends at `end`.
fn confirm(pattern: usize, text: &[u8], end: usize, location: Location, finding: &mut Finding) {
    let fragment = &FRAGMENTS[pattern];
    if fragment.place.allows(location) {
        let start = end - fragment.text.len();
        let points = (fragment.confirm)(text, start, end, fragment.points);
        finding.add(fragment.rule, location, points);
    }
}
