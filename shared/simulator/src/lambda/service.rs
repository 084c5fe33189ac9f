//! [`Lambda`].

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    fmt,
    future::Future,
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;
use futures::future::{Either, select};
use serde_json::{Value, json};

use super::{
    FunctionConfig, Handler, Invocation, Limits, Stats, Throttle,
    admission::{Account, Environments},
    faults::{Fate, Faults, run_until_killed},
};
use crate::{
    bill::{Bill, Unit},
    kernel::{Tasks, VirtualTime},
    saturation::{Held, Saturation},
    task::{Functions, TaskError},
};

/// The functions of an account. Clones share them.
#[derive(Clone)]
pub struct Lambda(pub(super) Rc<Inner>);

pub(super) struct Inner {
    pub(super) time: VirtualTime,
    pub(super) tasks: Tasks,
    pub(super) bill: Bill,
    pub(super) limits: Limits,
    faults: RefCell<Faults>,
    pub(super) rng: RefCell<fastrand::Rng>,
    account: RefCell<Account>,
    functions: RefCell<HashMap<String, Rc<Function>>>,
    stats: RefCell<Stats>,
    full: Saturation,
    held: RefCell<Option<Held>>,
    throttled: RefCell<BTreeMap<Throttle, Saturation>>,
}

struct Function {
    config: FunctionConfig,
    handler: Rc<dyn Handler>,
    environments: RefCell<Environments>,
    stats: RefCell<Stats>,
}

/// The error of an invocation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// Lambda refused the invocation: the function did not run.
    #[error("Rate Exceeded. (Reason: {})", .0.reason())]
    Throttled(Throttle),
    /// The invocation failed: in the function, by its timeout, or on its way.
    #[error(transparent)]
    Failed(TaskError),
}

impl InvokeError {
    /// Returns the error as a state that calls the function sees it.
    ///
    /// <https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html>
    pub fn into_task_error(self) -> TaskError {
        match self {
            Self::Throttled(_) => {
                TaskError::new("Lambda.TooManyRequestsException", self.to_string())
            }
            Self::Failed(error) => error,
        }
    }
}

/// The reserved concurrency of a function is more than the account can reserve.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "function `{function}` reserves a concurrency of {wanted}, and {free} can be reserved: the account has {account}, of which {unreservable} stay unreserved"
)]
pub struct ReservationError {
    function: String,
    wanted: u32,
    free: u32,
    account: u32,
    unreservable: u32,
}

impl Lambda {
    /// Creates an account without functions.
    pub fn new(
        time: VirtualTime,
        tasks: Tasks,
        bill: Bill,
        limits: Limits,
        rng: fastrand::Rng,
    ) -> Self {
        Self(Rc::new(Inner {
            account: RefCell::new(Account::new(&limits)),
            time,
            tasks,
            bill,
            limits,
            faults: RefCell::default(),
            rng: RefCell::new(rng),
            functions: RefCell::default(),
            stats: RefCell::default(),
            full: Saturation::default(),
            held: RefCell::default(),
            throttled: RefCell::default(),
        }))
    }

    /// Sets the faults of the invocations from now on.
    pub fn set_faults(&self, faults: Faults) {
        *self.0.faults.borrow_mut() = faults;
    }

    /// Adds a function, or replaces its code and settings, as a deployment does. Running invocations
    /// keep the code they started with.
    ///
    /// # Errors
    /// [`ReservationError`] when the account has no such concurrency left to reserve.
    pub fn deploy_function(
        &self,
        name: impl Into<String>,
        config: FunctionConfig,
        handler: Rc<dyn Handler>,
    ) -> Result<(), ReservationError> {
        let (name, limits) = (name.into(), &self.0.limits);
        let known = self.0.functions.borrow_mut().remove(&name);
        let reserved_before = known
            .as_ref()
            .and_then(|known| known.config.reserved_concurrency)
            .unwrap_or_default();
        let added = config
            .reserved_concurrency
            .unwrap_or_default()
            .saturating_sub(reserved_before);
        if let Err(free) = self.0.account.borrow_mut().reserve(added, limits) {
            return Err(ReservationError {
                function: name,
                wanted: added,
                free,
                account: limits.account_concurrency,
                unreservable: limits.unreservable,
            });
        }
        let function = Function {
            environments: RefCell::new(Environments::new(&config, limits)),
            config,
            handler,
            stats: RefCell::default(),
        };
        self.0
            .functions
            .borrow_mut()
            .insert(name, Rc::new(function));
        Ok(())
    }

    /// Returns the counts of all functions together.
    pub fn stats(&self) -> Stats {
        self.0.stats.borrow().clone()
    }

    /// Returns the counts of one function; `None` when there is no such function.
    pub fn function_stats(&self, name: &str) -> Option<Stats> {
        let functions = self.0.functions.borrow();
        Some(functions.get(name)?.stats.borrow().clone())
    }

    /// Returns the time for which the account's concurrency was used up.
    pub fn full_time(&self) -> Duration {
        self.0.full.total(self.0.time.elapsed())
    }

