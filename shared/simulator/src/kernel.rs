//! Virtual time, and the executor of everything that happens in it.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::{
    executor::{LocalPool, LocalSpawner},
    task::LocalSpawnExt,
};
use precip_engine::run::{Clock, Sleeper};

/// Runs futures in virtual time on one thread.
///
/// Time passes only when every future waits: it then jumps to the next moment at which a sleep ends.
/// Futures are polled in the order in which they were woken, and sleeps that end at the same moment in
/// the order in which they began, so that a simulation always takes the same course.
///
/// ```
/// use std::time::Duration;
///
/// use chrono::DateTime;
/// use precip_simulator::kernel::Kernel;
///
/// let mut kernel = Kernel::new(DateTime::UNIX_EPOCH);
/// let time = kernel.time();
/// kernel.run(async { time.sleep(Duration::from_secs(3600)).await });
/// assert_eq!(kernel.time().elapsed(), Duration::from_secs(3600));
/// ```
#[derive(Debug)]
pub struct Kernel {
    time: VirtualTime,
    pool: LocalPool,
}

impl Kernel {
    /// Creates a kernel whose time begins at this moment.
    pub fn new(start: DateTime<Utc>) -> Self {
        let timers = Timers {
            start,
            ..Timers::default()
        };
        Self {
            time: VirtualTime(Arc::new(Mutex::new(timers))),
            pool: LocalPool::new(),
        }
    }

    /// Returns a handle to this kernel's time.
    pub fn time(&self) -> VirtualTime {
        self.time.clone()
    }

    /// Returns a handle that starts tasks beside the running one.
    pub fn tasks(&self) -> Tasks {
        Tasks(self.pool.spawner())
    }

    /// Runs a future to its end, and the started tasks as far as they come by then.
    ///
    /// # Panics
    /// When the future waits for something that never happens.
    pub fn run<T>(&mut self, future: impl Future<Output = T>) -> T {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut future = pin!(future);
        loop {
            if woken.0.swap(false, Ordering::Relaxed) {
                let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
                if let Poll::Ready(output) = polled {
                    return output;
                }
            }
            self.pool.run_until_stalled();
            if !woken.0.load(Ordering::Relaxed) {
                assert!(
                    self.time.advance(),
                    "the simulation waits for something that never happens"
                );
            }
        }
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Starts tasks that run beside the others.
#[derive(Debug, Clone)]
pub struct Tasks(LocalSpawner);

impl Tasks {
    /// Starts a task. A task that has not ended when the kernel is dropped is dropped with it.
    pub fn start(&self, task: impl Future<Output = ()> + 'static) {
        // A kernel that is gone runs no task.
        let _ = self.0.spawn_local(task);
    }
}

/// The time of a [`Kernel`]. Clones share it.
#[derive(Clone)]
pub struct VirtualTime(Arc<Mutex<Timers>>);

impl VirtualTime {
    fn lock(&self) -> MutexGuard<'_, Timers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the time that has passed since the kernel's start.
    pub fn elapsed(&self) -> Duration {
        self.lock().elapsed
    }

    /// Returns a future that ends when so much time has passed.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        let until = self.elapsed().saturating_add(duration);
        self.sleep_until(until)
    }

    /// Returns a future that ends when so much time has passed since the kernel's start.
    pub fn sleep_until(&self, until: Duration) -> Sleep {
        Sleep {
            time: self.clone(),
            until,
            timer: None,
        }
    }

    /// Goes to the next moment at which a sleep ends. Returns false when none ends.
    fn advance(&self) -> bool {
        let mut ended = Vec::new();
        {
            let mut timers = self.lock();
            let Some(((moment, _), _)) = timers.waiting.first_key_value() else {
                return false;
            };
            let moment = *moment;
            timers.elapsed = moment;
            while let Some(next) = timers.waiting.first_entry() {
                if next.key().0 > moment {
                    break;
                }
                ended.push(next.remove());
            }
        }
        // Woken without the lock: a waker may drop a future that holds a sleep.
        ended.into_iter().for_each(Waker::wake);
        true
    }
}

impl fmt::Debug for VirtualTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VirtualTime").field(&self.elapsed()).finish()
    }
}

