//! The loop.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures::future::select_all;
use precip_engine::{
    asset::ResourceNeed,
    react::{Happened, ReactPorts, react},
    run::{Clock, SystemRandomness, new_run_id},
    state::{CreatedRun, OwnerId, PageRequest, Run, RunFilter, RunOrigin, RunStatus},
    trigger::{
        Decision, ObjectOptions, RunLauncher, SensorDefinition, SweepOptions, evaluate_objects,
        evaluate_schedule, schedule_id, sensor_id, sweep,
    },
};
use precip_local::{
    bucket::Watch,
    executor::{Executor, Stop},
};
use tokio::{sync::mpsc, task::JoinSet};

use super::{
    buckets::{Watched, watched},
    clock::DevClock,
    launcher::DevLauncher,
    react::{DevTicks, DevTopic},
    runs::Runs,
    view::View,
};
use crate::{
    args::DevArgs,
    command,
    exit::Exit,
    failure::{Failure, causes},
    launch::{home_failure, trigger_ports_with},
    output::moment,
    session::Session,
};

/// How many runs are executed at a time. The others wait in the queue.
const RUNS_AT_A_TIME: usize = 2;
/// How often schedules are looked at.
const BEAT: Duration = Duration::from_millis(500);
/// How many beats lie between two sweeps, and between two looks at what other processes did.
const BEATS_PER_SWEEP: u64 = 60;

/// Runs sensors, schedules and automation until Ctrl-C.
///
/// # Errors
/// [`Failure`] when the environment, a folder or the record cannot be used.
pub async fn dev(
    session: Arc<Session>,
    args: &DevArgs,
    now: Option<DateTime<Utc>>,
) -> Result<Exit, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(DevClock::beginning(now));
    let view = Arc::new(View::new(session.json));
    let owner = OwnerId(new_run_id(clock.as_ref(), &SystemRandomness).to_string());
    let lock = session
        .place
        .home()?
        .lock_process(owner)
        .map_err(home_failure)?;
    let executor = Executor::new(lock.owner().clone());
    let executor = match args.control.concurrency {
        Some(concurrency) => executor.with_concurrency(concurrency),
        None => executor,
    };
    let (queue, mut requested) = mpsc::unbounded_channel();
    let launcher = Arc::new(DevLauncher::new(queue));
    let needs = needs(&session);
    let shared: Arc<dyn RunLauncher> = launcher;
    let ports = trigger_ports_with(&session, &needs, Arc::clone(&clock), shared).await?;
    let buckets = watched(&session.definitions, session.place.home()?, &args.buckets).await?;
    let mut watches = Vec::new();
    for bucket in &buckets {
        let watch = Watch::new(bucket.folder.root())
            .map_err(|error| Failure::environment(error.to_string()).detail(&causes(&error)))?;
        watches.push(watch);
    }
    let stop = Stop::default();
    let runs = Runs {
        session: Arc::clone(&session),
        executor,
        clock: Arc::clone(&clock),
        view: Arc::clone(&view),
        stop: stop.clone(),
    };
    let ticks = Arc::new(DevTicks::default());
    let ports = ReactPorts {
        resources: Arc::new(Arc::clone(&ports.resources)),
        triggers: ports,
        ticks: ticks.clone(),
        topic: Arc::new(DevTopic(Arc::clone(&view))),
    };
    let dev = Dev {
        session: &session,
        ports,
        ticks,
        buckets,
        view: &view,
    };
    let mut interrupts = interrupts();
    dev.begin().await?;
    let mut at_work: JoinSet<Run> = JoinSet::new();
    let mut waiting: std::collections::VecDeque<Run> = std::collections::VecDeque::new();
    let mut beats = tokio::time::interval(BEAT);
    let mut beat = 0_u64;
    loop {
        while at_work.len() < RUNS_AT_A_TIME
            && let Some(run) = waiting.pop_front()
        {
            let runs = runs.clone();
            at_work.spawn(async move {
                runs.execute(run.clone()).await;
                run
            });
        }
        view.waits(dev.waits_for(at_work.len() + waiting.len()).await);
        let told: Result<(), Failure> = tokio::select! {
            _ = interrupts.recv() => break,
            Some(run) = requested.recv() => {
                waiting.push_back(run);
                Ok(())
            }
            (place, files) = next_files(&mut watches) => dev.files(place, &files).await,
            Some(ended) = at_work.join_next() => match ended {
                Ok(run) => dev.ended(&run).await,
                Err(error) => Err(Failure::environment(format!("a run broke off: {error}"))),
            },
            _ = beats.tick() => {
                beat += 1;
                dev.beat(beat).await
            }
        };
        // What went wrong once may go well the next time: it is told, and nothing stops.
        if let Err(failure) = told {
            let text = format!("{} {}", failure.message, failure.detail.join("; "));
            view.tell(clock.now(), "error", text.trim_end());
        }
    }
    drop(watches);
    stopping(
        &view,
        clock.as_ref(),
        &stop,
        at_work,
        waiting.len(),
        &mut interrupts,
    )
    .await;
    view.close();
    Ok(Exit::Done)
}

