//! Whole-API tests.
