//! JSON that cannot be read.

/// Where JSON could not be read. The parser's own message may quote a value; its place and kind do not.
pub(crate) fn place(error: &serde_json::Error) -> String {
    format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column())
}
