//! Anything that looks like JSON: events one by one, in arrays, in the envelopes of those who hand them on.

use bolero::check;

use crate::{reading::read_however_it_comes, soup};

#[test]
fn any_json_is_read_or_refused_to_the_same_effect_however_it_comes() {
    check!(name = "json").with_iterations(300).for_each(|input: &[u8]| {
        read_however_it_comes(&as_json(input));
        read_however_it_comes(&as_json(&soup::of(input, &soup::JSON)));
    });
}

fn as_json(data: &[u8]) -> Vec<u8> {
    let is_json = matches!(data.trim_ascii_start().first(), Some(b'{' | b'['));
    let mark: &[u8] = if is_json { b"" } else { b"{" };
    [mark, data].concat()
}
