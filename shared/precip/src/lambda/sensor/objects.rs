//! Events of objects, out of queues.

use aws_lambda_events::event::sqs::SqsBatchResponse;
use lambda_runtime::Diagnostic;
use precip_core::trigger::{MessageEvents, ObjectEvent, SensorSource};
use precip_engine::trigger::{
    Decision, Delivered, ObjectOptions, SensorDefinition, evaluate_messages, read_bucket,
    sensor_of_queue,
};

use super::{Answer, Sensors, new};
use crate::lambda::failure;

/// The messages of a batch, and which of them have to come again.
struct Batch {
    /// Their ids; none for an event that came by itself.
    ids: Vec<Option<String>>,
    events: Vec<Vec<ObjectEvent>>,
    failed: Vec<Option<String>>,
}

impl Batch {
    /// Reads messages. One that is no event fails by itself: after some times the queue puts it aside.
    fn of(messages: Vec<MessageEvents>) -> Self {
        let mut batch = Self {
            ids: Vec::new(),
            events: Vec::new(),
            failed: Vec::new(),
        };
        for message in messages {
            let (events, failed) = match message.events {
                Ok(events) => (events, None),
                Err(error) => {
                    let id = message.message.as_deref().unwrap_or_default();
                    tracing::warn!(message = id, %error, "no event");
                    (Vec::new(), Some(error.to_string()))
                }
            };
            batch.ids.push(message.message);
            batch.events.push(events);
            batch.failed.push(failed);
        }
        batch
    }

    /// The events that a sensor may have something to do with; those of messages with none are empty.
    fn events_for(&self, sensor: &SensorDefinition, its_own: bool) -> Vec<Vec<ObjectEvent>> {
        let SensorSource::Objects(objects) = &sensor.spec.source else {
            return Vec::new();
        };
        let wanted = |event: &&ObjectEvent| its_own || objects.takes(&event.key, event.size);
        let each = self.events.iter();
        each.map(|events| events.iter().filter(wanted).cloned().collect())
            .collect()
    }

    fn fail(&mut self, place: usize, why: String) {
        if let Some(failed) = self.failed.get_mut(place) {
            failed.get_or_insert(why);
        }
    }

    fn answer(self) -> Result<Answer, Diagnostic> {
        let mut response = SqsBatchResponse::default();
        for (id, failed) in self.ids.into_iter().zip(self.failed) {
            match (id, failed) {
                (Some(id), Some(_)) => response.add_failure(id),
                (None, Some(why)) => return Err(failure::diagnostic("Precip.Retryable", &why)),
                (_, None) => {}
            }
        }
        Ok(Answer::Batch(response))
    }
}

impl Sensors {
    /// Evaluates the events of a batch: all that are for one sensor together.
    pub(super) async fn objects(
        &self,
        queue: Option<String>,
        messages: Vec<MessageEvents>,
    ) -> Result<Answer, Diagnostic> {
        let mut batch = Batch::of(messages);
        let named = queue.as_deref().and_then(sensor_of_queue);
        let sensors = self.of_objects(named);
        if let (Some(name), true) = (named, sensors.is_empty()) {
            // It was deployed with another project, or another version of it: not to be lost.
            let message = format!(
                "there is no sensor `{name}` of objects: deploy functions and template together"
            );
            return Err(failure::diagnostic("Precip.BadInput", &message));
        }
        for sensor in sensors {
            let messages = batch.events_for(sensor, named.is_some());
            if messages.iter().all(Vec::is_empty) {
                continue;
            }
            match self.evaluate(sensor, &messages).await {
                Ok(delivered) => {
                    for (place, why) in delivered.again {
                        batch.fail(place, why);
                    }
                }
                Err(error) => {
                    tracing::warn!(sensor = %sensor.name(), error, "not evaluated: it is tried again");
                    let places = messages.iter().enumerate();
                    for (place, _) in places.filter(|(_, events)| !events.is_empty()) {
                        batch.fail(place, error.clone());
                    }
                }
            }
        }
        batch.answer()
    }

    async fn evaluate(
        &self,
        sensor: &SensorDefinition,
        messages: &[Vec<ObjectEvent>],
    ) -> Result<Delivered, String> {
        let (ports, bucket) = self.of_sensor(sensor).await?;
        let options = ObjectOptions {
            bucket: Some(&bucket),
            found_by_sweep: false,
        };
        let delivered = evaluate_messages(&ports, sensor, messages, options).await;
        let delivered = delivered.map_err(|error| error.to_string())?;
        let decisions = &delivered.outcome.decisions;
        let count = |is: fn(&Decision) -> bool| decisions.iter().filter(|one| is(one)).count();
        for decision in decisions {
            if let Decision::Skipped { reason } = decision {
                tracing::info!(sensor = %sensor.name(), reason, "skipped");
            }
        }
        tracing::info!(
            sensor = %sensor.name(),
            running = delivered.outcome.running,
            events = decisions.len(),
            requested = count(|one| matches!(one, Decision::Requested { .. })),
            duplicates = count(|one| matches!(one, Decision::Duplicate)),
            waiting = count(|one| matches!(one, Decision::Waits { .. })),
            failed = delivered.again.len(),
            runs = new(&delivered.outcome.runs),
            "evaluated"
        );
        Ok(delivered)
    }

    /// What a sensor stands on, and the bucket that it watches.
    pub(super) async fn of_sensor(
        &self,
        sensor: &SensorDefinition,
    ) -> Result<(precip_engine::trigger::TriggerPorts, String), String> {
        let SensorSource::Objects(objects) = &sensor.spec.source else {
            return Err(format!("sensor `{}` waits for no objects", sensor.name()));
        };
        let bucket = read_bucket(&objects.bucket, self.triggers.settings()).await;
        let bucket = bucket.map_err(|problem| problem.to_string())?;
        let ports = self.triggers.ports(&sensor.resources).await;
        Ok((ports.map_err(|error| error.to_string())?, bucket))
    }
}