    /// Returns the time in which invocations were throttled for a reason, in whole seconds.
    pub fn throttled_time(&self, reason: Throttle) -> Duration {
        let throttled = self.0.throttled.borrow();
        let now = self.0.time.elapsed();
        throttled
            .get(&reason)
            .map_or(Duration::ZERO, |times| times.total(now))
    }

    /// Returns the number of invocations that run now.
    pub fn active(&self) -> u32 {
        self.0.account.borrow().active
    }

    /// Invokes a function and waits for its answer. The invocation goes on when the returned future
    /// is dropped, as a function does whose caller has gone.
    ///
    /// `chain` is the number of invocations in the chain that leads to this one: 0 when it begins
    /// here.
    ///
    /// # Errors
    /// [`InvokeError`].
    pub async fn invoke(
        &self,
        function: &str,
        payload: Value,
        chain: u32,
    ) -> Result<Value, InvokeError> {
        let found = self.0.functions.borrow().get(function).cloned();
        let Some(found) = found else {
            return Err(InvokeError::Failed(TaskError::new(
                "Lambda.ResourceNotFoundException",
                format!("Function not found: {function}"),
            )));
        };
        let fate = {
            let inner = &self.0;
            inner.faults.borrow().draw(&mut inner.rng.borrow_mut())
        };
        if !fate.delay.is_zero() {
            self.0.time.sleep(fate.delay).await;
        }
        if fate.lost_request {
            return Err(InvokeError::Failed(lost("the request")));
        }
        let again = fate.doubled.then(|| payload.clone());
        let first = self.start(&found, payload, chain, fate)?;
        if let Some(payload) = again {
            let fate = Fate {
                killed_after: None,
                ..fate
            };
            // The second may find no concurrency: then there is none.
            if let Ok(second) = self.start(&found, payload, chain, fate) {
                // Dropped at once: it goes on by itself.
                drop(second);
            }
        }
        let answer = first.await;
        if fate.lost_answer {
            return Err(InvokeError::Failed(lost("the answer")));
        }
        answer.map_err(InvokeError::Failed)
    }

    /// Admits an invocation and starts it.
    fn start(
        &self,
        function: &Rc<Function>,
        payload: Value,
        chain: u32,
        fate: Fate,
    ) -> Result<Detaching, InvokeError> {
        let inner = &self.0;
        let now = inner.time.elapsed();
        let admitted = inner.account.borrow_mut().admit(
            &mut function.environments.borrow_mut(),
            now,
            &inner.limits,
        );
        let is_cold = match admitted {
            Ok(is_cold) => is_cold,
            Err(reason) => {
                for stats in [&inner.stats, &function.stats] {
                    *stats.borrow_mut().throttles.entry(reason).or_default() += 1;
                }
                let mut throttled = inner.throttled.borrow_mut();
                throttled.entry(reason).or_default().note_second(now);
                return Err(InvokeError::Throttled(reason));
            }
        };
        let number = {
            let mut stats = inner.stats.borrow_mut();
            stats.invocations += 1;
            stats.invocations
        };
        function.stats.borrow_mut().invocations += 1;
        if is_cold {
            inner.stats.borrow_mut().cold_starts += 1;
            function.stats.borrow_mut().cold_starts += 1;
        }
        inner.record_concurrency(function);
        inner.bill.add_one(Unit::LambdaRequest);
        let config = &function.config;
        let start = if is_cold {
            config.cold_start
        } else {
            Duration::ZERO
        };
        let invocation = Invocation {
            number,
            is_cold,
            deadline: now + start + config.timeout,
            chain: chain + 1,
        };
        let (own, function) = (Rc::clone(inner), Rc::clone(function));
        let run = async move {
            own.run_admitted(&function, payload, &invocation, now, fate)
                .await
        };
        Ok(Detaching {
            run: Some(Box::pin(run)),
            tasks: inner.tasks.clone(),
        })
    }
}

impl Inner {
    /// Runs an invocation for which there is an environment.
    async fn run_admitted(
        &self,
        function: &Rc<Function>,
        payload: Value,
        invocation: &Invocation,
        began: Duration,
        fate: Fate,
    ) -> Result<Value, TaskError> {
        let config = &function.config;
        if invocation.is_cold && !config.cold_start.is_zero() {
            self.time.sleep(config.cold_start).await;
        }
        let handled = function.handler.handle(payload, invocation);
        let work = pin!(run_until_killed(handled, fate.killed_after));
        let alarm = self.time.sleep_until(invocation.deadline);
        // An environment that was killed or timed out is not used again.
        let (answer, reusable) = match select(work, alarm).await {
            Either::Left((Some(answer), _)) => (answer, true),
            Either::Left((None, _)) => (Err(exited()), false),
            Either::Right(((), _)) => {
                function.stats.borrow_mut().timeouts += 1;
                self.stats.borrow_mut().timeouts += 1;
                (Err(timed_out(config.timeout)), false)
            }
        };
        let now = self.time.elapsed();
        self.account
            .borrow_mut()
            .release(&mut function.environments.borrow_mut(), now, reusable);
        self.record_concurrency(function);
        self.charge(config, now - began);
        for stats in [&self.stats, &function.stats] {
            let mut stats = stats.borrow_mut();
            stats.busy += now - began;
            stats.errors += u64::from(answer.is_err());
        }
        answer.and_then(|answer| self.check_size(answer))
    }

