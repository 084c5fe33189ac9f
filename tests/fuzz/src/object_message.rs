//! Messages about objects.

use precip_core::trigger::read_events;

/// Checks that JSON of any form is refused with a message, or read as events that have identities and are not
/// after themselves.
pub fn object_message(text: &str) {
    let Ok(payload) = serde_json::from_str(text) else {
        return;
    };
    let messages = match read_events(&payload) {
        Ok(messages) => messages,
        Err(refusal) => return assert!(!refusal.to_string().is_empty()),
    };
    for message in messages {
        match message.events {
            Ok(events) => {
                for event in events {
                    assert!(!event.identity().is_empty());
                    assert!(!event.is_after(&event), "{event:?} is after itself");
                }
            }
            Err(refusal) => assert!(!refusal.to_string().is_empty()),
        }
    }
}
