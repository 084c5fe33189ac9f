//! The event loop of `dev`.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet, VecDeque},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures::future::select_all;
use precip_engine::{
    asset::ResourceNeed,
    react::{ChangeSet, ReactPorts, react},
    run::{Clock, SystemRandomness, new_run_id},
    state::{CreatedRun, OwnerId, PageRequest, Run, RunFilter, RunOrigin, RunStatus},
    trigger::{
        Decision, ObjectOptions, RunLauncher, SensorDefinition, SweepOptions, evaluate_objects,
        evaluate_schedule, schedule_id, sensor_id, sweep_bucket,
    },
};
use precip_local::{bucket::Watch, executor::Stop};
use tokio::{
    sync::mpsc,
    task::{JoinError, JoinSet},
};

use super::{
    buckets::{WatchedBucket, find_watched_buckets},
    clock::DevClock,
    launcher::DevLauncher,
    react::{DevTicks, DevTopic},
    runs::RunExecutor,
    view::View,
};
use crate::{
    args::DevArgs,
    command,
    exit::Exit,
    failure::{Failure, cause_lines},
    launch::{home_failure, new_executor, trigger_ports},
    output::format_time,
    session::Session,
};

/// Maximum number of runs that execute at a time. The others wait in the queue.
const MAX_ACTIVE_RUNS: usize = 2;
/// Time between two evaluations of schedules.
const BEAT: Duration = Duration::from_millis(500);
/// Number of beats between two sweeps, and between two reactions to what other processes did.
const BEATS_PER_SWEEP: u64 = 60;

/// Runs sensors, schedules and automation until Ctrl-C.
///
/// # Errors
/// [`Failure`] when the environment, a folder or the record cannot be used.
pub(crate) async fn run_dev(session: Arc<Session>, args: &DevArgs) -> Result<Exit, Failure> {
    let now = session.now_overridden.then_some(session.context.now);
    let clock: Arc<dyn Clock> = Arc::new(DevClock::starting_at(now));
    let view = Arc::new(View::new(session.json));
    let owner = OwnerId(new_run_id(clock.as_ref(), &SystemRandomness).to_string());
    let lock = session
        .target
        .local_home()?
        .lock_process(owner)
        .map_err(home_failure)?;
    let executor = new_executor(&lock, &args.control);
    let (queue, mut requested) = mpsc::unbounded_channel();
    let launcher = Arc::new(DevLauncher::new(queue));
    let needs = resource_needs(&session);
    let shared: Arc<dyn RunLauncher> = launcher;
    // Runs whose upstream windows are to come stay queued: the reaction to a tick launches them.
    let triggers = trigger_ports(&session, &needs, Arc::clone(&clock), shared)
        .await?
        .with_patience();
    let buckets = find_watched_buckets(
        &session.definitions,
        session.target.local_home()?,
        &args.buckets,
    )
    .await?;
    let mut watches = Vec::new();
    for bucket in &buckets {
        let watch = Watch::new(bucket.folder.root()).map_err(|error| {
            Failure::environment(error.to_string()).with_detail(&cause_lines(&error))
        })?;
        watches.push(watch);
    }
    let stop = Stop::default();
    let run_executor = RunExecutor {
        session: Arc::clone(&session),
        executor,
        clock: Arc::clone(&clock),
        view: Arc::clone(&view),
        stop: stop.clone(),
    };
    let ticks = Arc::new(DevTicks::default());
    let ports = ReactPorts {
        resources: Arc::new(Arc::clone(&triggers.resources)),
        triggers,
        ticks: ticks.clone(),
        topic: Arc::new(DevTopic(Arc::clone(&view))),
    };
    let dev = Dev {
        session: &session,
        ports,
        ticks,
        buckets,
        view: &view,
        refused: Mutex::default(),
    };
    let mut interrupts = listen_for_interrupts();
    // A large folder takes a while. Whatever is not evaluated then is found by the next `dev`.
    tokio::select! {
        biased;
        _ = interrupts.recv() => {
            view.clear_status();
            return Ok(Exit::Done);
        }
        started = dev.start() => started?,
    }
    let mut active: JoinSet<Run> = JoinSet::new();
    let mut queued: VecDeque<Run> = VecDeque::new();
    let mut beats = tokio::time::interval(BEAT);
    let mut beat = 0_u64;
    loop {
        while active.len() < MAX_ACTIVE_RUNS
            && let Some(run) = queued.pop_front()
        {
            let run_executor = run_executor.clone();
            active.spawn(async move {
                run_executor.execute_run(run.clone()).await;
                run
            });
        }
        view.show_status(dev.status_line(active.len() + queued.len()).await);
        let next = tokio::select! {
            biased;
            _ = interrupts.recv() => break,
            () = view.wait_for_close() => break,
            Some(run) = requested.recv() => Next::Requested(run),
            (index, files) = next_files(&mut watches) => Next::Files(index, files),
            Some(ended) = active.join_next() => Next::Ended(ended),
            _ = beats.tick() => Next::Beat,
        };
        let handling = async {
            match next {
                Next::Requested(run) => {
                    queued.push_back(run);
                    Ok(())
                }
                Next::Files(index, files) => dev.handle_files(index, files).await,
                Next::Ended(Ok(run)) => dev.handle_run_end(&run).await,
                Next::Ended(Err(error)) => {
                    Err(Failure::environment(format!("a run was aborted: {error}")))
                }
                Next::Beat => {
                    beat += 1;
                    dev.handle_beat(beat).await
                }
            }
        };
        // Every tick is recorded completely or not at all, so that handling may end anywhere.
        let handled: Result<(), Failure> = tokio::select! {
            biased;
            _ = interrupts.recv() => break,
            handled = handling => handled,
        };
        // A failure may be temporary: it is shown, and the loop continues.
        if let Err(failure) = handled {
            let text = format!("{} {}", failure.message, failure.detail.join("; "));
            view.show_event(clock.now(), "error", text.trim_end());
        }
    }
    drop(watches);
    wait_for_runs(
        &view,
        clock.as_ref(),
        &stop,
        active,
        queued.len(),
        &mut interrupts,
    )
    .await;
    view.clear_status();
    Ok(Exit::Done)
}

