//! Records of runs that tell of themselves in several rows.
//!
//! A report, a list view or a long query is told page by page, and each page counts what all pages so far have come
//! to. The records of the run are the most that any page says, whatever the order in which pages come.

use std::collections::BTreeMap;

/// Most runs of a line that are kept apart. Of those beyond, with greater names, the pages are added up: too many
/// records rather than too few.
pub(super) const MAX_EXECUTIONS_PER_LINE: usize = 500;

/// What the pages of one run have said.
#[derive(Clone, Copy, Debug, Default)]
struct Pages {
    largest: u64,
    /// What the run counts should it be one of those beyond.
    sum: u64,
}

/// The runs of one line. A function of the set of rows: those kept are the ones with the smallest names of all that
/// ever came, and one that was let go cannot come back.
#[derive(Clone, Debug, Default)]
pub(super) struct Executions {
    kept: BTreeMap<String, Pages>,
    sum_beyond: u64,
}

impl Executions {
    /// Adds a page.
    pub(super) fn add(&mut self, execution: &str, record_count: u64) {
        self.add_pages(execution, Pages { largest: record_count, sum: record_count });
        self.cut();
    }

    /// Adds the runs of another line.
    pub(super) fn merge(&mut self, other: Self) {
        self.sum_beyond = self.sum_beyond.saturating_add(other.sum_beyond);
        for (execution, pages) in other.kept {
            self.add_pages(&execution, pages);
        }
        self.cut();
    }

    /// Records of all runs.
    pub(super) fn record_count(&self) -> u64 {
        self.kept.values().fold(self.sum_beyond, |sum, pages| sum.saturating_add(pages.largest))
    }

    fn add_pages(&mut self, execution: &str, pages: Pages) {
        if let Some(known) = self.kept.get_mut(execution) {
            known.largest = known.largest.max(pages.largest);
            known.sum = known.sum.saturating_add(pages.sum);
        } else {
            self.kept.insert(execution.to_owned(), pages);
        }
    }

    fn cut(&mut self) {
        while self.kept.len() > MAX_EXECUTIONS_PER_LINE {
            if let Some((_, pages)) = self.kept.pop_last() {
                self.sum_beyond = self.sum_beyond.saturating_add(pages.sum);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_that_a_page_says_counts() {
        let mut executions = Executions::default();
        for (execution, count) in [("b", 400), ("a", 200), ("a", 600), ("a", 400), ("b", 200)] {
            executions.add(execution, count);
        }
        assert_eq!(executions.record_count(), 1_000);
    }

    #[test]
    fn runs_beyond_the_limit_are_added_up_in_any_order() {
        let pages: Vec<_> = (0..MAX_EXECUTIONS_PER_LINE + 50)
            .flat_map(|run| [(format!("{run:04}"), 1_u64), (format!("{run:04}"), 2)])
            .collect();
        let count = |pages: &mut dyn Iterator<Item = &(String, u64)>| {
            let mut executions = Executions::default();
            pages.for_each(|(run, count)| executions.add(run, *count));
            (executions.record_count(), executions.kept.len())
        };
        let expected = (2 * 500 + 3 * 50, MAX_EXECUTIONS_PER_LINE);
        assert_eq!(count(&mut pages.iter()), expected);
        assert_eq!(count(&mut pages.iter().rev()), expected);
        let turned: Vec<_> =
            pages.iter().step_by(2).chain(pages.iter().skip(1).step_by(2)).collect();
        assert_eq!(count(&mut turned.into_iter()), expected);
    }
}
