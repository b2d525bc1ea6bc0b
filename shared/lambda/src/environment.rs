//! Environment variables.

use thiserror::Error;

/// A variable is missing.
#[derive(Debug, Error)]
#[error(
    "the environment variable {name} is not set; the stack in infra/ sets it on every function that needs it"
)]
pub struct MissingVariable {
    /// Its name.
    pub name: &'static str,
}

/// The value of a variable that must be set and must not be empty.
///
/// # Errors
/// When it is not.
pub fn required(name: &'static str) -> Result<String, MissingVariable> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).ok_or(MissingVariable { name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_variable_is_named() {
        let error = required("BREACHCLOCK_NO_SUCH_VARIABLE").unwrap_err();
        assert!(error.to_string().contains("BREACHCLOCK_NO_SUCH_VARIABLE"));
    }
}
