//! What no emulator answers: throttled, half done, in conflict.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use aws_sdk_dynamodb::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
};
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    runtime_components::RuntimeComponents,
};
use precip_engine::state::{ReadConsistency, StateErrorKind, StateResult};
use serde_json::{Value, json};

use super::{
    super::{
        item::{item, number},
        keys::Key,
    },
    Guard, Op, Table, Transacted, Written,
};

/// Gives prepared answers, and keeps what was asked.
#[derive(Debug, Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<(u16, Value)>>>,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().unwrap_or_default();
        let asked = serde_json::from_slice(body).unwrap();
        self.asked.lock().unwrap().push(asked);
        let (status, body) = self.answers.lock().unwrap().pop_front().unwrap();
        let answer = HttpResponse::new(status.try_into().unwrap(), body.to_string().into());
        HttpConnectorFuture::ready(Ok(answer))
    }
}

impl HttpClient for Script {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

fn table(answers: impl IntoIterator<Item = (u16, Value)>) -> (Table, Script) {
    let script = Script::default();
    *script.answers.lock().unwrap() = answers.into_iter().collect();
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(Credentials::for_tests())
        .retry_config(RetryConfig::disabled())
        .http_client(script.clone())
        .build();
    let table = Table::new(Client::from_conf(config), "precip".to_owned());
    (table, script)
}

fn key(sk: &str) -> Key {
    Key {
        pk: "P".to_owned(),
        sk: sk.to_owned(),
    }
}

fn keys(sks: &[&str]) -> Value {
    let keys = sks
        .iter()
        .map(|sk| json!({"pk": {"S": "P"}, "sk": {"S": sk}}));
    keys.collect()
}

fn used(units: f64) -> Value {
    json!([{ "TableName": "precip", "CapacityUnits": units }])
}

fn error(code: &str) -> Value {
    json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "no" })
}

#[tokio::test]
async fn what_was_not_read_is_asked_for_again() -> StateResult<()> {
    let left = json!({ "precip": { "Keys": keys(&["b"]) } });
    let (table, script) = table([
        (
            200,
            json!({ "Responses": { "precip": keys(&["a"]) }, "UnprocessedKeys": left,
                    "ConsumedCapacity": used(0.5) }),
        ),
        (
            200,
            json!({ "Responses": { "precip": keys(&["b"]) }, "ConsumedCapacity": used(0.5) }),
        ),
    ]);
    let rows = table.get_many([key("a"), key("b")], ReadConsistency::Eventual);
    let rows = rows.await?;
    assert!(rows.contains_key(&key("a")) && rows.contains_key(&key("b")));
    assert_eq!(table.meter.total().read, 1.0);
    let asked = script.asked.lock().unwrap();
    assert_eq!(asked[1]["RequestItems"]["precip"]["Keys"], keys(&["b"]));
    assert_eq!(
        asked[1]["RequestItems"]["precip"]["ConsistentRead"],
        json!(false)
    );
    Ok(())
}

#[tokio::test]
async fn what_was_not_written_is_sent_again() -> StateResult<()> {
    let delete = json!({ "DeleteRequest": { "Key": { "pk": {"S": "P"}, "sk": {"S": "b"} } } });
    let (table, script) = table([
        (
            200,
            json!({ "UnprocessedItems": { "precip": [delete] }, "ConsumedCapacity": used(1.0) }),
        ),
        (200, json!({ "ConsumedCapacity": used(1.0) })),
    ]);
    let put = item(&key("a"), [("n", number(1))]);
    table.write_all(vec![put], vec![key("b")]).await?;
    let asked = script.asked.lock().unwrap();
    assert_eq!(
        asked[0]["RequestItems"]["precip"].as_array().unwrap().len(),
        2
    );
    assert_eq!(asked[1]["RequestItems"]["precip"], json!([delete]));
    assert_eq!(table.meter.total().write, 2.0);
    Ok(())
}

/// `TransactionConflict` says nothing of the conditions: the same is tried again.
#[tokio::test]
async fn a_transaction_in_conflict_is_made_again() -> StateResult<()> {
    let mut conflict = error("TransactionCanceledException");
    conflict["CancellationReasons"] =
        json!([{ "Code": "TransactionConflict" }, { "Code": "None" }]);
    let answer = (200, json!({ "ConsumedCapacity": used(4.0) }));
    let (table, script) = table([(400, conflict), answer]);
    let put = |sk| Op::Put(item(&key(sk), []), Guard::none());
    let done = table.transact(vec![put("a"), put("b")]).await?;
    assert_eq!(done, Transacted::Done);
    assert_eq!(script.asked.lock().unwrap().len(), 2);
    assert_eq!(table.meter.total().write, 4.0);
    Ok(())
}

#[tokio::test]
async fn a_refused_transaction_says_which_write_and_why() -> StateResult<()> {
    let mut canceled = error("TransactionCanceledException");
    canceled["CancellationReasons"] = json!([
        { "Code": "None" },
        { "Code": "ConditionalCheckFailed", "Item": { "n": { "N": "7" } } },
    ]);
    let (table, _) = table([(400, canceled)]);
    let put = |sk| Op::Put(item(&key(sk), []), Guard::when("attribute_not_exists(pk)"));
    let refused = table.transact(vec![put("a"), put("b")]).await?;
    let row = [("n".to_owned(), number(7))].into();
    assert_eq!(refused, Transacted::Refused(vec![None, Some(Some(row))]));
    assert_eq!(table.meter.total().refused, 2);
    Ok(())
}

#[tokio::test]
async fn a_write_in_conflict_with_a_transaction_is_made_again() -> StateResult<()> {
    let capacity = json!({ "TableName": "precip", "CapacityUnits": 1.0 });
    let (table, script) = table([
        (400, error("TransactionConflictException")),
        (200, json!({ "ConsumedCapacity": capacity })),
    ]);
    let put = Op::Put(item(&key("a"), []), Guard::none());
    assert_eq!(table.write(put).await?, Written::Done);
    assert_eq!(script.asked.lock().unwrap().len(), 2);
    Ok(())
}

#[tokio::test]
async fn errors_say_what_the_caller_has_to_do() {
    use StateErrorKind as K;
    for (status, code, kind) in [
        (400, "ProvisionedThroughputExceededException", K::Retry),
        (400, "ThrottlingException", K::Retry),
        (500, "InternalServerError", K::Retry),
        (400, "UnrecognizedClientException", K::Unavailable),
        (400, "AccessDeniedException", K::Unavailable),
        (400, "ResourceNotFoundException", K::Unavailable),
        (400, "ValidationException", K::Conflict),
    ] {
        let (table, _) = table([(status, error(code))]);
        let read = table.get(&key("a"), ReadConsistency::Strong).await;
        assert_eq!(read.unwrap_err().kind(), kind, "{code}");
    }
}
