//! Answers that no emulator gives: throttled, partly processed, in conflict.

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
        item::{build_item, number_value},
        keys::Key,
    },
    Guard, Op, Table, TransactOutcome, WriteOutcome,
};

/// An HTTP client that gives prepared answers and records the requests.
#[derive(Debug, Clone, Default)]
struct ScriptedHttp {
    answers: Arc<Mutex<VecDeque<(u16, Value)>>>,
    requests: Arc<Mutex<Vec<Value>>>,
}

impl HttpConnector for ScriptedHttp {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().unwrap_or_default();
        let sent = serde_json::from_slice(body).unwrap();
        self.requests.lock().unwrap().push(sent);
        let (status, body) = self.answers.lock().unwrap().pop_front().unwrap();
        let answer = HttpResponse::new(status.try_into().unwrap(), body.to_string().into());
        HttpConnectorFuture::ready(Ok(answer))
    }
}

impl HttpClient for ScriptedHttp {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

fn scripted_table(answers: impl IntoIterator<Item = (u16, Value)>) -> (Table, ScriptedHttp) {
    let script = ScriptedHttp::default();
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

fn row_key(sk: &str) -> Key {
    Key {
        pk: "P".to_owned(),
        sk: sk.to_owned(),
    }
}

fn keys_json(sks: &[&str]) -> Value {
    let keys = sks
        .iter()
        .map(|sk| json!({"pk": {"S": "P"}, "sk": {"S": sk}}));
    keys.collect()
}

fn consumed(units: f64) -> Value {
    json!([{ "TableName": "precip", "CapacityUnits": units }])
}

fn error_body(code: &str) -> Value {
    json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "no" })
}

#[tokio::test]
async fn unprocessed_keys_are_read_again() -> StateResult<()> {
    let left = json!({ "precip": { "Keys": keys_json(&["b"]) } });
    let (table, script) = scripted_table([
        (
            200,
            json!({ "Responses": { "precip": keys_json(&["a"]) }, "UnprocessedKeys": left,
                    "ConsumedCapacity": consumed(0.5) }),
        ),
        (
            200,
            json!({ "Responses": { "precip": keys_json(&["b"]) }, "ConsumedCapacity": consumed(0.5) }),
        ),
    ]);
    let read = table.get_many([row_key("a"), row_key("b")], ReadConsistency::Eventual);
    let rows = read.await?;
    assert!(rows.contains_key(&row_key("a")) && rows.contains_key(&row_key("b")));
    assert_eq!(table.meter.total().read, 1.0);
    let requests = script.requests.lock().unwrap();
    // The second request holds only the unprocessed part.
    assert_eq!(
        requests[1]["RequestItems"]["precip"]["Keys"],
        keys_json(&["b"])
    );
    assert_eq!(
        requests[1]["RequestItems"]["precip"]["ConsistentRead"],
        json!(false)
    );
    Ok(())
}

#[tokio::test]
async fn unprocessed_items_are_written_again() -> StateResult<()> {
    let delete = json!({ "DeleteRequest": { "Key": { "pk": {"S": "P"}, "sk": {"S": "b"} } } });
    let (table, script) = scripted_table([
        (
            200,
            json!({ "UnprocessedItems": { "precip": [delete] }, "ConsumedCapacity": consumed(1.0) }),
        ),
        (200, json!({ "ConsumedCapacity": consumed(1.0) })),
    ]);
    let put = build_item(&row_key("a"), [("n", number_value(1))]);
    table.write_all(vec![put], vec![row_key("b")]).await?;
    let requests = script.requests.lock().unwrap();
    assert_eq!(
        requests[0]["RequestItems"]["precip"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(requests[1]["RequestItems"]["precip"], json!([delete]));
    assert_eq!(table.meter.total().write, 2.0);
    Ok(())
}

/// `TransactionConflict` says nothing about the conditions: the transaction is repeated.
#[tokio::test]
async fn a_transaction_in_conflict_is_repeated() -> StateResult<()> {
    let mut conflict = error_body("TransactionCanceledException");
    conflict["CancellationReasons"] =
        json!([{ "Code": "TransactionConflict" }, { "Code": "None" }]);
    let answer = (200, json!({ "ConsumedCapacity": consumed(4.0) }));
    let (table, script) = scripted_table([(400, conflict), answer]);
    let put = |sk| Op::Put(build_item(&row_key(sk), []), Guard::unconditional());
    let done = table.transact_ops(vec![put("a"), put("b")]).await?;
    assert_eq!(done, TransactOutcome::Done);
    assert_eq!(script.requests.lock().unwrap().len(), 2);
    assert_eq!(table.meter.total().write, 4.0);
    Ok(())
}

#[tokio::test]
async fn a_refused_transaction_says_which_write_and_why() -> StateResult<()> {
    let mut canceled = error_body("TransactionCanceledException");
    canceled["CancellationReasons"] = json!([
    // The first write would have succeeded; the second names its current row.
        { "Code": "None" },
        { "Code": "ConditionalCheckFailed", "Item": { "n": { "N": "7" } } },
    ]);
    let (table, _) = scripted_table([(400, canceled)]);
    let put = |sk| {
        Op::Put(
            build_item(&row_key(sk), []),
            Guard::with_condition("attribute_not_exists(pk)"),
        )
    };
    let refused = table.transact_ops(vec![put("a"), put("b")]).await?;
    let row = [("n".to_owned(), number_value(7))].into();
    assert_eq!(
        refused,
        TransactOutcome::Refused(vec![None, Some(Some(row))])
    );
    assert_eq!(table.meter.total().refused, 2);
    Ok(())
}

#[tokio::test]
async fn a_write_in_conflict_with_a_transaction_is_repeated() -> StateResult<()> {
    let capacity = json!({ "TableName": "precip", "CapacityUnits": 1.0 });
    let (table, script) = scripted_table([
        (400, error_body("TransactionConflictException")),
        (200, json!({ "ConsumedCapacity": capacity })),
    ]);
    let put = Op::Put(build_item(&row_key("a"), []), Guard::unconditional());
    assert_eq!(table.write_op(put).await?, WriteOutcome::Done);
    assert_eq!(script.requests.lock().unwrap().len(), 2);
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
        let (table, _) = scripted_table([(status, error_body(code))]);
        // The error kind tells the caller to retry, to fix the setup, or to give up.
        let read = table.get_row(&row_key("a"), ReadConsistency::Strong).await;
        assert_eq!(read.unwrap_err().kind(), kind, "{code}");
    }
}
