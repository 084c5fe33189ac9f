//! From what a project declares to what is deployed: pure, no clock, no files.
