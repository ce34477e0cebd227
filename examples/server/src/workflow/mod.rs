//! The workflow engine: definitions are read and checked once, a run is a walk over their graph.
//!
//! - [`definition`]: the YAML or JSON format and everything that can be wrong with one.
//! - [`mapping`]: `{{input.company}}` and `{{steps.research.output.summary}}` in a step's input.
//! - [`engine`]: runs the steps, in parallel where nothing holds them back.
//! - [`runs`]: what became of each run, in the database.

pub(crate) mod definition;
pub(crate) mod engine;
pub(crate) mod mapping;
pub(crate) mod runs;

pub(crate) use definition::{Catalogue, Definition};
pub(crate) use engine::Engine;