    fn record_concurrency(&self, function: &Function) {
        let now = self.time.elapsed();
        let of_function = function.environments.borrow().active;
        let mut own = function.stats.borrow_mut();
        own.concurrency.record(now, f64::from(of_function));
        let account = self.account.borrow();
        let mut stats = self.stats.borrow_mut();
        stats.concurrency.record(now, f64::from(account.active));
        // While it is full, whatever comes is refused.
        if account.is_full() {
            let full = &self.full;
            self.held
                .borrow_mut()
                .get_or_insert_with(|| full.begin(&self.time));
        } else {
            self.held.borrow_mut().take();
        }
    }

    /// Charges a duration, which is rounded up to the next millisecond.
    ///
    /// <https://aws.amazon.com/lambda/pricing/>
    fn charge(&self, config: &FunctionConfig, duration: Duration) {
        let millis = duration.as_nanos().div_ceil(1_000_000);
        let seconds = Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
        let gb_seconds = |mib: u32| seconds.as_secs_f64() * f64::from(mib) / 1_024.0;
        self.bill
            .add(Unit::LambdaGbSecond, gb_seconds(config.memory_mib));
        let paid_disk = config.disk_mib.saturating_sub(FREE_DISK_MIB);
        if paid_disk > 0 {
            self.bill
                .add(Unit::LambdaDiskGbSecond, gb_seconds(paid_disk));
        }
        if config.log_bytes > 0 {
            self.bill.add(Unit::LogByte, f64::from(config.log_bytes));
        }
    }

    /// Checks the size of an answer.
    fn check_size(&self, answer: Value) -> Result<Value, TaskError> {
        // A small answer, which nearly every one is, is not serialized for this.
        if is_small(&answer) {
            return Ok(answer);
        }
        let bytes = answer.to_string().len();
        if bytes > self.limits.payload_bytes {
            return Err(TaskError::new(
                "Function.ResponseSizeTooLarge",
                format!(
                    "Response payload size exceeded maximum allowed payload size ({} bytes).",
                    self.limits.payload_bytes
                ),
            ));
        }
        Ok(answer)
    }
}

/// Disk that is free of charge, in MiB.
///
/// <https://aws.amazon.com/lambda/pricing/>
const FREE_DISK_MIB: u32 = 512;

/// Returns whether a value is obviously far below the limit of an answer.
fn is_small(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => text.len() < 1_024,
        Value::Array(items) => items.len() < 16 && items.iter().all(|item| !item.is_object()),
        Value::Object(fields) => {
            let flat = |value: &Value| !value.is_object() && !value.is_array() && is_small(value);
            fields.len() < 16 && fields.values().all(flat)
        }
    }
}

fn lost(what: &str) -> TaskError {
    TaskError::new(
        "Lambda.SdkClientException",
        format!("Unable to execute HTTP request: the connection broke before {what} arrived"),
    )
}

fn exited() -> TaskError {
    function_error(
        "Runtime.ExitError",
        "Error: Runtime exited with error: signal: killed",
    )
}

fn timed_out(timeout: Duration) -> TaskError {
    let message = format!(
        "Error: Task timed out after {:.2} seconds",
        timeout.as_secs_f64()
    );
    function_error("Sandbox.Timedout", &message)
}

/// Returns an error that Lambda reports for a function, with its cause as JSON.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-retries.html>
fn function_error(name: &str, message: &str) -> TaskError {
    let cause = json!({"errorType": name, "errorMessage": message});
    TaskError::new(name, cause.to_string())
}

/// A running invocation. It goes on when this is dropped.
pub(super) struct Detaching {
    run: Option<Run>,
    tasks: Tasks,
}

type Run = Pin<Box<dyn Future<Output = Result<Value, TaskError>>>>;

impl Future for Detaching {
    type Output = Result<Value, TaskError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(run) = &mut self.run else {
            return Poll::Pending;
        };
        let answer = run.as_mut().poll(context);
        if answer.is_ready() {
            self.run = None;
        }
        answer
    }
}

impl Drop for Detaching {
    fn drop(&mut self) {
        if let Some(run) = self.run.take() {
            self.tasks.start(async move { drop(run.await) });
        }
    }
}

#[async_trait(?Send)]
impl Functions for Lambda {
    async fn call_function(&self, function: &str, payload: Value) -> Result<Value, TaskError> {
        let answer = self.invoke(function, payload, 0).await;
        answer.map_err(InvokeError::into_task_error)
    }

    fn account_settings(&self) -> Result<Value, TaskError> {
        let all = self.0.limits.account_concurrency;
        Ok(json!({"AccountLimit": {
            "ConcurrentExecutions": all,
            "UnreservedConcurrentExecutions": self.0.account.borrow().unreserved(),
        }}))
    }
}

impl fmt::Debug for Lambda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lambda")
            .field("limits", &self.0.limits)
            .field("active", &self.active())
            .finish_non_exhaustive()
    }
}
