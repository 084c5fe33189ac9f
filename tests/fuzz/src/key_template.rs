//! Templates of object keys.

use precip_core::trigger::KeyTemplate;

/// Checks a template and, after its first line, an object's key: the template is refused with a message and a
/// span of its text, or each of its readings of the key has a text for every name, and a key that matches
/// begins with the template's prefix.
pub fn key_template(text: &str) {
    let (template, key) = text.split_once('\n').unwrap_or((text, "a/2024-01-31.csv"));
    let template = match KeyTemplate::new(template) {
        Ok(template) => template,
        Err(refusal) => {
            assert!(!refusal.problem().is_empty());
            assert!(
                template.get(refusal.span()).is_some(),
                "the span is not in the text"
            );
            return;
        }
    };
    let mut is_read = false;
    for values in template.read_key(key).take(20) {
        is_read = true;
        for name in template.names() {
            assert!(values.text(name).is_some(), "{name} has no text");
        }
    }
    assert_eq!(template.matches_key(key), is_read);
    assert!(!is_read || key.starts_with(template.prefix()));
}
