//! The crate as its callers see it.

#[cfg(test)]
mod audit_trail;
#[cfg(test)]
mod extract;
#[cfg(test)]
mod gateway;
#[cfg(test)]
mod joins;
#[cfg(test)]
mod json;
#[cfg(test)]
mod normalise;
#[cfg(test)]
mod parts;
#[cfg(test)]
mod quirks;
#[cfg(test)]
mod read;
#[cfg(test)]
mod real_time;
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
