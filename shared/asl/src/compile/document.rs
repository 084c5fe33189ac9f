//! What the machines ask the planner, and what it answers. This page is for whoever writes the
//! planner; the machines themselves only know the paths.
//!
//! Every call holds `"execution"`, which says who asks, but for `redrive` as strings:
//!
//! ```json
//! {"id": "arn:aws:states:..", "name": "01J..", "redrive": 0, "start": "2026-01-31T00:00:00Z"}
//! ```
//!
//! `redrive` counts how often a person redrove the execution. (`null` on an emulator that does not
//! know it: take it as 0.)
//!
//! # The document
//!
//! `plan`, `settle` and `finish` with something left answer a document:
//!
//! ```json
//! {
//!   "run": "01J..", "mode": "inline", "wave": 0, "redrive": 0,
//!   "stages": {"each_flights": {"items": [{"p": "2013-01-01", "o": "0", "steps": {"flights": {}}}]}}
//! }
//! ```
//!
//! or, where there is much to do:
//!
//! ```json
//! {
//!   "run": "01J..", "mode": "distributed", "wave": 0, "redrive": 0, "max_concurrency": 1000,
//!   "stages": {"each_flights": {"key": "runs/01J../0/wave-0/each_flights.jsonl"}}
//! }
//! ```
//!
//! | field | is |
//! |---|---|
//! | `mode` | `inline`, `distributed`, or from `plan` only, `nothing`: then no other field is read |
//! | `wave` | the wave of [`Layout`](precip_core::machine::Layout) that has work. Waves without work may be left out; a wave that there is not means that all is done |
//! | `redrive` | which `execution.redrive` the document was planned for. It goes on to the materializer, whose attempts start again at retry 0 |
//! | `max_concurrency` | how many children a distributed map may have at once; in a distributed run only |
//! | `stages` | what the stages of the wave have to do; a stage that has nothing to do is absent. Each holds [`items`](precip_core::machine::Item), or the key of a manifest with a [`Row`](precip_core::machine::Row) in each line |
//!
//! Other fields do no harm. What is over 256 KiB cannot be a document, and what leaves more than
//! [`INLINE_EVENTS`](precip_core::machine::INLINE_EVENTS) in the history has to be distributed.
//!
//! # The calls
//!
//! | call | answer |
//! |---|---|
//! | `{"do": "plan", "input": ..}` | a document, or the error `Precip.BadInput` |
//! | `{"do": "settle", run, mode, wave, redrive}` | the document of the next wave that has work, with the same `redrive` |
//! | `{"do": "next", run, mode, wave, redrive, stage, key, row}` | `{"row": 1, "rows": [{"items": [..]}]}`: the row of that number in the manifest, counted from 0, without what is held back, in a list, and the number to ask for next; `"rows": []` after the last. Only for stages that run in order, in distributed runs |
//! | `{"do": "record", run, stage, item, failed, redrive}` | `{"run": .., "redrive": .., "item": ..}`, see below |
//! | `{"do": "finish", run, mode, redrive}` | `{"again": false}`; the error `Precip.RunFailed` when something failed; or, when `execution.redrive` is more than `redrive`, a document of what is left with `"again": true` and `redrive` from `execution` |
//! | `{"do": "finish", "again": true, ..}` | the document of what is left, with `"again": true` and the same `redrive`, without ending anything: the execution that waits for this one was redriven, `redrive` times so far |
//!
//! `record` comes when a step of an item failed for good: `"failed": {"flights": {"Error": "..",
//! "Cause": ".."}}` has one field, the step. The planner sees to it that the failure is on record
//! (the materializer may have been killed before it could write it) and answers what is left of the
//! item: [`LayoutStage::left_after`](precip_core::machine::LayoutStage::left_after). After
//! `Precip.Canceled` that is an item without steps. An item that is answered with the step still in
//! it would take it again, for ever.
//!
//! Every other error of the planner is tried again.
//!
//! # The loop
//!
//! Machines with more assets than a definition can hold ask with `"loop": true` in every call, and
//! know no stages. They want one stage at a time, and of each item what it takes:
//!
//! ```json
//! {
//!   "run": "01J..", "mode": "inline", "wave": 0, "redrive": 0,
//!   "stage": {"name": "each_flights", "in_order": false, "items": [{
//!     "item": {"p": "2013-01-01", "o": "0", "steps": {"flights": {}}},
//!     "todo": [{"name": "flights", "kind": "512MiB60s"}]
//!   }]}
//! }
//! ```
//!
//! or a `key` in place of the `items`, with such items in its rows. `kind` is
//! [`step_kind`](precip_core::machine::step_kind) of the step's op. `settle` says which `stage` has
//! ended beside its `wave`; a document without `stage` means that all is done. `record` holds `step`
//! and `error` in place of `failed`, and its answer is not read: the steps after it are tried, and
//! their function refuses them with `Precip.Held` where they need what failed.
