//! The files that older repositories have in place of `tokenizer.json`: a vocabulary of words or of
//! byte pairs, merges, and what is said beside them. Zeros stand between the files.

#![no_main]

use gating_fuzz::model::with_vocabulary;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(5, |byte| *byte == 0);
    with_vocabulary([(); 5].map(|()| parts.next()));
});