/// The next event of the loop.
enum Next {
    Requested(Run),
    /// The index of a folder and its new files.
    Files(usize, Vec<PathBuf>),
    Ended(Result<Run, JoinError>),
    Beat,
}

/// Starts a task that listens for Ctrl-C, and returns the receiver. No Ctrl-C is lost while the loop is
/// busy.
fn listen_for_interrupts() -> mpsc::UnboundedReceiver<()> {
    let (sender, interrupts) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() && sender.send(()).is_ok() {}
    });
    interrupts
}

/// Stops the active runs: waits for their running ops, and no longer after a second Ctrl-C.
async fn wait_for_runs(
    view: &View,
    clock: &dyn Clock,
    stop: &Stop,
    mut active: JoinSet<Run>,
    queued: usize,
    interrupts: &mut mpsc::UnboundedReceiver<()>,
) {
    stop.gently.cancel();
    if !active.is_empty() {
        let text = "running ops finish first; Ctrl-C again to stop at once";
        view.show_event(clock.now(), "stopping", text);
    }
    if queued > 0 {
        let text = format!("{queued} runs are left in the queue: the next `dev` starts them");
        view.show_event(clock.now(), "stopping", &text);
    }
    let mut stops_at_once = false;
    // Each op that is running finishes, unless a second Ctrl-C aborts it.
    while !active.is_empty() {
        tokio::select! {
            _ = active.join_next() => {}
            _ = interrupts.recv(), if !stops_at_once => {
                stops_at_once = true;
                stop.at_once.cancel();
            }
        }
    }
}

/// Waits for new files in one of the folders. Returns the folder's index and the files.
async fn next_files(watches: &mut [Watch]) -> (usize, Vec<PathBuf>) {
    if watches.is_empty() {
        return std::future::pending().await;
    }
    // Dropping the futures of the other folders loses none of their files.
    let each = watches.iter_mut().map(|watch| Box::pin(watch.next()));
    let (files, index, _) = select_all(each).await;
    (index, files)
}

/// Returns the resources that sensors and schedules need.
fn resource_needs(session: &Session) -> Vec<ResourceNeed> {
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

/// The handlers of the loop's events.
struct Dev<'a> {
    session: &'a Session,
    ports: ReactPorts,
    ticks: Arc<DevTicks>,
    buckets: Vec<WatchedBucket>,
    view: &'a View,
    /// Messages about files that are no objects, which were shown.
    refused: Mutex<HashSet<String>>,
}

