//! How the demo's output is set: 96 columns, headings, aligned terms.

use std::time::Duration;

const WIDTH: usize = 96;
const TERM_WIDTH: usize = 11;

/// A heading, with air above.
pub(crate) fn heading(text: &str) {
    println!("\n{text}\n");
}

/// A thing done, with the time it took at the right edge.
pub(crate) fn done(what: &str, took: Duration) {
    println!("  {what:<82}{:>8.1} s", took.as_secs_f64());
}

/// A term and what there is to say of it, wrapped beside it.
pub(crate) fn term(term: &str, text: &str) {
    let first = format!("  {term:<TERM_WIDTH$}");
    wrapped(&first, &" ".repeat(first.len()), text);
}

/// Text that goes on under the last term.
pub(crate) fn more(mark: &str, text: &str) {
    let first = format!("  {:<TERM_WIDTH$}{mark}", "");
    wrapped(&first, &" ".repeat(first.chars().count()), text);
}

/// A letter, as it is.
pub(crate) fn quoted(text: &str) {
    for line in text.trim_end().lines() {
        println!("{}", format!("  | {line}").trim_end());
    }
}

/// What a command printed, as it is.
pub(crate) fn said(text: &str) {
    for line in text.trim_end().lines() {
        println!("{}", format!("    {line}").trim_end());
    }
}

fn wrapped(first: &str, further: &str, text: &str) {
    let options = textwrap::Options::new(WIDTH)
        .initial_indent(first)
        .subsequent_indent(further)
        // Names of agents and purposes hold hyphens.
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    for line in textwrap::wrap(text, options) {
        println!("{line}");
    }
}

/// `57312` as `57,312`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(57_312), "57,312");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }
}
