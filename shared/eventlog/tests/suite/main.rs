//! The crate as its callers see it.

#[cfg(test)]
mod extract;
#[cfg(test)]
mod joins;
#[cfg(test)]
mod normalise;
#[cfg(test)]
mod parts;
#[cfg(test)]
mod quirks;
#[cfg(test)]
mod read;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod soql;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tally;
#[cfg(test)]
mod types;
