//! `PutObject` and `DeleteObject`.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>

use chrono::{DateTime, Utc};

use super::{
    bucket::{Bucket, Object},
    checksum::crc32,
    error::Failure,
    object::names_etag,
    request::Request,
};
use crate::{dynamo::Moment, faults::Fault, http::Answer};

impl Bucket {
    pub(super) fn put_object(
        &mut self,
        request: &Request,
        moment: &mut Moment<'_>,
        now: DateTime<Utc>,
    ) -> Result<Answer, Failure> {
        let content = request.content()?;
        let existing = self.objects.get(&request.key);
        let conditions = ["if-match", "if-none-match"].map(|name| request.header(name));
        match conditions {
            [None, None] => {}
            [Some(etag), None] => match existing {
                None => return Err(Failure::no_such_key()),
                Some(object) if !names_etag(etag, &object.etag) => {
                    return Err(Failure::precondition("If-Match"));
                }
                Some(_) => {}
            },
            [None, Some("*")] => {
                if existing.is_some() {
                    return Err(Failure::precondition("If-None-Match"));
                }
            }
            _ => {
                return Err(Failure::new(
                    501,
                    "NotImplemented",
                    "A header you provided implies functionality that is not implemented",
                ));
            }
        }
        let is_conditional = conditions.iter().any(Option::is_some);
        if is_conditional && moment.happens(Fault::Conflict) {
            return Err(Failure::conflict());
        }
        let checksum = crc32(&content);
        let object = Object::new(content, now, request.header("content-type"));
        let etag = object.etag.clone();
        self.objects.insert(request.key.clone(), object);
        Ok(Answer {
            status: 200,
            headers: vec![
                ("etag", etag),
                ("x-amz-checksum-crc32", checksum),
                ("x-amz-checksum-type", "FULL_OBJECT".to_owned()),
            ],
            ..Answer::default()
        })
    }

    /// Deletes an object. One that does not exist is no error.
    pub(super) fn delete_object(&mut self, request: &Request) -> Result<Answer, Failure> {
        assert!(
            request.header("if-match").is_none(),
            "the strict AWS does not know conditional deletions"
        );
        self.objects.remove(&request.key);
        Ok(Answer {
            status: 204,
            ..Answer::default()
        })
    }
}
