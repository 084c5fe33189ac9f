//! Events of objects from queues.

use aws_lambda_events::event::sqs::SqsBatchResponse;
use lambda_runtime::Diagnostic;
use precip_core::trigger::{MessageEvents, ObjectEvent, SensorSource};
use precip_engine::trigger::{
    Decision, DeliveryOutcome, ObjectOptions, SensorDefinition, evaluate_messages, read_bucket,
    sensor_of_queue,
};

use super::{Answer, Sensors, new_run_count};
use crate::lambda::failure;

/// The messages of a batch, and the reasons why some have to be delivered again.
struct Batch {
    /// The ids of the messages; `None` for an event without a message.
    ids: Vec<Option<String>>,
    /// The events of each message.
    events: Vec<Vec<ObjectEvent>>,
    /// The failure of each message.
    failed: Vec<Option<String>>,
}

impl Batch {
    /// Parses messages. A message without a valid event fails alone, and the queue puts it aside
    /// after some deliveries.
    fn parse(messages: Vec<MessageEvents>) -> Self {
        let mut batch = Self {
            ids: Vec::new(),
            events: Vec::new(),
            failed: Vec::new(),
        };
        for message in messages {
            // The three lists stay parallel, one entry per message.
            let (events, failed) = match message.events {
                Ok(events) => (events, None),
                Err(error) => {
                    let id = message.message.as_deref().unwrap_or_default();
                    tracing::warn!(message = id, %error, "not a valid event");
                    (Vec::new(), Some(error.to_string()))
                }
            };
            batch.ids.push(message.message);
            batch.events.push(events);
            batch.failed.push(failed);
        }
        batch
    }

    /// Returns the events of each message that may concern a sensor. `own_queue` means that the
    /// queue is the sensor's own, so that all of its events do.
    fn events_for(&self, sensor: &SensorDefinition, own_queue: bool) -> Vec<Vec<ObjectEvent>> {
        let objects = match &sensor.spec.source {
            SensorSource::Objects(objects) => objects,
            SensorSource::Assets { .. } | SensorSource::Runs { .. } => return Vec::new(),
        };
        let wanted =
            |event: &&ObjectEvent| own_queue || objects.accepts_object(&event.key, event.size);
        let each = self.events.iter();
        each.map(|events| events.iter().filter(wanted).cloned().collect())
            .collect()
    }

    /// Marks a message as failed. Its first failure is kept.
    fn mark_failed(&mut self, index: usize, why: String) {
        if let Some(failed) = self.failed.get_mut(index) {
            failed.get_or_insert(why);
        }
    }

    /// Returns the answer: the messages that failed, or an error for an event without a message.
    fn into_answer(self) -> Result<Answer, Diagnostic> {
        let mut response = SqsBatchResponse::default();
        for (id, failed) in self.ids.into_iter().zip(self.failed) {
            match (id, failed) {
                // Only failed messages come back; the queue deletes all others.
                (Some(id), Some(_)) => response.add_failure(id),
                (None, Some(why)) => return Err(failure::diagnostic("Precip.Retryable", &why)),
                (_, None) => {}
            }
        }
        Ok(Answer::Batch(response))
    }
}

impl Sensors {
    /// Evaluates the events of a batch, all events of one sensor together.
    pub(super) async fn evaluate_objects(
        &self,
        queue: Option<String>,
        messages: Vec<MessageEvents>,
    ) -> Result<Answer, Diagnostic> {
        let mut batch = Batch::parse(messages);
        // A queue belongs to one sensor; an event without a queue may concern any.
        let named = queue.as_deref().and_then(sensor_of_queue);
        let sensors = self.object_sensors(named);
        if let (Some(name), true) = (named, sensors.is_empty()) {
            // The queue belongs to another version of the project: an error keeps its messages.
            let message = format!(
                "there is no sensor `{name}` of objects: deploy functions and template together"
            );
            return Err(failure::diagnostic("Precip.BadInput", &message));
        }
        for sensor in sensors {
            // Messages without events for this sensor stay in the list, empty, to keep their index.
            let messages = batch.events_for(sensor, named.is_some());
            if messages.iter().all(Vec::is_empty) {
                continue;
            }
            match self.evaluate_sensor(sensor, &messages).await {
                Ok(delivered) => {
                    for (index, why) in delivered.redeliver {
                        batch.mark_failed(index, why);
                    }
                }
                Err(error) => {
                    tracing::warn!(sensor = %sensor.name(), error, "not evaluated, will be retried");
                    let indexed = messages.iter().enumerate();
                    for (index, _) in indexed.filter(|(_, events)| !events.is_empty()) {
                        batch.mark_failed(index, error.clone());
                    }
                }
            }
        }
        batch.into_answer()
    }

    /// Evaluates a sensor for the events of some messages.
    async fn evaluate_sensor(
        &self,
        sensor: &SensorDefinition,
        messages: &[Vec<ObjectEvent>],
    ) -> Result<DeliveryOutcome, String> {
        let (ports, bucket) = self.ports_for_sensor(sensor).await?;
        let options = ObjectOptions {
            bucket: Some(&bucket),
            found_by_sweep: false,
        };
        let delivered = evaluate_messages(&ports, sensor, messages, options)
            .await
            .map_err(|error| error.to_string())?;
        let decisions = &delivered.outcome.decisions;
        // Counts per kind of decision, for the log line below.
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
            early = count(|one| matches!(one, Decision::Early { .. })),
            failed = delivered.redeliver.len(),
            runs = new_run_count(&delivered.outcome.runs),
            "evaluated"
        );
        Ok(delivered)
    }

    /// Returns the ports for a sensor, and the bucket that it watches.
    pub(super) async fn ports_for_sensor(
        &self,
        sensor: &SensorDefinition,
    ) -> Result<(precip_engine::trigger::TriggerPorts, String), String> {
        let objects = match &sensor.spec.source {
            SensorSource::Objects(objects) => objects,
            SensorSource::Assets { .. } | SensorSource::Runs { .. } => {
                return Err(format!(
                    "sensor `{}` is not a sensor of objects",
                    sensor.name()
                ));
            }
        };
        let bucket = read_bucket(&objects.bucket, self.triggers.settings())
            .await
            .map_err(|error| error.to_string())?;
        let ports = self
            .triggers
            .trigger_ports(&sensor.resources)
            .await
            .map_err(|error| error.to_string())?;
        // What has to wait is launched by the reactor.
        Ok((ports.with_patience(), bucket))
    }
}