/// Each Ctrl-C, whatever the loop is doing when it comes.
fn interrupts() -> mpsc::UnboundedReceiver<()> {
    let (tell, interrupts) = mpsc::unbounded_channel();
    tokio::spawn(
        async move { while tokio::signal::ctrl_c().await.is_ok() && tell.send(()).is_ok() {} },
    );
    interrupts
}

/// Waits for the runs that are at work; a second Ctrl-C does not wait.
async fn stopping(
    view: &View,
    clock: &dyn Clock,
    stop: &Stop,
    mut at_work: JoinSet<Run>,
    queued: usize,
    interrupts: &mut mpsc::UnboundedReceiver<()>,
) {
    stop.gently.cancel();
    if !at_work.is_empty() {
        let text = "what is running comes to its end; Ctrl-C once more to stop at once";
        view.tell(clock.now(), "stopping", text);
    }
    if queued > 0 {
        let text = format!("{queued} runs are left in the queue: `dev` takes them up again");
        view.tell(clock.now(), "stopping", &text);
    }
    let mut told = false;
    while !at_work.is_empty() {
        tokio::select! {
            _ = at_work.join_next() => {}
            _ = interrupts.recv(), if !told => {
                told = true;
                stop.at_once.cancel();
            }
        }
    }
}

/// The next files that came to one of the folders.
async fn next_files(watches: &mut [Watch]) -> (usize, Vec<std::path::PathBuf>) {
    if watches.is_empty() {
        return std::future::pending().await;
    }
    let each = watches.iter_mut().map(|watch| Box::pin(watch.next()));
    let (files, place, _) = select_all(each).await;
    (place, files)
}

fn needs(session: &Session) -> Vec<ResourceNeed> {
    let sensors = session
        .definitions
        .sensors()
        .flat_map(|sensor| &sensor.resources);
    let schedules = session
        .definitions
        .schedules()
        .flat_map(|schedule| &schedule.resources);
    sensors.chain(schedules).cloned().collect()
}

struct Dev<'a> {
    session: &'a Session,
    ports: ReactPorts,
    ticks: Arc<DevTicks>,
    buckets: Vec<Watched>,
    view: &'a View,
}

