use std::time::Duration;

use precip_core::{
    machine::Layout,
    spec::{AssetSpec, Backoff, Jitter, OpSpec, RetryPolicy},
};
use rstest::rstest;

use super::{Patience, op_retriers, policy_retrier, total_wait_seconds};
use crate::{
    compile::execution_type,
    model::{ExecutionType, JitterStrategy, Retry},
};

fn policy(max_retries: u32, millis: u64, backoff: Backoff, jitter: Jitter) -> RetryPolicy {
    RetryPolicy {
        max_retries,
        delay: Duration::from_millis(millis),
        backoff,
        jitter,
    }
}

/// Returns the waits of a retrier without jitter, in whole seconds.
fn waits(retry: &Retry) -> Vec<f64> {
    let first = f64::from(retry.interval_seconds.unwrap());
    let rate = retry.backoff_rate.unwrap();
    let count = i32::try_from(retry.max_attempts.unwrap()).unwrap();
    (0..count).map(|n| (first * rate.powi(n)).round()).collect()
}

#[rstest]
#[case::none(1, 0, Backoff::Constant, &[1.0])]
#[case::under_a_second(2, 200, Backoff::Constant, &[1.0, 1.0])]
#[case::constant(3, 5_000, Backoff::Constant, &[5.0, 5.0, 5.0])]
// Dagster waits 10, 20, 30 s, and 10, 30, 70 s.
#[case::linear(3, 10_000, Backoff::Linear, &[10.0, 17.0, 30.0])]
#[case::exponential(3, 10_000, Backoff::Exponential, &[10.0, 27.0, 70.0])]
#[case::two(2, 10_000, Backoff::Exponential, &[10.0, 30.0])]
fn the_first_and_the_last_wait_are_the_policys(
    #[case] retries: u32,
    #[case] millis: u64,
    #[case] backoff: Backoff,
    #[case] expected: &[f64],
) {
    let policy = policy(retries, millis, backoff, Jitter::None);
    let retry = policy_retrier(&policy).unwrap();
    assert_eq!(waits(&retry), expected);
    assert_eq!(retry.jitter_strategy, None);
    let sum: f64 = expected.iter().sum();
    assert!((total_wait_seconds(&policy) - sum).abs() < 1.0);
}

/// Dagster spreads a wait of 5 s over 0 to 10 s, which is what Step Functions does with one of 10
/// s.
#[rstest]
#[case(Jitter::Full, 5)]
#[case(Jitter::PlusMinus, 10)]
fn waits_are_spread(#[case] jitter: Jitter, #[case] seconds: u32) {
    let retry = policy_retrier(&policy(2, 5_000, Backoff::Constant, jitter)).unwrap();
    assert_eq!(retry.interval_seconds, Some(seconds));
    assert_eq!(retry.jitter_strategy, Some(JitterStrategy::Full));
}

fn op() -> OpSpec {
    OpSpec::single(AssetSpec::new("a".parse().unwrap()))
}

/// Returns how often an error is retried.
fn attempts(op: &OpSpec, error: &str) -> u32 {
    let retriers = op_retriers(op, Patience::STANDARD, true);
    let is = |name: &String| name == error || name == "States.ALL";
    let mut fitting = retriers
        .iter()
        .filter(|retry| retry.error_equals.iter().any(is));
    fitting.next().and_then(|retry| retry.max_attempts).unwrap()
}

#[test]
fn errors_are_retried_only_where_that_can_help() {
    let plain = op();
    let mut patient = op();
    patient.retry = Some(policy(7, 0, Backoff::Constant, Jitter::None));
    patient.pool = Some("warehouse".to_owned());
    let mut never = op();
    never.retry = Some(policy(0, 0, Backoff::Constant, Jitter::None));
    // Final errors: never, whatever the policy.
    for code in ["Terminal", "CheckFailed", "Held"] {
        let error = format!("Precip.{code}");
        assert_eq!(attempts(&plain, &error), 0, "{error}");
        assert_eq!(attempts(&patient, &error), 0, "{error}");
    }
    // Errors of the op: as often as its policy says.
    for code in ["Retryable", "Timeout", "Panic"] {
        let error = format!("Precip.{code}");
        assert_eq!(attempts(&plain, &error), 0, "{error}");
        assert_eq!(attempts(&never, &error), 0, "{error}");
        assert_eq!(attempts(&patient, &error), 7, "{error}");
    }
    // Lambda's own errors, and throttled calls: apart from the policy.
    for op in [&plain, &patient, &never] {
        for error in ["States.Timeout", "Sandbox.Timedout"] {
            assert_eq!(attempts(op, error), 6, "{error}");
        }
        for error in ["Lambda.TooManyRequestsException", "Precip.Platform"] {
            assert_eq!(attempts(op, error), 10, "{error}");
        }
    }
    assert_eq!(attempts(&patient, "Precip.PoolFull"), 160);
}

/// The waits for throttled calls, and what the ops declare, end within the five minutes of Express.
#[rstest]
#[case::quick(10.0, 8)]
#[case::just(240.0, 5)]
fn express_waits_as_long_as_its_ops_leave_time(#[case] declared: f64, #[case] attempts: u32) {
    let retry = Patience::express(declared).retrier();
    assert_eq!(retry.max_attempts, Some(attempts));
    let waits = (0..attempts).map(|n| 2_f64.powi(n.cast_signed()));
    assert!(declared + waits.sum::<f64>() <= 290.0);
}

#[rstest]
#[case::default(60, None, false, ExecutionType::Express)]
#[case::just(240, None, false, ExecutionType::Express)]
#[case::long(241, None, false, ExecutionType::Standard)]
#[case::retries(
    60,
    Some(policy(2, 20_000, Backoff::Constant, Jitter::None)),
    false,
    ExecutionType::Express
)]
#[case::waits(
    60,
    Some(policy(2, 31_000, Backoff::Constant, Jitter::None)),
    false,
    ExecutionType::Standard
)]
#[case::pool(1, None, true, ExecutionType::Standard)]
fn children_are_express_where_they_end_in_time(
    #[case] seconds: u64,
    #[case] retry: Option<RetryPolicy>,
    #[case] pool: bool,
    #[case] expected: ExecutionType,
) {
    let mut op = op();
    op.compute.timeout = Duration::from_secs(seconds);
    op.retry = retry;
    op.pool = pool.then(|| "warehouse".to_owned());
    let graph = precip_core::graph::AssetGraph::new(vec![op.clone()], vec![]).unwrap();
    let mut stage = Layout::from_graph(&graph).unwrap().stages.remove(0);
    assert_eq!(execution_type(&stage, |_| Some(&op)), expected);
    // In order, forty items add up to more than Express allows.
    stage.in_order = true;
    assert_eq!(
        execution_type(&stage, |_| Some(&op)),
        ExecutionType::Standard
    );
}