impl Clock for VirtualTime {
    fn now(&self) -> DateTime<Utc> {
        let timers = self.lock();
        let elapsed = TimeDelta::from_std(timers.elapsed).unwrap_or(TimeDelta::MAX);
        timers
            .start
            .checked_add_signed(elapsed)
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

#[async_trait]
impl Sleeper for VirtualTime {
    async fn sleep(&self, duration: Duration) {
        VirtualTime::sleep(self, duration).await;
    }
}

/// The future of [`VirtualTime::sleep`].
#[derive(Debug)]
pub struct Sleep {
    time: VirtualTime,
    until: Duration,
    /// The number and the waker of the registered timer.
    timer: Option<(u64, Waker)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut timers = this.time.lock();
        if timers.elapsed >= this.until {
            return Poll::Ready(());
        }
        let known = this
            .timer
            .as_ref()
            .is_some_and(|(_, waker)| waker.will_wake(context.waker()));
        if known {
            return Poll::Pending;
        }
        // A future that another task polls now needs a timer that wakes that task.
        let before = this.timer.take();
        let outdated = before.and_then(|(number, _)| timers.waiting.remove(&(this.until, number)));
        timers.count += 1;
        let number = timers.count;
        let waker = context.waker().clone();
        timers.waiting.insert((this.until, number), waker.clone());
        this.timer = Some((number, waker));
        // Dropped without the lock, like every waker.
        drop(timers);
        drop(outdated);
        Poll::Pending
    }
}

/// A sleep that is dropped before its end leaves no timer: time does not stop for it.
impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some((number, _)) = &self.timer {
            let timer = self.time.lock().waiting.remove(&(self.until, *number));
            drop(timer);
        }
    }
}

#[derive(Debug, Default)]
struct Timers {
    start: DateTime<Utc>,
    elapsed: Duration,
    count: u64,
    /// The wakers of the sleeps that have not ended, by their end, then by their beginning.
    waiting: BTreeMap<(Duration, u64), Waker>,
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc, time::Duration};

    use chrono::{DateTime, TimeDelta};
    use futures::future::join_all;
    use precip_engine::run::Clock;

    use super::Kernel;

    #[test]
    fn sleeps_end_in_order_and_the_clock_follows() {
        let mut kernel = Kernel::new(DateTime::UNIX_EPOCH);
        let (time, ended) = (kernel.time(), RefCell::new(Vec::new()));
        let sleeps = [30, 10, 20, 10].into_iter().enumerate();
        kernel.run(join_all(sleeps.map(|(number, seconds)| {
            let (time, ended) = (&time, &ended);
            async move {
                time.sleep(Duration::from_secs(seconds)).await;
                ended.borrow_mut().push((number, time.elapsed().as_secs()));
            }
        })));
        assert_eq!(ended.into_inner(), [(1, 10), (3, 10), (2, 20), (0, 30)]);
        assert_eq!(time.now(), DateTime::UNIX_EPOCH + TimeDelta::seconds(30));
    }

    #[test]
    fn tasks_run_beside_the_running_future() {
        let mut kernel = Kernel::new(DateTime::UNIX_EPOCH);
        let (time, beats) = (kernel.time(), Rc::new(RefCell::new(0)));
        let (own, count) = (time.clone(), Rc::clone(&beats));
        kernel.tasks().start(async move {
            loop {
                own.sleep(Duration::from_secs(1)).await;
                *count.borrow_mut() += 1;
            }
        });
        kernel.run(time.sleep(Duration::from_millis(4500)));
        assert_eq!(*beats.borrow(), 4);
    }

    #[test]
    fn time_does_not_stop_for_a_dropped_sleep() {
        let mut kernel = Kernel::new(DateTime::UNIX_EPOCH);
        let time = kernel.time();
        let (long, short) = (Duration::from_secs(60), Duration::from_secs(1));
        kernel.run(async {
            let sleeps = (Box::pin(time.sleep(long)), Box::pin(time.sleep(short)));
            drop(futures::future::select(sleeps.0, sleeps.1).await);
        });
        assert!(!time.advance(), "a timer is left");
        assert_eq!(time.elapsed(), short);
    }

    #[test]
    #[should_panic(expected = "waits for something that never happens")]
    fn a_wait_without_end_is_an_error() {
        Kernel::new(DateTime::UNIX_EPOCH).run(std::future::pending::<()>());
    }
}
