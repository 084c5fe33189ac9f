mod conformance;
mod faults;
mod growth;