impl Dev<'_> {
    fn show_event(&self, what: &str, text: &str) {
        self.view.show_event(self.now(), what, text);
    }

    fn now(&self) -> DateTime<Utc> {
        self.ports.triggers.clock.now()
    }

    async fn is_on(&self, sensor: &SensorDefinition) -> Result<bool, Failure> {
        let state = self
            .session
            .store
            .trigger_state(&sensor_id(sensor.name()))
            .await?;
        Ok(sensor.spec.default_status.is_on(state.enabled))
    }

    /// Shows what is watched and what is off, launches runs that an earlier process left, and handles the
    /// first beat.
    async fn start(&self) -> Result<(), Failure> {
        for bucket in &self.buckets {
            let folder = bucket.folder.root().display();
            self.show_event(
                "watching",
                &format!("`{folder}` for {}", bucket.sensors.join(", ")),
            );
        }
        for sensor in self.session.definitions.sensors() {
            if !self.is_on(sensor).await? {
                let name = sensor.name();
                self.show_event(name, &format!("is off: `sensor {name} start` turns it on"));
            }
        }
        for schedule in self.session.definitions.schedules() {
            let name = schedule.name();
            let state = self.session.store.trigger_state(&schedule_id(name)).await?;
            if !schedule.spec.default_status.is_on(state.enabled) {
                self.show_event(
                    name,
                    &format!("is off: `schedule {name} start` turns it on"),
                );
            }
        }
        self.launch_queued_runs().await?;
        self.handle_beat(0).await?;
        self.show_event(
            "ready",
            "waiting for files, ticks and changes; Ctrl-C stops",
        );
        Ok(())
    }

    /// Launches runs that were requested and never started.
    async fn launch_queued_runs(&self) -> Result<(), Failure> {
        let filter = RunFilter {
            statuses: vec![RunStatus::Queued, RunStatus::Running],
            ..RunFilter::default()
        };
        let mut page = PageRequest::first(500);
        let mut queued = Vec::new();
        loop {
            let runs = self.session.store.list_runs(&filter, &page).await?;
            queued.extend(runs.items);
            match runs.next {
                Some(token) => page = page.next_page(token),
                None => break,
            }
        }
        // The store lists the newest first; runs start in the order of their requests.
        for run in queued.iter().rev() {
            let triggered = matches!(run.request.origin, RunOrigin::Trigger(_));
            let home = self.session.target.local_home()?;
            let owner = run.owner.as_ref().map(|owner| home.is_alive(&owner.id));
            if triggered && run.status == RunStatus::Queued && owner.is_none() {
                // Fails only while this process is stopping; the next one launches the run.
                let _ = self.ports.triggers.launcher.launch(run).await;
            } else if run.status == RunStatus::Running && !matches!(owner, Some(Ok(true))) {
                let text = format!("was interrupted: `resume {}` resumes it", run.id);
                self.show_event(&format!("run {}", run.id), &text);
            }
        }
        Ok(())
    }

    /// Evaluates the sensors of a folder with new files.
    async fn handle_files(&self, index: usize, files: Vec<PathBuf>) -> Result<(), Failure> {
        let Some(bucket) = self.buckets.get(index) else {
            return Ok(());
        };
        let created = bucket.folder.created_events(&bucket.name, files).await;
        let events = created.map_err(|error| Failure::environment(error.to_string()))?;
        if events.is_empty() {
            return Ok(());
        }
        for name in &bucket.sensors {
            let Some(sensor) = self.session.definitions.sensor(name) else {
                continue;
            };
            let options = ObjectOptions::default();
            let evaluated = evaluate_objects(&self.ports.triggers, sensor, &events, options).await;
            // The other sensors of the folder are evaluated all the same.
            let outcome = match evaluated {
                Ok(outcome) => outcome,
                Err(error) => {
                    self.show_event(name, &error.to_string());
                    continue;
                }
            };
            for (event, decision) in events.iter().zip(&outcome.decisions) {
                // An event that another sensor of the folder handles is no news.
                let quiet = match decision {
                    Decision::Duplicate => true,
                    Decision::Ignored { .. } => !outcome.running || bucket.sensors.len() > 1,
                    _ => false,
                };
                if !quiet && outcome.runs.is_empty() {
                    let text = format!("{} {}", event.key, command::describe_decision(decision));
                    self.show_event(name, &text);
                }
            }
            // The batch may hold files that are for other sensors.
            let accepted: Vec<&str> = events
                .iter()
                .zip(&outcome.decisions)
                .filter(|(_, decision)| matches!(decision, Decision::Requested { .. }))
                .map(|(event, _)| event.key.as_str())
                .collect();
            let reason = match accepted.as_slice() {
                [one] => (*one).to_owned(),
                several => format!("{} files", several.len()),
            };
            self.show_requested(name, &reason, &outcome.runs);
        }
        Ok(())
    }

    /// Shows the new runs that a trigger requested.
    fn show_requested(&self, what: &str, why: &str, runs: &[CreatedRun]) {
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
            self.show_event(what, &text);
        }
    }

    /// Reacts to the end of a run and to what it materialized.
    async fn handle_run_end(&self, run: &Run) -> Result<(), Failure> {
        let run = self.session.store.find_run(run.id).await?;
        let plan = run.as_ref().and_then(|run| run.plan.clone());
        let assets: BTreeSet<_> = plan
            .into_iter()
            .flat_map(|plan| plan.assets.into_keys())
            .collect();
        let changes = ChangeSet {
            published: assets.clone(),
            changed: assets,
            ended: run.into_iter().map(|run| run.id).collect(),
            ..ChangeSet::default()
        };
        self.react_to(&changes).await;
        Ok(())
    }

    /// Evaluates the sensors of assets and runs, automation and freshness that a change affects.
    async fn react_to(&self, changes: &ChangeSet) {
        let reaction = react(&self.ports, changes).await;
        for (sensor, decision) in &reaction.sensors {
            match decision {
                Decision::Ignored { .. }
                | Decision::Duplicate
                | Decision::Skipped { .. }
                | Decision::Early { .. }
                | Decision::Waits { .. } => {}
                decision => self.show_event(sensor, &command::describe_decision(decision)),
            }
        }
        self.show_requested("automation", "requests", &reaction.automation.runs);
        for failed in &reaction.failed {
            self.show_event(&failed.what, &failed.message);
        }
    }

    /// Handles what depends on time: schedules at each beat, sweeps and conditions at some.
    async fn handle_beat(&self, beat: u64) -> Result<(), Failure> {
        for schedule in self.session.definitions.schedules() {
            let name = schedule.name();
            let outcome = match evaluate_schedule(&self.ports.triggers, schedule, None).await {
                Ok(outcome) => outcome,
                // A failure of one trigger does not stop the others.
                Err(error) => {
                    self.show_event(name, &error.to_string());
                    continue;
                }
            };
            if let Some(tick) = outcome.ticks.last() {
                self.show_requested(name, &format_time(*tick), &outcome.runs);
            }
            for text in outcome.skipped.iter().chain(&outcome.failed) {
                self.show_event(name, text);
            }
        }
        let is_due = self.ticks.take_due(self.now());
        if beat.is_multiple_of(BEATS_PER_SWEEP) {
            self.sweep_buckets(beat == 0).await;
        }
        // Besides due ticks, at every sweep: other processes may have materialized something.
        if is_due || beat.is_multiple_of(BEATS_PER_SWEEP) {
            self.react_to(&ChangeSet::on_tick()).await;
        }
        Ok(())
    }

    /// Looks through the folders for files whose events were missed.
    async fn sweep_buckets(&self, first: bool) {
        for bucket in &self.buckets {
            for name in &bucket.sensors {
                let Some(sensor) = self.session.definitions.sensor(name) else {
                    continue;
                };
                // Events of watched folders arrive at once. The first sweep finds files that came while no
                // process was watching, and has no events to wait for.
                let options = SweepOptions {
                    grace: chrono::TimeDelta::seconds(if first { 0 } else { 10 }),
                };
                let result = sweep_bucket(
                    &self.ports.triggers,
                    sensor,
                    &bucket.name,
                    &bucket.folder,
                    options,
                )
                .await;
                let swept = match result {
                    Ok(swept) => swept,
                    Err(error) => {
                        self.show_event(name, &error.to_string());
                        continue;
                    }
                };
                let missed = match swept.missed {
                    1 => "1 file that was missed".to_owned(),
                    missed => format!("{missed} files that were missed"),
                };
                self.show_requested(name, &missed, &swept.runs);
                for message in &swept.failed {
                    self.show_event(name, message);
                }
                for message in &swept.refused {
                    // Each sweep finds the same files again.
                    let mut shown = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
                    if shown.insert(message.clone()) {
                        self.show_event(name, message);
                    }
                }
            }
        }
    }

    /// Returns the status line: what `dev` is waiting for.
    async fn status_line(&self, runs: usize) -> String {
        let now = self.now();
        let graph = self.session.definitions.graph();
        // Sorted by time, so that the first entry is the next tick.
        let mut next: BTreeMap<DateTime<Utc>, String> = BTreeMap::new();
        for schedule in self.session.definitions.schedules() {
            let state = self
                .session
                .store
                .trigger_state(&schedule_id(schedule.name()))
                .await;
            let turned = state.ok().and_then(|state| state.enabled);
            if let Ok(ticking) = schedule.spec.resolve(graph)
                && schedule.spec.default_status.is_on(turned)
                && let Some(tick) = ticking.ticks_after(now).next()
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
            parts.push(format!("{name} at {}", format_time(*tick)));
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
