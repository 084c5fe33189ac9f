//! [`state_store_conformance`](crate::state_store_conformance).

/// Generates a test for each rule of the `StateStore` port. The argument is an expression that
/// creates a [`Harness`](crate::state::conformance::Harness); it may `.await`.
///
/// With `run_with = path` no runtime is started: the function at the path receives each rule, an
/// `AsyncFnOnce(&dyn Harness) -> StateResult<()>`, and runs it to its end.
#[macro_export]
macro_rules! state_store_conformance {
    (run_with = $run:path) => {
        $crate::state_store_conformance! { @rules (run_with $run) }
    };
    ($harness:expr) => {
        $crate::state_store_conformance! { @rules (tokio $harness) }
    };
    (@rules $how:tt) => {
        $crate::state_store_conformance! { @parts $how;
            runs {
                a_run_is_created_once_for_an_id_and_once_for_a_key
                one_of_many_racing_requests_creates_the_run
                runs_are_listed_newest_first_in_pages
                the_newest_run_has_the_greatest_id_whatever_clocks_said
                runs_are_filtered_by_status_tags_and_age
                a_status_changes_only_from_an_expected_status
                one_of_many_racing_changes_is_made
                a_finished_run_runs_again_only_when_it_did_not_succeed
                a_run_has_one_owner_until_it_is_stale
                a_former_owner_is_refused
                a_plan_is_kept_with_its_run
                unknown_runs_are_named
                a_token_of_another_list_is_refused
            }
            progress {
                skipped_partitions_add_up_and_count_once
                failures_are_listed_until_they_are_cleared
                failures_come_in_pages
                progress_counts_what_each_run_did
            }
            commits {
                a_materialization_is_read_back_unchanged
                the_same_attempt_again_is_committed_and_counts_once
                a_late_zombie_of_an_older_run_is_refused
                a_late_attempt_of_the_same_run_is_refused
                a_newer_run_replaces_an_older_one
                a_batch_returns_one_outcome_per_item
                parallel_finishers_leave_the_newest
                many_partitions_are_read_in_the_given_order
                every_partition_of_an_asset_is_listed_once
                a_record_that_is_too_large_is_refused_before_anything_is_written
                unpartitioned_and_empty_keys_are_kept_apart
                strange_keys_are_kept
                a_peer_sees_what_was_committed
                wiped_partitions_are_missing_again
                events_are_logged_newest_first_in_pages
            }
            order {
                the_order_of_arrival_does_not_matter
            }
            statuses {
                sets_cross_segment_borders
                a_failure_marks_until_something_newer_is_published
                a_failure_of_an_older_run_marks_nothing
                a_failure_after_the_runs_own_success_is_left_out
                a_failure_that_is_retried_marks_nothing
                attempts_are_in_progress_until_they_end
                a_finished_run_has_nothing_in_progress
                updates_are_seen_once_each
                a_changed_layout_renumbers_partitions
            }
            skips {
                a_skip_marks_the_partition_and_removes_nothing
                a_skip_is_cleared_by_what_is_newer
                a_failure_and_a_skip_replace_each_other
                a_skip_of_an_older_run_marks_nothing
                a_skip_after_the_runs_own_success_is_left_out
                skips_are_listed_until_they_are_cleared
                skips_come_in_pages
                progress_counts_skips_apart_from_failures
                wiped_skips_are_missing_again
                a_changed_layout_renumbers_skips
            }
            checks {
                the_newest_evaluation_is_the_latest
                the_checks_of_an_op_are_published_with_it
                the_checks_of_a_zombie_are_dropped
                failing_partitions_are_a_set
                the_history_of_a_check_is_its_own
                failures_of_checks_are_listed_by_run
                a_failed_check_is_cleared_by_the_run_that_failed
            }
            dynamic {
                adding_again_returns_the_same_ordinals
                ordinals_stay_when_keys_are_removed
                a_key_that_comes_back_has_its_old_ordinal
                racing_additions_never_share_an_ordinal
                sets_do_not_share_keys
                empty_keys_are_refused
            }
            pools {
                a_pool_without_a_limit_never_holds_up
                slots_are_granted_up_to_the_limit
                a_holder_renews_its_own_slot
                expired_slots_are_free
                racing_holders_never_exceed_the_limit
                a_lowered_limit_lets_slots_run_out
            }
            triggers {
                a_new_trigger_has_the_default_state
                a_tick_moves_the_cursor_and_creates_its_runs
                a_tick_from_a_stale_revision_changes_nothing
                one_of_many_racing_ticks_is_recorded
                a_known_run_key_returns_the_existing_run
                ticks_are_listed_newest_first_in_pages
                turning_a_trigger_off_leaves_its_cursor
                too_many_runs_in_one_tick_are_refused
                triggers_of_one_name_and_different_kinds_are_apart
            }
        }
    };
    (@parts $how:tt; $($part:ident { $($rule:ident)* })*) => {$(
        mod $part {
            use super::*;

            $( $crate::state_store_conformance! { @test $how $part $rule } )*
        }
    )*};
    (@test (tokio $harness:expr) $part:ident $rule:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $rule() -> $crate::state::StateResult<()> {
            let harness = $harness;
            $crate::state::conformance::$part::$rule(&harness).await
        }
    };
    (@test (run_with $run:path) $part:ident $rule:ident) => {
        #[test]
        fn $rule() -> $crate::state::StateResult<()> {
            $run($crate::state::conformance::$part::$rule)
        }
    };
}
