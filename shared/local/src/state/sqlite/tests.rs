mod conformance;
mod faults;
mod growth;
mod history;
