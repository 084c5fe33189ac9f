//! Faults of invocations, drawn from the simulation's seed.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

/// The shares of invocations that go wrong, from 0 to 1. Each is drawn by itself.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Faults {
    /// Requests that are lost on their way: the function does not run.
    pub lost_requests: f64,
    /// Answers that are lost: the function has run, and the caller does not know.
    pub lost_answers: f64,
    /// Invocations that run twice at once. The first answer counts.
    pub doubled: f64,
    /// Requests that arrive late, by up to [`longest_delay`](Self::longest_delay).
    pub late: f64,
    /// Longest delay of a late request.
    pub longest_delay: Duration,
    /// Invocations whose environment is killed while they run, at any await of their handler.
    pub killed: f64,
}

/// A killed invocation ends within 2 to the power of up to this number of polls of its handler: short
/// handlers are met as well as long ones.
const POLLS_LOG2: u32 = 6;

/// The fate of one invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) lost_request: bool,
    pub(super) lost_answer: bool,
    pub(super) doubled: bool,
    pub(super) delay: Duration,
    /// The number of polls after which the handler is dropped.
    pub(super) killed_after: Option<u32>,
}

impl Faults {
    /// Draws the fate of an invocation.
    pub(super) fn draw(&self, rng: &mut fastrand::Rng) -> Fate {
        // Nothing is drawn where nothing can happen, so that faults of one kind do not depend on the
        // others' seeds.
        let mut happens = |share: f64| share > 0.0 && rng.f64() < share;
        let (lost_request, lost_answer) = (happens(self.lost_requests), happens(self.lost_answers));
        let (doubled, late, killed) = (
            happens(self.doubled),
            happens(self.late),
            happens(self.killed),
        );
        Fate {
            lost_request,
            lost_answer,
            doubled,
            delay: if late {
                self.longest_delay.mul_f64(rng.f64())
            } else {
                Duration::ZERO
            },
            killed_after: killed.then(|| {
                let most = 1 << rng.u32(0..=POLLS_LOG2);
                rng.u32(1..=most)
            }),
        }
    }
}

/// Runs a future, and drops it at the given poll. Returns `None` then.
pub(super) async fn run_until_killed<F: Future>(
    future: F,
    killed_after: Option<u32>,
) -> Option<F::Output> {
    let Some(polls) = killed_after else {
        return Some(future.await);
    };
    Killable {
        future: pin!(future),
        polls,
    }
    .await
}

struct Killable<'a, F> {
    future: Pin<&'a mut F>,
    polls: u32,
}

impl<F: Future> Future for Killable<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        self.future.as_mut().poll(context).map(Some)
    }
}
