//! Events that arrive in messages: evaluated together, acknowledged message by message.

use precip_core::trigger::ObjectEvent;

use super::{
    Decision, ObjectOptions, SensorDefinition, SensorOutcome, TriggerError, TriggerPorts,
    evaluate_objects, objects::show_key,
};

/// The outcome of a delivery of messages.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeliveryOutcome {
    /// The outcome of all their events.
    pub outcome: SensorOutcome,
    /// Indices of the messages that must be delivered again, each with the reason.
    pub redeliver: Vec<(usize, String)>,
}

/// Evaluates a sensor for the events of several messages together, so that many files become few
/// runs.
///
/// # Errors
/// [`TriggerError`]: every message must be delivered again.
pub async fn evaluate_messages(
    ports: &TriggerPorts,
    sensor: &SensorDefinition,
    messages: &[Vec<ObjectEvent>],
    options: ObjectOptions<'_>,
) -> Result<DeliveryOutcome, TriggerError> {
    let events: Vec<ObjectEvent> = messages.iter().flatten().cloned().collect();
    // The message index of each event.
    let indices = messages
        .iter()
        .enumerate()
        .flat_map(|(index, events)| events.iter().map(move |_| index));
    let outcome = evaluate_objects(ports, sensor, &events, options).await?;
    let mut redeliver: Vec<(usize, String)> = Vec::new();
    for ((index, event), decision) in indices.zip(&events).zip(&outcome.decisions) {
        // One entry per message, with the reason of its first failed event.
        if let Decision::Failed { message } = decision
            && redeliver.last().is_none_or(|(last, _)| *last != index)
        {
            redeliver.push((index, format!("{}: {message}", show_key(&event.key))));
        }
    }
    Ok(DeliveryOutcome { outcome, redeliver })
}
