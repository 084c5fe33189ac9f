//! Throttles, scaling, reservations, timeouts and faults.

use std::{cell::RefCell, rc::Rc, time::Duration};

use async_trait::async_trait;
use chrono::DateTime;
use futures::future::join_all;
use serde_json::{Value, json};

use super::*;
use crate::{
    bill::{Bill, Unit},
    kernel::{Kernel, VirtualTime},
    task::{Functions, TaskError},
};

/// Sleeps for the number of milliseconds that it is called with, and records when it ended.
struct Sleeps {
    time: VirtualTime,
    ended: Rc<RefCell<Vec<u64>>>,
}

#[async_trait(?Send)]
impl Handler for Sleeps {
    async fn handle(&self, payload: Value, _: &Invocation) -> Result<Value, TaskError> {
        let millis = payload.as_u64().unwrap_or_default();
        self.time.sleep(Duration::from_millis(millis)).await;
        let now = self.time.elapsed().as_millis();
        self.ended.borrow_mut().push(u64::try_from(now).unwrap());
        Ok(json!({"slept": millis}))
    }
}

struct World {
    kernel: Kernel,
    bill: Bill,
    lambda: Lambda,
    ended: Rc<RefCell<Vec<u64>>>,
}

impl World {
    fn new(limits: Limits) -> Self {
        let kernel = Kernel::new(DateTime::UNIX_EPOCH);
        let bill = Bill::default();
        let rng = fastrand::Rng::with_seed(7);
        let lambda = Lambda::new(kernel.time(), kernel.tasks(), bill.clone(), limits, rng);
        Self {
            kernel,
            bill,
            lambda,
            ended: Rc::default(),
        }
    }

    fn deploy(&self, name: &str, config: FunctionConfig) {
        let handler = Sleeps {
            time: self.kernel.time(),
            ended: Rc::clone(&self.ended),
        };
        self.lambda
            .deploy_function(name, config, Rc::new(handler))
            .unwrap();
    }

    /// Calls a function so many times at once, each for so many milliseconds.
    fn call(&mut self, name: &str, count: usize, millis: u64) -> Vec<Result<Value, TaskError>> {
        let calls = (0..count).map(|_| self.lambda.call_function(name, json!(millis)));
        self.kernel.run(join_all(calls))
    }
}

fn throttled(answers: &[Result<Value, TaskError>]) -> usize {
    let error = |answer: &&Result<Value, TaskError>| {
        answer
            .as_ref()
            .is_err_and(|error| error.error == "Lambda.TooManyRequestsException")
    };
    answers.iter().filter(error).count()
}

#[test]
fn an_account_runs_as_many_invocations_as_its_concurrency() {
    let mut world = World::new(Limits::default().with_account_concurrency(10));
    world.deploy("a", FunctionConfig::default());
    world.deploy("b", FunctionConfig::default());
    let (lambda, time) = (world.lambda.clone(), world.kernel.time());
    // Two functions share it.
    let answers = world.kernel.run(async {
        let calls = ["a", "b"].map(|name| (0..8).map(|_| lambda.call_function(name, json!(2_000))));
        join_all(calls.into_iter().flatten()).await
    });
    assert_eq!(throttled(&answers), 6);
    assert_eq!(time.elapsed(), Duration::from_secs(2));
    let stats = world.lambda.stats();
    assert_eq!((stats.invocations, stats.concurrency.peak()), (10, 10.0));
    assert_eq!(stats.throttles, [(Throttle::Account, 6)].into());
    // A refused invocation costs nothing: 10 of 2 s with half a GB.
    assert_eq!(world.bill.amount(Unit::LambdaRequest), 10.0);
    assert_eq!(world.bill.amount(Unit::LambdaGbSecond), 10.0);
    // Free again.
    assert_eq!(throttled(&world.call("a", 10, 100)), 0);
}

#[test]
fn reserved_concurrency_is_the_limit_of_a_function_and_taken_from_the_others() {
    let mut world = World::new(Limits::default());
    let reserved = FunctionConfig {
        reserved_concurrency: Some(100),
        ..FunctionConfig::default()
    };
    world.deploy("own", reserved);
    world.deploy("rest", FunctionConfig::default());
    assert_eq!(throttled(&world.call("own", 130, 1_000)), 30);
    assert_eq!(throttled(&world.call("rest", 950, 1_000)), 50);
    let stats = world.lambda.function_stats("own").unwrap();
    assert_eq!(stats.throttles, [(Throttle::Reserved, 30)].into());
}

#[test]
fn a_small_account_cannot_reserve() {
    let world = World::new(Limits::default().with_account_concurrency(10));
    let handler = Rc::new(Sleeps {
        time: world.kernel.time(),
        ended: Rc::default(),
    });
    let config = FunctionConfig {
        reserved_concurrency: Some(5),
        ..FunctionConfig::default()
    };
    let error = world.lambda.deploy_function("planner", config, handler);
    assert_eq!(
        error.unwrap_err().to_string(),
        "function `planner` reserves a concurrency of 5, and 0 can be reserved: the account has 10, of \
         which 100 stay unreserved"
    );
}

