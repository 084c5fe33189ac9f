//! [`S3`]: the buckets of an account, and its calls.

use std::collections::BTreeMap;

use precip_engine::run::Clock;
use precip_simulator::bill::Unit;

use super::{bucket::Bucket, error::Failure, request::Request};
use crate::{aws::Inner, dynamo::Moment, faults::Fault, http::Answer};

/// The longest key, in bytes.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
const LONGEST_KEY: usize = 1024;

/// The buckets of an account.
#[derive(Debug, Default)]
pub(crate) struct S3 {
    buckets: BTreeMap<String, Bucket>,
}

impl S3 {
    pub(crate) fn create_bucket(&mut self, name: &str) {
        self.buckets.entry(name.to_owned()).or_default();
    }

    /// # Panics
    /// When the bucket was not created.
    pub(crate) fn keys(&self, bucket: &str) -> Vec<String> {
        self.buckets[bucket].objects.keys().cloned().collect()
    }

    /// Answers a request.
    pub(crate) fn answer(
        &mut self,
        request: &Request,
        moment: &mut Moment<'_>,
        account: &Inner,
    ) -> Answer {
        let answer = self.answer_call(request, moment, account);
        answer.unwrap_or_else(|failure| failure.into_answer(request.method == "HEAD"))
    }

    fn answer_call(
        &mut self,
        request: &Request,
        moment: &mut Moment<'_>,
        account: &Inner,
    ) -> Result<Answer, Failure> {
        let operation = request.operation();
        let bucket = self.buckets.get_mut(&request.bucket);
        let bucket = bucket.ok_or_else(Failure::no_such_bucket)?;
        if request.key.len() > LONGEST_KEY {
            return Err(Failure::new(400, "KeyTooLongError", "Your key is too long"));
        }
        let unit = match operation {
            "PutObject" => Some(Unit::S3Put),
            "ListObjectsV2" => Some(Unit::S3List),
            // Deletions are free.
            "DeleteObject" => None,
            _ => Some(Unit::S3Get),
        };
        let writes = matches!(operation, "PutObject" | "DeleteObject");
        if !bucket.take_request(moment.now, writes) || moment.happens(Fault::Throttle) {
            return Err(Failure::slow_down());
        }
        // Every answer is charged but that of a throttled request.
        if let Some(unit) = unit {
            account.bill.add_one(unit);
        }
        match operation {
            "GetObject" | "HeadObject" => bucket.get_object(request),
            "PutObject" => bucket.put_object(request, moment, account.time.now()),
            "DeleteObject" => bucket.delete_object(request),
            "ListObjectsV2" => bucket.list_objects(request),
            _ => Ok(Answer {
                status: 200,
                ..Answer::default()
            }),
        }
    }
}
