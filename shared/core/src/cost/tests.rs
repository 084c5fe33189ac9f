//! Usage and cost of examples counted by hand.

use std::time::Duration;

use super::{Mode, StageLoad, StepLoad, StepTime, US_EAST_1, Usage, Workload, estimate_cost};

fn step_load(seconds: u64, made: u64) -> StepLoad {
    StepLoad {
        op: "flights".to_owned(),
        memory_mib: 512,
        disk_mib: 512,
        time: StepTime::Measured {
            mean: Duration::from_secs(seconds),
            samples: 1,
        },
        made,
        replaced: 0,
        loaded: 0,
    }
}

fn stage_load(wave: u32, items: u64, steps: Vec<StepLoad>) -> StageLoad {
    StageLoad {
        wave,
        items,
        in_order: false,
        express: true,
        steps,
    }
}

fn workload(stages: Vec<StageLoad>) -> Workload {
    Workload {
        stages,
        arm64: false,
    }
}

fn is_near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs().max(1.0)
}

#[test]
fn a_small_run_is_one_execution() {
    // January in two waves: 31 days of flights, then one month aggregated from them.
    let mut month = step_load(4, 1);
    month.loaded = 31;
    let work = workload(vec![
        stage_load(0, 31, vec![step_load(2, 31)]),
        stage_load(1, 1, vec![month]),
    ]);
    let usage = Usage::for_workload(&work);
    assert_eq!(usage.mode, Mode::Inline);
    // Plan, How much, Finish, Anything left, Done; two times Next wave, one Settle; twice Choice
    // and Map; 32 Tasks.
    assert_eq!(usage.standard_transitions, 5 + 2 + 1 + 2 * 2 + 32);
    assert_eq!((usage.express_requests, usage.express_gb_seconds), (0, 0.0));
    // 32 partitions; plan, settle, finish; one reaction to 32 changes.
    assert_eq!(usage.lambda_requests, 32 + 3 + 1);
    // Half a GB for 31 x 2 s and 4 s; 1 GB for three seconds; half a GB for half a second.
    assert!(is_near(usage.lambda_gb_seconds, 0.5 * 66.0 + 3.0 + 0.25));
    // 32 rows; run and two waves; the reaction's two.
    assert_eq!(usage.dynamodb_writes, 32 + 6 + 2 * 2 + 2);
    // The status of two assets; 32 own rows and 31 upstream pointers at half a unit.
    assert!(is_near(usage.dynamodb_reads, 20.0 + 0.5 * 63.0));
    assert_eq!((usage.s3_puts, usage.s3_gets), (32 + 1, 31));
}

#[test]
fn a_large_run_costs_a_fortieth_of_a_transition_for_a_partition() {
    let work = workload(vec![stage_load(0, 10_000, vec![step_load(2, 10_000)])]);
    let usage = Usage::for_workload(&work);
    assert_eq!(usage.mode, Mode::Distributed);
    // Every run; the handover; one wave; Choice and Map; 250 children.
    assert_eq!(usage.standard_transitions, 5 + 2 + 1 + 2 + 250);
    assert_eq!(usage.express_requests, 250);
    // 250 children of 2 s with 64 MB.
    assert!(is_near(usage.express_gb_seconds, 250.0 * 2.0 * 0.0625));
    assert_eq!(usage.lambda_requests, 10_000 + 2 + 50);
    assert!(is_near(
        usage.lambda_gb_seconds,
        10_000.0 + 2.0 + 50.0 * 0.25
    ));
    assert_eq!(usage.dynamodb_writes, 10_000 + 6 + 2 + 50 * 2);
    // The plan, the manifest, the report.
    assert_eq!((usage.s3_puts, usage.s3_gets), (10_000 + 3, 1));

    let estimate = estimate_cost(&work, &US_EAST_1);
    let by_hand = 260.0 * 25.0e-6
        + 250.0 * 1.0e-6
        + 31.25 * 16.67e-6
        + 10_052.0 * 0.2e-6
        + 10_014.5 * 16.6667e-6
        + 10_108.0 * 0.625e-6
        + (10.0 + 5_000.0) * 0.125e-6
        + 10_003.0 * 5.0e-6
        + 0.4e-6;
    assert!(
        is_near(estimate.total, by_hand),
        "{} {by_hand}",
        estimate.total
    );
    assert_eq!(estimate.lines.len(), 9, "unused disk is not on the bill");
}

#[test]
fn a_thousand_invocations_are_the_most_inline() {
    let mode = |items| {
        Usage::for_workload(&workload(vec![stage_load(
            0,
            items,
            vec![step_load(1, items)],
        )]))
        .mode
    };
    assert_eq!(
        (mode(1_000), mode(1_001)),
        (Mode::Inline, Mode::Distributed)
    );
    let steps = vec![step_load(1, 501), step_load(1, 501)];
    let two = Usage::for_workload(&workload(vec![stage_load(0, 501, steps)]));
    assert_eq!(two.mode, Mode::Distributed, "steps count, not items");
}

