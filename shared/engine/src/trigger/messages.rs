//! Events that come in messages: evaluated together, and answered one by one.

use precip_core::trigger::ObjectEvent;

use super::{
    Decision, ObjectOptions, SensorDefinition, SensorOutcome, TriggerError, TriggerPorts,
    evaluate_objects,
};

/// What came of some messages.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Delivered {
    /// What came of all of their events.
    pub outcome: SensorOutcome,
    /// Which messages have to come again, by their places, and why.
    pub again: Vec<(usize, String)>,
}

/// Evaluates a sensor for the events of some messages: all of them together, so that many files become
/// few runs.
///
/// # Errors
/// [`TriggerError`]: every message has to come again.
pub async fn evaluate_messages(
    ports: &TriggerPorts,
    sensor: &SensorDefinition,
    messages: &[Vec<ObjectEvent>],
    options: ObjectOptions<'_>,
) -> Result<Delivered, TriggerError> {
    let events: Vec<ObjectEvent> = messages.iter().flatten().cloned().collect();
    let places = messages.iter().enumerate();
    let places = places.flat_map(|(place, events)| events.iter().map(move |_| place));
    let outcome = evaluate_objects(ports, sensor, &events, options).await?;
    let mut again: Vec<(usize, String)> = Vec::new();
    for (place, decision) in places.zip(&outcome.decisions) {
        if let Decision::Failed { message } = decision
            && again.last().is_none_or(|(last, _)| *last != place)
        {
            again.push((place, message.clone()));
        }
    }
    Ok(Delivered { outcome, again })
}