#[test]
fn a_function_starts_a_thousand_environments_in_ten_seconds() {
    let mut world = World::new(Limits::default().with_account_concurrency(10_000));
    world.deploy("a", FunctionConfig::default());
    world.deploy("b", FunctionConfig::default());
    // 1,000 at once; the other function has its own thousand.
    assert_eq!(throttled(&world.call("a", 1_500, 1_000)), 500);
    assert_eq!(throttled(&world.call("b", 1_000, 1_000)), 0);
    // Two seconds later: the warm ones, and 200 new ones.
    assert_eq!(throttled(&world.call("a", 1_500, 1_000)), 300);
    let stats = world.lambda.function_stats("a").unwrap();
    assert_eq!(stats.cold_starts, 1_200);
    assert_eq!(stats.throttles, [(Throttle::Scaling, 800)].into());
}

#[test]
fn short_invocations_meet_the_rate_of_requests() {
    let mut world = World::new(Limits::default().with_account_concurrency(10));
    world.deploy("a", FunctionConfig::default());
    let (lambda, time) = (world.lambda.clone(), world.kernel.time());
    // Ten callers, as fast as the function answers: 10 ms each.
    let caller = || async {
        let mut done = 0;
        while time.elapsed() < Duration::from_secs(10) {
            match lambda.call_function("a", json!(10)).await {
                Ok(_) => done += 1,
                Err(_) => time.sleep(Duration::from_millis(10)).await,
            }
        }
        done
    };
    let done: u32 = world
        .kernel
        .run(join_all((0..10).map(|_| caller())))
        .into_iter()
        .sum();
    // 100 a second, and a second's worth at the start.
    assert!((1_090..=1_110).contains(&done), "{done}");
}

#[test]
fn a_cold_start_is_waited_for_and_billed() {
    let mut world = World::new(Limits::default());
    let config = FunctionConfig {
        memory_mib: 1_024,
        disk_mib: 1_536,
        cold_start: Duration::from_millis(250),
        log_bytes: 400,
        ..FunctionConfig::default()
    };
    world.deploy("a", config);
    world.call("a", 1, 100);
    assert_eq!(world.kernel.time().elapsed(), Duration::from_millis(350));
    world.call("a", 1, 100);
    assert_eq!(world.kernel.time().elapsed(), Duration::from_millis(450));
    for unit in [Unit::LambdaGbSecond, Unit::LambdaDiskGbSecond] {
        assert!((world.bill.amount(unit) - 0.45).abs() < 1e-9, "{unit:?}");
    }
    assert_eq!(world.bill.amount(Unit::LogByte), 800.0);
    // An environment that was idle for long is gone.
    let time = world.kernel.time();
    world.kernel.run(time.sleep(Duration::from_secs(3_600)));
    world.call("a", 1, 100);
    assert_eq!(world.lambda.stats().cold_starts, 2);
}

#[test]
fn a_timeout_ends_the_invocation_and_its_environment() {
    let mut world = World::new(Limits::default());
    world.deploy("a", FunctionConfig::default());
    let answer = world.call("a", 1, 61_000).remove(0).unwrap_err();
    assert_eq!(answer.error, "Sandbox.Timedout");
    assert!(
        answer.cause.contains("Task timed out after 60.00 seconds"),
        "{answer}"
    );
    assert_eq!(world.kernel.time().elapsed(), Duration::from_secs(60));
    assert_eq!(world.bill.amount(Unit::LambdaGbSecond), 30.0);
    assert_eq!(world.ended.borrow().len(), 0);
    world.call("a", 1, 1);
    assert_eq!(world.lambda.stats().cold_starts, 2);
}

#[test]
fn an_invocation_goes_on_when_its_caller_is_gone() {
    let mut world = World::new(Limits::default());
    world.deploy("a", FunctionConfig::default());
    let (lambda, time) = (world.lambda.clone(), world.kernel.time());
    world.kernel.run(async {
        let call = Box::pin(lambda.call_function("a", json!(5_000)));
        let wait = Box::pin(time.sleep(Duration::from_secs(1)));
        drop(futures::future::select(call, wait).await);
        assert_eq!(lambda.active(), 1);
        time.sleep(Duration::from_secs(10)).await;
    });
    assert_eq!(*world.ended.borrow(), [5_000]);
    assert_eq!(world.lambda.active(), 0);
    assert_eq!(world.bill.amount(Unit::LambdaGbSecond), 2.5);
}

#[test]
fn faults_are_drawn_from_the_seed() {
    let outcome = || {
        let mut world = World::new(Limits::default());
        world.deploy("a", FunctionConfig::default());
        world.lambda.set_faults(Faults {
            lost_requests: 0.1,
            lost_answers: 0.1,
            doubled: 0.1,
            late: 0.5,
            longest_delay: Duration::from_secs(10),
            killed: 0.1,
        });
        let answers = world.call("a", 500, 1_000);
        let time = world.kernel.time();
        world.kernel.run(time.sleep(Duration::from_secs(30)));
        let of = |name: &str| {
            let answers = answers.iter().filter_map(|answer| answer.as_ref().err());
            answers.filter(|error| error.error == name).count()
        };
        let ended = world.ended.borrow().len();
        (
            answers.iter().filter(|answer| answer.is_ok()).count(),
            of("Lambda.SdkClientException"),
            of("Runtime.ExitError"),
            ended,
            time.elapsed(),
        )
    };
    let (ok, lost, killed, ended, _) = outcome();
    assert_eq!(ok + lost + killed, 500);
    // A tenth each of lost requests and lost answers, and killed ones among the others.
    assert!((60..=140).contains(&lost) && (5..=40).contains(&killed));
    // Lost answers and doubled invocations ended, though nothing told the caller.
    assert!(ended > ok + 40, "{ended} {ok}");
    assert_eq!(outcome(), (ok, lost, killed, ended, outcome().4));
}
