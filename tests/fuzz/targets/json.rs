//! Anything that looks like JSON: events one by one, in arrays, in the envelopes of those who hand them on.

use bolero::check;

use crate::{reading::read_however_it_comes, soup};

#[test]
fn any_json_is_read_or_refused_to_the_same_effect_however_it_comes() {
    let check = |input: &[u8]| {
        read_however_it_comes(&as_json(input));
        read_however_it_comes(&as_json(&soup::of(input, &soup::JSON)));
    };
    check!(name = "json").with_iterations(0).for_each(check);
    crate::inputs::each(300, check);
}

fn as_json(data: &[u8]) -> Vec<u8> {
    let is_json = matches!(data.trim_ascii_start().first(), Some(b'{' | b'['));
    let mark: &[u8] = if is_json { b"" } else { b"{" };
    [mark, data].concat()
}