impl Dev<'_> {
    fn tell(&self, what: &str, text: &str) {
        self.view.tell(self.now(), what, text);
    }

    fn now(&self) -> DateTime<Utc> {
        self.ports.triggers.clock.now()
    }

    async fn is_on(&self, sensor: &SensorDefinition) -> Result<bool, Failure> {
        let state = self
            .session
            .store
            .trigger(&sensor_id(sensor.name()))
            .await?;
        Ok(sensor.spec.default_status.is_on(state.enabled))
    }

    /// Says what is watched, takes up what an earlier process left, and looks at everything once.
    async fn begin(&self) -> Result<(), Failure> {
        for bucket in &self.buckets {
            let folder = bucket.folder.root().display();
            self.tell(
                "watching",
                &format!("`{folder}` for {}", bucket.sensors.join(", ")),
            );
        }
        for sensor in self.session.definitions.sensors() {
            if !self.is_on(sensor).await? {
                let name = sensor.name();
                self.tell(name, &format!("is off: `sensor {name} start` turns it on"));
            }
        }
        for schedule in self.session.definitions.schedules() {
            let name = schedule.name();
            let state = self.session.store.trigger(&schedule_id(name)).await?;
            if !schedule.spec.default_status.is_on(state.enabled) {
                self.tell(
                    name,
                    &format!("is off: `schedule {name} start` turns it on"),
                );
            }
        }
        self.take_up().await?;
        self.beat(0).await?;
        self.tell(
            "ready",
            "waiting for files, ticks and changes; Ctrl-C stops",
        );
        Ok(())
    }

    /// Launches runs that were requested and never begun.
    async fn take_up(&self) -> Result<(), Failure> {
        let filter = RunFilter {
            statuses: vec![RunStatus::Queued, RunStatus::Running],
            ..RunFilter::default()
        };
        let mut page = PageRequest::first(500);
        let mut queued = Vec::new();
        loop {
            let runs = self.session.store.runs(&filter, &page).await?;
            queued.extend(runs.items);
            match runs.next {
                Some(token) => page = page.after(token),
                None => break,
            }
        }
        for run in queued.iter().rev() {
            let triggered = matches!(run.request.origin, RunOrigin::Trigger(_));
            let home = self.session.place.home()?;
            let owner = run.owner.as_ref().map(|owner| home.is_alive(&owner.id));
            if triggered && run.status == RunStatus::Queued && owner.is_none() {
                // A launcher that cannot take it says so; it is asked again.
                let _ = self.ports.triggers.launcher.launch(run).await;
            } else if run.status == RunStatus::Running && !matches!(owner, Some(Ok(true))) {
                let text = format!("was interrupted: `resume {}` goes on with it", run.id);
                self.tell(&format!("run {}", run.id), &text);
            }
        }
        Ok(())
    }

    /// Files came to a folder.
    async fn files(&self, place: usize, files: &[std::path::PathBuf]) -> Result<(), Failure> {
        let Some(bucket) = self.buckets.get(place) else {
            return Ok(());
        };
        let events: Vec<_> = files
            .iter()
            .flat_map(|file| bucket.folder.below(file))
            .filter_map(|file| bucket.folder.written(&bucket.name, &file))
            .collect();
        if events.is_empty() {
            return Ok(());
        }
        for name in &bucket.sensors {
            let Some(sensor) = self.session.definitions.sensor(name) else {
                continue;
            };
            let options = ObjectOptions::default();
            let outcome = evaluate_objects(&self.ports.triggers, sensor, &events, options).await;
            let outcome = outcome?;
            for (event, decision) in events.iter().zip(&outcome.decisions) {
                let quiet = match decision {
                    Decision::Duplicate => true,
                    Decision::Ignored { .. } => !outcome.running || bucket.sensors.len() > 1,
                    _ => false,
                };
                if !quiet && outcome.runs.is_empty() {
                    let text = format!("{} {}", event.key, command::told(decision));
                    self.tell(name, &text);
                }
            }
            // The other files of the batch are those of other sensors.
            let asked: Vec<&str> = events
                .iter()
                .zip(&outcome.decisions)
                .filter(|(_, decision)| matches!(decision, Decision::Requested { .. }))
                .map(|(event, _)| event.key.as_str())
                .collect();
            let came = match asked.as_slice() {
                [one] => (*one).to_owned(),
                several => format!("{} files", several.len()),
            };
            self.requested(name, &came, &outcome.runs);
        }
        Ok(())
    }

    fn requested(&self, what: &str, why: &str, runs: &[CreatedRun]) {
        for run in runs.iter().filter(|run| run.is_new()).map(CreatedRun::run) {
            let partitions = run.request.partitions.as_deref().unwrap_or_default();
            let shown: String = if partitions.chars().count() > 60 {
                let begin: String = partitions.chars().take(60).collect();
                format!("{begin}..")
            } else {
                partitions.to_owned()
            };
            let text = format!(
                "{why} -> {} {shown}  (run {})",
                run.request.selection, run.id
            );
            self.tell(what, &text);
        }
    }

    /// A run ended: whatever follows from what it made.
    async fn ended(&self, run: &Run) -> Result<(), Failure> {
        let run = self.session.store.run(run.id).await?;
        let plan = run.as_ref().and_then(|run| run.plan.clone());
        let assets: BTreeSet<_> = plan
            .into_iter()
            .flat_map(|plan| plan.assets.into_keys())
            .collect();
        let happened = Happened {
            published: assets.clone(),
            changed: assets,
            ended: run.into_iter().map(|run| run.id).collect(),
            ..Happened::default()
        };
        self.follow(&happened).await;
        Ok(())
    }

    /// Sensors of assets and runs, automation, freshness.
    async fn follow(&self, happened: &Happened) {
        let reaction = react(&self.ports, happened).await;
        for (sensor, decision) in &reaction.sensors {
            match decision {
                Decision::Ignored { .. }
                | Decision::Duplicate
                | Decision::Skipped { .. }
                | Decision::Waits { .. } => {}
                decision => self.tell(sensor, &command::told(decision)),
            }
        }
        self.requested("automation", "asks for", &reaction.automation.runs);
        for failed in &reaction.failed {
            self.tell(&failed.what, &failed.message);
        }
    }

    /// What comes with time: schedules at each beat, sweeps and conditions at some.
    async fn beat(&self, beat: u64) -> Result<(), Failure> {
        for schedule in self.session.definitions.schedules() {
            let outcome = evaluate_schedule(&self.ports.triggers, schedule, None).await?;
            let name = schedule.name();
            if let Some(tick) = outcome.ticks.last() {
                self.requested(name, &moment(*tick), &outcome.runs);
            }
            for text in outcome.skipped.iter().chain(&outcome.failed) {
                self.tell(name, text);
            }
        }
        let is_due = self.ticks.take(self.now());
        if beat.is_multiple_of(BEATS_PER_SWEEP) {
            self.sweep(beat == 0).await?;
        }
        if is_due || beat.is_multiple_of(BEATS_PER_SWEEP) {
            self.follow(&Happened::tick()).await;
        }
        Ok(())
    }

    async fn sweep(&self, first: bool) -> Result<(), Failure> {
        for bucket in &self.buckets {
            for name in &bucket.sensors {
                let Some(sensor) = self.session.definitions.sensor(name) else {
                    continue;
                };
                // What is watched comes at once: nothing is left to an event on its way, but what
                // came while nobody watched.
                let options = SweepOptions {
                    grace: chrono::TimeDelta::seconds(if first { 0 } else { 10 }),
                };
                let swept = sweep(
                    &self.ports.triggers,
                    sensor,
                    &bucket.name,
                    &bucket.folder,
                    options,
                )
                .await;
                let swept = swept?;
                let missed = match swept.missed {
                    1 => "1 file that came unnoticed".to_owned(),
                    missed => format!("{missed} files that came unnoticed"),
                };
                self.requested(name, &missed, &swept.runs);
                for message in &swept.failed {
                    self.tell(name, message);
                }
            }
        }
        Ok(())
    }

    /// What is waited for, in a line.
    async fn waits_for(&self, runs: usize) -> String {
        let now = self.now();
        let graph = self.session.definitions.graph();
        let mut next: BTreeMap<DateTime<Utc>, String> = BTreeMap::new();
        for schedule in self.session.definitions.schedules() {
            let state = self
                .session
                .store
                .trigger(&schedule_id(schedule.name()))
                .await;
            let turned = state.ok().and_then(|state| state.enabled);
            if let Ok(ticking) = schedule.spec.ticking(graph)
                && schedule.spec.default_status.is_on(turned)
                && let Some(tick) = ticking.after(now).next()
            {
                next.insert(tick, schedule.name().to_string());
            }
        }
        let folders = self.buckets.len();
        let mut parts = vec![match folders {
            1 => "1 folder watched".to_owned(),
            count => format!("{count} folders watched"),
        }];
        if let Some((tick, name)) = next.first_key_value() {
            parts.push(format!("{name} at {}", moment(*tick)));
        }
        parts.push(match runs {
            0 => "idle".to_owned(),
            1 => "1 run".to_owned(),
            count => format!("{count} runs"),
        });
        parts.push("Ctrl-C stops".to_owned());
        parts.join(" · ")
    }
}
