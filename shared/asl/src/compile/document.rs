//! The protocol between the machines and the planner: calls and answers.
//!
//! Every call but `record` holds `"execution"`, the calling execution. All its fields but `redrive` are
//! strings:
//!
//! ```json
//! {"id": "arn:aws:states:..", "name": "01J..", "redrive": 0, "start": "2026-01-31T00:00:00Z"}
//! ```
//!
//! `redrive` counts how often a person redrove the execution. (Emulators without redrive send
//! `null`: read it as 0.)
//!
//! # The document
//!
//! `plan`, `settle` and `finish` with something left answer a document:
//!
//! ```json
//! {
//!   "run": "01J..", "mode": "inline", "wave": 0, "redrive": 0, "functions_at_once": 800,
//!   "stages": {"each_flights": {
//!     "items": [{"p": "2013-01-01", "o": "0", "steps": {"flights": {}}}], "rows_at_once": 1, "items_at_once": 1
//!   }}
//! }
//! ```
//!
//! or, for a large plan:
//!
//! ```json
//! {
//!   "run": "01J..", "mode": "distributed", "wave": 0, "redrive": 0, "functions_at_once": 800,
//!   "stages": {"each_flights": {
//!     "key": "runs/01J../0/wave-0/each_flights.jsonl", "rows_at_once": 20, "items_at_once": 40
//!   }}
//! }
//! ```
//!
//! | field | holds |
//! |---|---|
//! | `mode` | `inline`, `distributed`, or from `plan` only, `nothing`: then no other field is read |
//! | `wave` | the wave of [`Layout`](precip_core::machine::Layout) that has work. Waves without work may be skipped; a number beyond the last wave ends the run |
//! | `redrive` | the `execution.redrive` that the document was planned for. |
//! | `functions_at_once` | the number of functions that the run may invoke at once. The machine sends it back with every later call |
//! | `stages` | the work of the wave's stages; a stage without work is absent. Each holds [`items`](precip_core::machine::Item), or the key of a manifest with a [`Row`](precip_core::machine::Row) in each line, and its [`StageConcurrency`](precip_core::machine::StageConcurrency) |
//!
//! Other fields are ignored. Some of them are for executions that were started before this deployment, whose
//! machine is that of an earlier one. `functions_at_once` is part of each of the calls below but `plan` and `record`. A document has at most 256 KiB, and a run that would leave more than
//! [`INLINE_EVENTS`](precip_core::machine::INLINE_EVENTS) in the history has to be distributed.
//!
//! # The calls
//!
//! | call | answer |
//! |---|---|
//! | `{"do": "plan", "input": .., "account": ..}`, with Lambda's answer to `GetAccountSettings` | a document, or the error `Precip.BadInput` |
//! | `{"do": "settle", run, mode, wave, redrive}` | the document of the next wave that has work, with the same `redrive` |
//! | `{"do": "next", run, mode, wave, redrive, stage, key, row}` | `{"row": 1, "rows": [{"items": [..]}]}`: the row of that number in the manifest, counted from 0, without what is held back, in a list, and the number to ask for next; `"rows": []` after the last. Only for stages that run in order, in distributed runs |
//! | `{"do": "record", run, stage, item, failed}` | `{"run": .., "item": ..}`, see below |
//! | `{"do": "finish", run, mode, redrive}` | `{"again": false}`; the error `Precip.RunFailed` when something failed; or, when `execution.redrive` is more than `redrive`, a document of the work that is left, with `"again": true` and `redrive` from `execution` |
//! | `{"do": "finish", "again": true, ..}` | a document of the work that is left, with `"again": true` and the same `redrive`, without ending the run: the execution that waits for this one was redriven, `redrive` times so far |
//!
//! `record` follows when a step of an item has failed for good: `"failed": {"flights": {"Error":
//! "..", "Cause": ".."}}` has one field, the step. The planner makes sure that the failure is
//! recorded (the materializer may have been killed before it could record it) and answers the item
//! with the steps that are left:
//! [`LayoutStage::left_after`](precip_core::machine::LayoutStage::left_after). The answer must not
//! hold the failed step: the item would run it again, without end.
//!
//! Every other error of the planner is retried.
//!
//! # The loop
//!
//! Machines with more assets than a definition can hold send `"loop": true` in every call. They do
//! not know the stages: they need one stage at a time, and the steps of each item:
//!
//! ```json
//! {
//!   "run": "01J..", "mode": "inline", "wave": 0, "redrive": 0, "functions_at_once": 800,
//!   "stage": {"name": "each_flights", "in_order": false, "rows_at_once": 1, "items_at_once": 1, "items": [{
//!     "item": {"p": "2013-01-01", "o": "0", "steps": {"flights": {}}},
//!     "todo": [{"name": "flights", "kind": "512MiB60s"}]
//!   }]}
//! }
//! ```
//!
//! or a `key` in place of the `items`, with such items in its rows. `kind` is
//! [`step_kind`](precip_core::machine::step_kind) of the step's op. `settle` holds the `stage` that
//! has ended in addition to its `wave`; a document without `stage` ends the run. `record` holds
//! `step` and `error` in place of `failed`, and its answer is not read: the later steps are tried,
//! and their function refuses those that depend on the failure with `Precip.Held`.
