//! Properties of any text that a person may type or a bucket may send. Each panics if it does not hold.

mod cron;
mod key_template;
mod object_message;
mod partition_key;
mod partition_selector;
mod selection;

pub use cron::cron;
pub use key_template::key_template;
pub use object_message::object_message;
pub use partition_key::partition_key;
pub use partition_selector::partition_selector;
pub use selection::selection;
