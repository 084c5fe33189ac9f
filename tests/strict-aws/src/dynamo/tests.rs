use std::time::Duration;

use chrono::{DateTime, Utc};
use precip_simulator::{
    bill::{Bill, Unit},
    dynamo::{self, Limits},
    kernel::Kernel,
};
use serde_json::{Value as Json, json};

use super::{
    Dynamo, Failure, Moment, Table,
    error::Reason,
    value::{attributes_from_json, item_size},
};
use crate::faults::{FaultCounts, Faults};

/// A table `t`, its time and its bill.
struct Rig {
    kernel: Kernel,
    bill: Bill,
    dynamo: Dynamo,
    faults: Faults,
    rng: fastrand::Rng,
    counts: FaultCounts,
    transaction_time: Duration,
}

impl Rig {
    fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    fn with_limits(limits: Limits) -> Self {
        let (kernel, bill) = (Kernel::new(DateTime::UNIX_EPOCH), Bill::default());
        let mut dynamo = Dynamo::default();
        let throughput = dynamo::Table::new(kernel.time(), bill.clone(), limits);
        dynamo.tables.insert("t".to_owned(), Table::new(throughput));
        Self {
            kernel,
            bill,
            dynamo,
            faults: Faults::default(),
            rng: fastrand::Rng::with_seed(1),
            counts: FaultCounts::new(),
            transaction_time: Duration::ZERO,
        }
    }

    fn call(&mut self, operation: &str, body: Json) -> Result<Json, Failure> {
        let mut moment = Moment {
            now: self.kernel.time().elapsed(),
            faults: &self.faults,
            rng: &mut self.rng,
            counts: &mut self.counts,
            transaction_time: self.transaction_time,
        };
        self.dynamo.answer(operation, &body, &mut moment)
    }

    /// Makes a call on the table that returns its units, and returns the units.
    fn units(&mut self, operation: &str, mut body: Json) -> f64 {
        body["ReturnConsumedCapacity"] = json!("TOTAL");
        let answer = self.call(operation, body).unwrap();
        answer["ConsumedCapacity"]["CapacityUnits"]
            .as_f64()
            .unwrap()
    }

    fn put(&mut self, sk: &str, attributes: Json) {
        self.call("PutItem", put(sk, attributes)).unwrap();
    }

    fn get(&mut self, sk: &str) -> Option<Json> {
        let body = json!({"TableName": "t", "Key": key(sk), "ConsistentRead": true});
        self.call("GetItem", body).unwrap().get("Item").cloned()
    }

    fn pass(&mut self, time: Duration) {
        let sleep = self.kernel.time().sleep(time);
        self.kernel.run(sleep);
    }

    fn problem(&mut self, operation: &str, body: Json) -> String {
        match self.call(operation, body) {
            Err(Failure::Validation(message)) => message,
            other => panic!("{operation}: {other:?}"),
        }
    }
}

fn key(sk: &str) -> Json {
    json!({"pk": {"S": "p"}, "sk": {"S": sk}})
}

fn row(sk: &str, attributes: Json) -> Json {
    let mut item = key(sk);
    for (name, value) in attributes.as_object().unwrap() {
        item[name] = value.clone();
    }
    item
}

fn put(sk: &str, attributes: Json) -> Json {
    json!({"TableName": "t", "Item": row(sk, attributes)})
}

fn text(length: usize) -> Json {
    json!({"S": "x".repeat(length)})
}

fn update(sk: &str, expression: &str) -> Json {
    json!({"TableName": "t", "Key": key(sk), "UpdateExpression": expression})
}

// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html
#[test]
fn an_item_is_put_read_and_deleted() {
    let mut rig = Rig::new();
    rig.put(
        "a",
        json!({"n": {"N": "01.50"}, "b": {"B": "AAEC"}, "e": {"S": ""}}),
    );
    // Numbers come back trimmed; empty texts are allowed beside the keys.
    let expected = row(
        "a",
        json!({"n": {"N": "1.5"}, "b": {"B": "AAEC"}, "e": {"S": ""}}),
    );
    assert_eq!(rig.get("a"), Some(expected));
    rig.put("a", json!({"other": {"BOOL": true}}));
    assert_eq!(
        rig.get("a"),
        Some(row("a", json!({"other": {"BOOL": true}})))
    );
    let delete = json!({"TableName": "t", "Key": key("a")});
    rig.call("DeleteItem", delete.clone()).unwrap();
    assert_eq!(rig.get("a"), None);
    // Deleting what does not exist is no error.
    rig.call("DeleteItem", delete).unwrap();
}

// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html: an update creates
// the item, unless it only removes attributes.
#[test]
fn an_update_creates_the_item_unless_it_only_removes() {
    let mut rig = Rig::new();
    rig.call("UpdateItem", update("a", "REMOVE x")).unwrap();
    assert_eq!(rig.get("a"), None);
    let mut set = update("a", "SET x = :x REMOVE y");
    set["ExpressionAttributeValues"] = json!({":x": {"N": "1"}});
    rig.call("UpdateItem", set).unwrap();
    assert_eq!(rig.get("a"), Some(row("a", json!({"x": {"N": "1"}}))));
    rig.call("UpdateItem", update("a", "REMOVE x")).unwrap();
    assert_eq!(rig.get("a"), Some(key("a")));
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html: keys of up to 2,048
// and 1,024 bytes, none empty; https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
#[test]
fn keys_are_texts_of_a_limited_length() {
    let mut rig = Rig::new();
    let item = |pk: Json, sk: Json| json!({"TableName": "t", "Item": {"pk": pk, "sk": sk}});
    for (pk, sk, expected) in [
        (text(0), text(1), "empty string value. Key: pk"),
        (text(1), text(0), "empty string value. Key: sk"),
        (
            json!({"N": "1"}),
            text(1),
            "Type mismatch for key pk expected: S actual: N",
        ),
        (text(2049), text(1), "Size of hashkey"),
        (text(1), text(1025), "Size of rangekey"),
    ] {
        let problem = rig.problem("PutItem", item(pk, sk));
        assert!(problem.contains(expected), "{problem}");
    }
    rig.call("PutItem", item(text(2048), text(1024))).unwrap();
    let problem = rig.problem(
        "PutItem",
        json!({"TableName": "t", "Item": {"pk": text(1)}}),
    );
    assert!(problem.contains("Missing the key sk"), "{problem}");
    let get = json!({"TableName": "t", "Key": row("a", json!({"more": {"S": "x"}}))});
    let problem = rig.problem("GetItem", get);
    assert!(problem.contains("does not match the schema"), "{problem}");
    // Keys never change.
    let mut change = update("a", "SET sk = :x");
    change["ExpressionAttributeValues"] = json!({":x": {"S": "b"}});
    let problem = rig.problem("UpdateItem", change);
    assert!(problem.contains("Cannot update attribute sk"), "{problem}");
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
#[test]
fn the_size_of_an_item_is_that_of_its_names_and_values() {
    for (attributes, size) in [
        (json!({"ab": {"S": "ü"}}), 2 + 2),
        (json!({"a": {"N": "12"}}), 1 + 2),
        (json!({"a": {"N": "-1234567"}}), 1 + 6),
        (json!({"a": {"B": "AAEC"}}), 1 + 3),
        (json!({"a": {"BOOL": true}}), 1 + 1),
        (json!({"a": {"NULL": true}}), 1 + 1),
        (json!({"a": {"M": {"b": {"S": "c"}}}}), 1 + 3 + 1 + 2),
        (json!({"a": {"L": [{"S": "c"}, {"S": "d"}]}}), 1 + 3 + 4),
    ] {
        let item = attributes_from_json(&attributes, 1).unwrap();
        assert_eq!(item_size(&item), size, "{attributes}");
    }
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html: 400 KB with names.
#[test]
fn an_item_has_up_to_400_kb() {
    let mut rig = Rig::new();
    // The keys take 6 bytes and the attribute's name one.
    let largest = 400 * 1024 - 7;
    rig.put("a", json!({"x": text(largest)}));
    let problem = rig.problem("PutItem", put("b", json!({"x": text(largest + 1)})));
    assert!(problem.contains("Item size has exceeded"), "{problem}");
    let mut grow = update("a", "SET y = :y");
    grow["ExpressionAttributeValues"] = json!({":y": {"S": "y"}});
    let problem = rig.problem("UpdateItem", grow.clone());
    assert!(
        problem.contains("Item size to update has exceeded"),
        "{problem}"
    );
    // In a transaction it is the reason for its cancelation.
    rig.pass(Duration::from_secs(5));
    let grown = rig.call(
        "TransactWriteItems",
        json!({"TransactItems": [{"Update": grow}]}),
    );
    let Err(Failure::Canceled(reasons)) = grown else {
        panic!("{grown:?}");
    };
    assert!(matches!(&reasons[..], [Reason::Validation(message)] if message.contains("size")));
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
#[test]
fn units_are_counted_by_size_and_consistency() {
    let mut rig = Rig::new();
    assert_eq!(
        rig.units("PutItem", put("a", json!({"x": text(1017)}))),
        1.0
    );
    assert_eq!(
        rig.units("PutItem", put("b", json!({"x": text(1018)}))),
        2.0
    );
    assert_eq!(
        rig.units("PutItem", put("c", json!({"x": text(4090)}))),
        5.0
    );
    // The larger of the item before and after counts.
    assert_eq!(rig.units("PutItem", put("c", json!({}))), 5.0);
    assert_eq!(rig.units("UpdateItem", update("b", "REMOVE x")), 2.0);
    assert_eq!(
        rig.units("DeleteItem", json!({"TableName": "t", "Key": key("none")})),
        1.0
    );
    rig.put("c", json!({"x": text(4090)}));
    for (sk, consistent, units) in [
        ("a", true, 1.0),
        ("a", false, 0.5),
        ("c", true, 2.0),
        ("none", true, 1.0),
        ("none", false, 0.5),
    ] {
        let get = json!({"TableName": "t", "Key": key(sk), "ConsistentRead": consistent});
        assert_eq!(rig.units("GetItem", get), units, "{sk}");
    }
    // A query counts the bytes of all rows together; a batch of reads each row by itself.
    let query = json!({"TableName": "t", "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":p": {"S": "p"}}});
    assert_eq!(rig.units("Query", query), 1.0);
    let batch = json!({"RequestItems": {"t": {"Keys": [key("a"), key("b"), key("c")]}},
        "ReturnConsumedCapacity": "TOTAL"});
    let answer = rig.call("BatchGetItem", batch).unwrap();
    assert_eq!(
        answer["ConsumedCapacity"],
        json!([{"TableName": "t", "CapacityUnits": 2.0}])
    );
    // A transaction takes twice as much.
    let transaction = json!({"TransactItems": [{"Put": put("d", json!({}))},
        {"Delete": {"TableName": "t", "Key": key("c")}}], "ReturnConsumedCapacity": "TOTAL"});
    let answer = rig.call("TransactWriteItems", transaction).unwrap();
    let units = answer["ConsumedCapacity"][0]["CapacityUnits"].as_f64();
    assert_eq!(units, Some(2.0 * (1.0 + 5.0)));
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html#WorkingWithItems.ConditionalUpdate:
// a condition that does not hold consumes units by the size of the existing item.
#[test]
fn a_refused_write_is_charged_and_returns_the_item_if_asked() {
    let mut rig = Rig::new();
    rig.put("a", json!({"x": text(3000)}));
    let before = rig.bill.amount(Unit::DynamoDbWrite);
    let mut refused = put("a", json!({}));
    refused["ConditionExpression"] = json!("attribute_not_exists(pk)");
    assert_eq!(
        rig.call("PutItem", refused.clone()),
        Err(Failure::Condition(None))
    );
    assert_eq!(rig.bill.amount(Unit::DynamoDbWrite) - before, 3.0);
    // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html
    refused["ReturnValuesOnConditionCheckFailure"] = json!("ALL_OLD");
    let failure = rig.call("PutItem", refused).unwrap_err();
    let (status, body) = failure.to_answer();
    assert_eq!((status, &body["Item"]["x"]), (400, &text(3000)));
    let name = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
    assert_eq!(body["__type"], name);
    assert!(!failure.is_mistake());
}

fn query(extra: Json) -> Json {
    let mut query = json!({"TableName": "t", "KeyConditionExpression": "pk = :p AND begins_with(sk, :s)",
        "ExpressionAttributeValues": {":p": {"S": "p"}, ":s": {"S": "row"}}, "ConsistentRead": true});
    for (name, value) in extra.as_object().unwrap() {
        query[name] = value.clone();
    }
    query
}

fn sort_keys(answer: &Json) -> Vec<String> {
    let items = answer["Items"].as_array().unwrap();
    let key = |item: &Json| item["sk"]["S"].as_str().unwrap().to_owned();
    items.iter().map(key).collect()
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html
#[test]
fn a_query_reads_pages_in_the_order_of_bytes() {
    let mut rig = Rig::new();
    for sk in ["row-b", "row-a", "row-ü", "row-Z", "other"] {
        rig.put(sk, json!({"n": {"N": "1"}}));
    }
    let all = rig.call("Query", query(json!({}))).unwrap();
    assert_eq!(sort_keys(&all), ["row-Z", "row-a", "row-b", "row-ü"]);
    assert!(all.get("LastEvaluatedKey").is_none());
    let newest = json!({"ScanIndexForward": false, "Limit": 2});
    let first = rig.call("Query", query(newest)).unwrap();
    assert_eq!(sort_keys(&first), ["row-ü", "row-b"]);
    assert_eq!(first["LastEvaluatedKey"], key("row-b"));
    let rest = json!({"ScanIndexForward": false, "Limit": 2, "ExclusiveStartKey": key("row-b")});
    let rest = rig.call("Query", query(rest)).unwrap();
    assert_eq!(sort_keys(&rest), ["row-a", "row-Z"]);
    // A page that the limit ends has a key, even if nothing follows.
    assert_eq!(rest["LastEvaluatedKey"], key("row-Z"));
    let after = json!({"ScanIndexForward": false, "ExclusiveStartKey": key("row-Z")});
    let last = rig.call("Query", query(after)).unwrap();
    assert_eq!(
        (last["Count"].as_u64(), last.get("LastEvaluatedKey")),
        (Some(0), None)
    );
}

// The same page: a page ends at 1 MB. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.FilterExpression.html:
// a filter is applied after the page was read, and consumes the same units.
#[test]
fn a_page_has_a_megabyte_before_its_filter() {
    let mut rig = Rig::new();
    for number in 0..8 {
        rig.put(
            &format!("row-{number}"),
            json!({"x": text(300_000), "n": {"N": number.to_string()}}),
        );
        rig.pass(Duration::from_secs(1));
    }
    let filter = json!({"FilterExpression": "n > :n", "ReturnConsumedCapacity": "TOTAL",
        "ExpressionAttributeValues": {":p": {"S": "p"}, ":s": {"S": "row"}, ":n": {"N": "5"}}});
    let page = rig.call("Query", query(filter)).unwrap();
    // Nothing passes the filter, and there is more to read.
    assert_eq!(
        (page["Count"].as_u64(), page["ScannedCount"].as_u64()),
        (Some(0), Some(4))
    );
    assert_eq!(page["LastEvaluatedKey"], key("row-3"));
    assert_eq!(
        page["ConsumedCapacity"]["CapacityUnits"].as_f64(),
        Some(293.0)
    );
}

// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
#[test]
fn wrong_queries_are_refused() {
    let mut rig = Rig::new();
    let values = json!({":p": {"S": "p"}, ":s": {"S": "row"}, ":n": {"S": "x"}});
    for (extra, expected) in [
        (
            json!({"ExclusiveStartKey": key("other")}),
            "outside query boundaries",
        ),
        (
            json!({"ExclusiveStartKey": {"pk": {"S": "q"}, "sk": {"S": "row"}}}),
            "outside query boundaries",
        ),
        (json!({"Limit": 0}), "greater than or equal to 1"),
        (
            json!({"FilterExpression": "sk = :n", "ExpressionAttributeValues": values}),
            "only contain non-primary key attributes",
        ),
        (json!({"ReturnConsumedCapacity": "ALL"}), "enum value set"),
        (
            json!({"ExpressionAttributeValues": values}),
            "unused in expressions: keys: {:n}",
        ),
    ] {
        let problem = rig.problem("Query", query(extra));
        assert!(problem.contains(expected), "{problem}");
    }
}

fn transact(items: Vec<Json>) -> Json {
    json!({"TransactItems": items})
}

// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
#[test]
fn a_transaction_is_made_as_a_whole_or_not_at_all() {
    let mut rig = Rig::new();
    rig.put("a", json!({"n": {"N": "1"}}));
    let mut refused = put("a", json!({}));
    refused["ConditionExpression"] = json!("attribute_not_exists(pk)");
    refused["ReturnValuesOnConditionCheckFailure"] = json!("ALL_OLD");
    let before = rig.bill.amount(Unit::DynamoDbWrite);
    let items = vec![json!({"Put": put("b", json!({}))}), json!({"Put": refused})];
    let failure = rig.call("TransactWriteItems", transact(items)).unwrap_err();
    let (_, body) = failure.to_answer();
    assert_eq!(body["CancellationReasons"][0], json!({"Code": "None"}));
    assert_eq!(
        body["CancellationReasons"][1]["Code"],
        "ConditionalCheckFailed"
    );
    assert_eq!(
        body["CancellationReasons"][1]["Item"]["n"],
        json!({"N": "1"})
    );
    let message = body["message"].as_str().unwrap();
    assert!(
        message.contains("[None, ConditionalCheckFailed]"),
        "{message}"
    );
    assert_eq!(rig.get("b"), None);
    assert_eq!(rig.bill.amount(Unit::DynamoDbWrite) - before, 4.0);
    // All conditions see the table as it was before.
    let mut check = json!({"TableName": "t", "Key": key("a"), "ConditionExpression": "n = :n"});
    check["ExpressionAttributeValues"] = json!({":n": {"N": "1"}});
    let items = vec![
        json!({"Put": put("b", json!({}))}),
        json!({"ConditionCheck": check}),
    ];
    rig.call("TransactWriteItems", transact(items)).unwrap();
    assert_eq!(rig.get("b"), Some(key("b")));
    assert_eq!(rig.get("a"), Some(row("a", json!({"n": {"N": "1"}}))));
}

// The same page: 1 to 100 actions, one for an item, 4 MB together, one kind for each.
#[test]
fn transactions_have_limits() {
    let mut rig = Rig::new();
    let puts = |count: usize| -> Vec<Json> {
        (0..count)
            .map(|n| json!({"Put": put(&n.to_string(), json!({}))}))
            .collect()
    };
    rig.call("TransactWriteItems", transact(puts(100))).unwrap();
    let large: Vec<Json> = (0..11)
        .map(|n| json!({"Put": put(&n.to_string(), json!({"x": text(400_000)}))}))
        .collect();
    let delete = json!({"Delete": {"TableName": "t", "Key": key("0")}});
    for (items, expected) in [
        (vec![], "length less than or equal to 100"),
        (puts(101), "length less than or equal to 100"),
        (
            [puts(1), vec![delete]].concat(),
            "multiple operations on one item",
        ),
        (large, "exceeds 4 MB"),
        (vec![json!({})], "only contain one of"),
        (
            vec![json!({"ConditionCheck": {"TableName": "t", "Key": key("0")}})],
            "ConditionExpression",
        ),
    ] {
        let problem = rig.problem("TransactWriteItems", transact(items));
        assert!(problem.contains(expected), "{problem}");
    }
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html: a token makes
// the call idempotent for 10 minutes.
#[test]
fn a_repeated_token_has_no_second_effect() {
    let mut rig = Rig::new();
    let add = || {
        let mut add = update("a", "SET n = if_not_exists(n, :zero) + :one");
        add["ExpressionAttributeValues"] = json!({":zero": {"N": "0"}, ":one": {"N": "1"}});
        let mut body = transact(vec![json!({"Update": add})]);
        body["ClientRequestToken"] = json!("token");
        body
    };
    for _ in 0..3 {
        rig.call("TransactWriteItems", add()).unwrap();
    }
    assert_eq!(rig.get("a"), Some(row("a", json!({"n": {"N": "1"}}))));
    // Repetitions read the item instead, at twice the units.
    assert_eq!(rig.bill.amount(Unit::DynamoDbRead), 2.0 * 2.0 + 1.0);
    let mut other = transact(vec![json!({"Put": put("b", json!({}))})]);
    other["ClientRequestToken"] = json!("token");
    assert_eq!(
        rig.call("TransactWriteItems", other),
        Err(Failure::TokenMismatch)
    );
    rig.pass(Duration::from_secs(600));
    rig.call("TransactWriteItems", add()).unwrap();
    assert_eq!(rig.get("a"), Some(row("a", json!({"n": {"N": "2"}}))));
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
#[test]
fn a_write_during_a_transaction_is_in_conflict() {
    let mut rig = Rig::new();
    rig.transaction_time = Duration::from_millis(5);
    let items = || transact(vec![json!({"Put": put("a", json!({}))})]);
    rig.call("TransactWriteItems", items()).unwrap();
    let other = rig.call("PutItem", put("a", json!({})));
    assert_eq!(other, Err(Failure::TransactionConflict));
    let again = rig.call("TransactWriteItems", items());
    assert_eq!(again, Err(Failure::Canceled(vec![Reason::Conflict])));
    rig.put("b", json!({}));
    rig.pass(Duration::from_millis(5));
    rig.put("a", json!({}));
}

// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html and
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
#[test]
fn batches_have_limits() {
    let mut rig = Rig::new();
    let writes = |count: usize| -> Json {
        let put = |n: usize| json!({"PutRequest": {"Item": key(&n.to_string())}});
        let puts: Vec<Json> = (0..count).map(put).collect();
        json!({"RequestItems": {"t": puts}})
    };
    rig.call("BatchWriteItem", writes(25)).unwrap();
    let problem = rig.problem("BatchWriteItem", writes(26));
    assert!(problem.contains("less than or equal to 25"), "{problem}");
    let twice = json!({"RequestItems": {"t": [{"PutRequest": {"Item": key("a")}},
        {"DeleteRequest": {"Key": key("a")}}]}});
    let problem = rig.problem("BatchWriteItem", twice);
    assert!(problem.contains("contains duplicates"), "{problem}");
    let reads = |count: usize| {
        let keys: Vec<Json> = (0..count).map(|n| key(&n.to_string())).collect();
        json!({"RequestItems": {"t": {"Keys": keys}}})
    };
    let read = rig.call("BatchGetItem", reads(100)).unwrap();
    assert_eq!(read["Responses"]["t"].as_array().unwrap().len(), 25);
    let problem = rig.problem("BatchGetItem", reads(101));
    assert!(problem.contains("Too many items requested"), "{problem}");
    let twice = json!({"RequestItems": {"t": {"Keys": [key("a"), key("a")]}}});
    let problem = rig.problem("BatchGetItem", twice);
    assert!(problem.contains("contains duplicates"), "{problem}");
}

// The same pages: what is throttled, and what exceeds 16 MB of an answer, comes back unprocessed; the
// call fails if nothing was processed.
#[test]
fn parts_of_batches_come_back_unprocessed() {
    let mut rig = Rig::new();
    for n in 0..50 {
        rig.put(&n.to_string(), json!({"x": text(390_000)}));
        rig.pass(Duration::from_secs(1));
    }
    let keys: Vec<Json> = (0..50).map(|n| key(&n.to_string())).collect();
    let get = json!({"RequestItems": {"t": {"Keys": keys, "ConsistentRead": false}}});
    let read = rig.call("BatchGetItem", get).unwrap();
    let found = read["Responses"]["t"].as_array().unwrap().len();
    let left = &read["UnprocessedKeys"]["t"];
    assert_eq!((found, left["Keys"].as_array().unwrap().len()), (43, 7));
    assert_eq!(left["ConsistentRead"], json!(false));
    rig.faults.unprocessed = 0.5;
    let puts: Vec<Json> = (0..20)
        .map(|n| json!({"PutRequest": {"Item": key(&format!("new-{n}"))}}))
        .collect();
    let written = rig
        .call("BatchWriteItem", json!({"RequestItems": {"t": puts}}))
        .unwrap();
    let left = written["UnprocessedItems"]["t"].as_array().unwrap();
    assert!((5..15).contains(&left.len()), "{left:?}");
    for put in left {
        let sk = put["PutRequest"]["Item"]["sk"]["S"].as_str().unwrap();
        assert_eq!(rig.get(sk), None);
    }
    rig.faults.unprocessed = 1.0;
    let one = json!({"RequestItems": {"t": [{"PutRequest": {"Item": key("one")}}]}});
    assert_eq!(rig.call("BatchWriteItem", one), Err(Failure::KeyThroughput));
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html and
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
#[test]
fn throughput_is_limited_by_table_and_by_key() {
    let mut rig = Rig::new();
    let one = |rig: &mut Rig| rig.call("PutItem", put("a", json!({"x": text(90_000)})));
    let mut taken = 0;
    let failure = loop {
        match one(&mut rig) {
            Ok(_) => taken += 1,
            Err(failure) => break failure,
        }
    };
    assert_eq!((taken, &failure), (11, &Failure::KeyThroughput));
    assert_eq!(failure.code(), "ProvisionedThroughputExceededException");
    let transaction = rig.call(
        "TransactWriteItems",
        transact(vec![json!({"Put": put("b", json!({"x": text(90_000)}))})]),
    );
    assert_eq!(
        transaction,
        Err(Failure::Canceled(vec![Reason::KeyThroughput]))
    );
    let mut rig = Rig::with_limits(Limits {
        first_writes: 50.0,
        ..Limits::default()
    });
    let failure = one(&mut rig).unwrap_err();
    assert_eq!(
        (failure.code(), failure.to_answer().0),
        ("ThrottlingException", 400)
    );
    assert_eq!(rig.bill.amount(Unit::DynamoDbWrite), 0.0);
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html
#[test]
fn an_eventually_consistent_read_may_see_an_earlier_state() {
    let mut rig = Rig::new();
    rig.faults.stale_reads = 1.0;
    let read = |rig: &mut Rig, consistent: bool| {
        let get = json!({"TableName": "t", "Key": key("a"), "ConsistentRead": consistent});
        let answer = rig.call("GetItem", get).unwrap();
        answer["Item"]["n"]["N"].as_str().map(str::to_owned)
    };
    for n in 1..=2 {
        rig.put("a", json!({"n": {"N": n.to_string()}}));
    }
    let seen: std::collections::BTreeSet<_> = (0..50).map(|_| read(&mut rig, false)).collect();
    let versions = [None, Some("1".to_owned()), Some("2".to_owned())];
    assert_eq!(seen, versions.into());
    assert!((0..50).all(|_| read(&mut rig, true).as_deref() == Some("2")));
    // A deleted item may still be listed; a second later all replicas agree.
    rig.call("DeleteItem", json!({"TableName": "t", "Key": key("a")}))
        .unwrap();
    let list = |rig: &mut Rig| {
        let query = json!({"TableName": "t", "KeyConditionExpression": "pk = :p",
            "ExpressionAttributeValues": {":p": {"S": "p"}}});
        rig.call("Query", query).unwrap()["Count"].as_u64()
    };
    assert!((0..50).any(|_| list(&mut rig) == Some(1)));
    rig.pass(Duration::from_millis(1_001));
    assert!((0..50).all(|_| list(&mut rig) == Some(0)));
    assert!((0..50).all(|_| read(&mut rig, false).is_none()));
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
#[test]
fn the_stream_has_each_change_once_and_in_order() {
    let mut rig = Rig::new();
    rig.put("a", json!({"n": {"N": "1"}}));
    // A write that changes nothing is no change.
    rig.put("a", json!({"n": {"N": "1.0"}}));
    rig.put("a", json!({"n": {"N": "2"}}));
    rig.call("DeleteItem", json!({"TableName": "t", "Key": key("a")}))
        .unwrap();
    rig.call("DeleteItem", json!({"TableName": "t", "Key": key("a")}))
        .unwrap();
    let records = rig.dynamo.tables["t"].stream_from(0);
    let records: Vec<Json> = records
        .iter()
        .map(|record| record.to_json(DateTime::UNIX_EPOCH))
        .collect();
    let names: Vec<_> = records
        .iter()
        .map(|record| record["eventName"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["INSERT", "MODIFY", "REMOVE"]);
    let change = &records[1]["dynamodb"];
    assert_eq!(
        (&change["OldImage"]["n"], &change["NewImage"]["n"]),
        (&json!({"N": "1"}), &json!({"N": "2"}))
    );
    assert_eq!(change["Keys"], key("a"));
    assert!(records[2]["dynamodb"].get("NewImage").is_none());
    assert!(records[2].get("userIdentity").is_none());
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html and
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
#[test]
fn expired_items_are_deleted_later_and_for_free() {
    let mut rig = Rig::new();
    let now: i64 = 10 * 365 * 24 * 60 * 60;
    for (sk, expiry) in [
        ("expired", json!({"N": (now - 1).to_string()})),
        ("valid", json!({"N": (now + 1).to_string()})),
        ("ancient", json!({"N": "1000"})),
        ("text", json!({"S": "1000"})),
    ] {
        rig.put(sk, json!({"ttl": expiry}));
    }
    // Until it is deleted an expired item is read as any other.
    assert!(rig.get("expired").is_some());
    let before = rig.bill.amount(Unit::DynamoDbWrite);
    let table = rig.dynamo.tables.get_mut("t").unwrap();
    assert_eq!(table.expire(Duration::ZERO, now), 1);
    let last = table.stream_from(4)[0].to_json(DateTime::<Utc>::UNIX_EPOCH);
    assert_eq!(
        last["userIdentity"]["principalId"],
        "dynamodb.amazonaws.com"
    );
    assert_eq!(last["dynamodb"]["Keys"], key("expired"));
    assert_eq!(rig.bill.amount(Unit::DynamoDbWrite), before);
    assert!(rig.get("expired").is_none() && rig.get("ancient").is_some());
}

#[test]
fn a_missing_table_is_named_by_its_code() {
    let mut rig = Rig::new();
    let get = json!({"TableName": "nowhere", "Key": key("a")});
    let failure = rig.call("GetItem", get).unwrap_err();
    assert_eq!(failure.code(), "ResourceNotFoundException");
    assert!(failure.is_mistake());
}

#[test]
#[should_panic(expected = "does not know the call Scan of DynamoDB")]
fn an_unknown_call_panics() {
    let _ = Rig::new().call("Scan", json!({"TableName": "t"}));
}

#[test]
#[should_panic(expected = "does not know the parameter Expected of PutItem")]
fn an_unknown_parameter_panics() {
    let mut body = put("a", json!({}));
    body["Expected"] = json!({});
    let _ = Rig::new().call("PutItem", body);
}