#[test]
fn standard_children_pay_for_each_step() {
    let mut standard = stage_load(0, 2_000, vec![step_load(600, 2_000)]);
    standard.express = false;
    let usage = Usage::for_workload(&workload(vec![standard]));
    // 50 children, an inline Map in each, a Task for each item.
    assert_eq!(usage.standard_transitions, 5 + 2 + 1 + 2 + 50 + 50 + 2_000);
    assert_eq!(usage.express_requests, 0);
}

#[test]
fn items_in_order_pay_for_each_row() {
    let mut in_order = stage_load(0, 2_000, vec![step_load(2, 2_000)]);
    in_order.in_order = true;
    let usage = Usage::for_workload(&workload(vec![in_order]));
    // The choice of the stage; the first row; 51 times Next and Choice; 50 Maps with a child each.
    assert_eq!(
        usage.standard_transitions,
        5 + 2 + 1 + 1 + 1 + 51 * 2 + 50 + 50
    );
    // A child lasts as long as its items together.
    assert!(is_near(usage.express_gb_seconds, 2_000.0 * 2.0 * 0.0625));
    assert_eq!(usage.lambda_requests, 2_000 + 2 + 51 + 10);
}

#[test]
fn stages_of_one_wave_are_branches_of_a_parallel() {
    let usage_of = |wave| {
        Usage::for_workload(&workload(vec![
            stage_load(0, 1, vec![step_load(1, 1)]),
            stage_load(wave, 1, vec![step_load(1, 1)]),
        ]))
    };
    // One wave with a Parallel, or two with a Settle in between.
    assert_eq!(
        usage_of(0).standard_transitions + 1,
        usage_of(1).standard_transitions
    );
    assert_eq!(usage_of(0).lambda_requests + 1, usage_of(1).lambda_requests);
}

#[test]
fn items_of_several_steps_pass_a_choice_for_each() {
    let usage = Usage::for_workload(&workload(vec![stage_load(
        0,
        10,
        vec![step_load(1, 10), step_load(1, 10)],
    )]));
    // Two Tasks, and three choices, ten times.
    assert_eq!(usage.standard_transitions, 5 + 1 + 2 + 10 * 5);
}

#[test]
fn replaced_records_are_kept_and_disk_beyond_the_free_tier_is_paid() {
    let mut again = step_load(10, 5);
    again.replaced = 4;
    again.disk_mib = 1_536;
    let usage = Usage::for_workload(&workload(vec![stage_load(0, 5, vec![again])]));
    assert_eq!(usage.dynamodb_writes, 5 + 4 + 6 + 2 + 2);
    assert!(is_near(usage.lambda_disk_gb_seconds, 5.0 * 10.0));
}

#[test]
fn express_time_is_billed_in_tenths_of_a_second() {
    let mut short = step_load(0, 2_000);
    short.time = StepTime::Measured {
        mean: Duration::from_millis(210),
        samples: 9,
    };
    let usage = Usage::for_workload(&workload(vec![stage_load(0, 2_000, vec![short])]));
    assert!(is_near(usage.express_gb_seconds, 50.0 * 0.3 * 0.0625));
}

#[test]
fn arm_is_cheaper_by_the_second() {
    let mut work = workload(vec![stage_load(0, 10, vec![step_load(60, 10)])]);
    let x86 = estimate_cost(&work, &US_EAST_1).total;
    work.arm64 = true;
    let arm = estimate_cost(&work, &US_EAST_1).total;
    let seconds = 0.5 * 600.0 + 2.0 + 0.25;
    assert!(is_near(x86 - arm, seconds * (16.6667e-6 - 13.3334e-6)));
}

#[test]
fn unmeasured_steps_are_listed_as_assumptions() {
    let mut unknown = step_load(0, 3);
    unknown.time = StepTime::Timeout(Duration::from_secs(60));
    let estimate = estimate_cost(&workload(vec![stage_load(0, 3, vec![unknown])]), &US_EAST_1);
    assert!(is_near(
        estimate.usage.lambda_gb_seconds,
        0.5 * 180.0 + 2.0 + 0.25
    ));
    let listed = estimate.assumptions.iter().any(|line| {
        line == "flights has no measurements: each invocation is counted with the whole timeout, its upper bound"
    });
    assert!(listed, "{:#?}", estimate.assumptions);
}

#[test]
fn an_empty_run_costs_its_plan_only() {
    let usage = Usage::for_workload(&workload(Vec::new()));
    assert_eq!((usage.lambda_requests, usage.s3_puts), (2, 1));
}
