//! Waiting for what a chain of functions brings about.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

const BETWEEN_LOOKS: Duration = Duration::from_millis(40);

/// Looks again and again until `look` finds something.
///
/// # Errors
/// When `timeout` has passed; the message names `what` was waited for and the last error that a look met.
pub async fn wait_until<T>(
    what: &str,
    timeout: Duration,
    mut look: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let started = Instant::now();
    loop {
        let last_problem = match look().await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => None,
            Err(problem) => Some(problem),
        };
        if started.elapsed() >= timeout {
            let seconds = timeout.as_secs_f64();
            return Err(match last_problem {
                None => anyhow!("waited {seconds:.1} s in vain for {what}"),
                Some(problem) => {
                    problem.context(format!("waited {seconds:.1} s in vain for {what}"))
                }
            });
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_comes_in_time_is_found() {
        let mut looks = 0;
        let found = wait_until("the third look", Duration::from_mins(1), async || {
            looks += 1;
            Ok((looks == 3).then_some(looks))
        })
        .await;
        assert_eq!(found.unwrap(), 3);
    }

    #[tokio::test]
    async fn what_never_comes_is_named() {
        let outcome: Result<()> =
            wait_until("the last train", Duration::from_millis(50), async || Ok(None)).await;
        assert_eq!(outcome.unwrap_err().to_string(), "waited 0.1 s in vain for the last train");
    }

    #[tokio::test]
    async fn the_last_problem_is_told_with_it() {
        let outcome: Result<()> =
            wait_until("an answer", Duration::ZERO, async || Err(anyhow!("connection refused")))
                .await;
        assert!(format!("{:#}", outcome.unwrap_err()).ends_with("an answer: connection refused"));
    }
}
