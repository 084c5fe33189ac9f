use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{
    Kind, Placeholders, Update, parse_condition, parse_key_condition, parse_projection,
    parse_update,
};
use crate::dynamo::{
    error::Failure,
    value::{Attributes, attributes_from_json, item_to_json},
};

fn item() -> Attributes {
    let json = json!({
        "pk": {"S": "a"}, "sk": {"S": "b"}, "n": {"N": "5"}, "txt": {"S": "abcdef"},
        "slots": {"M": {"one": {"N": "1"}, "two": {"N": "2"}}},
        "parts": {"L": [{"S": "x"}, {"S": "y"}]}, "flag": {"BOOL": true}, "empty": {"NULL": true},
        "octets": {"B": "AAEC"},
    });
    attributes_from_json(&json, 1).unwrap()
}

fn placeholders(names: &[(&str, &str)], values: &[(&str, Json)]) -> Placeholders {
    let names: BTreeMap<_, _> = names.iter().copied().collect();
    let values: BTreeMap<_, _> = values.iter().cloned().collect();
    let given = |json: Json| (json != json!({})).then_some(json);
    let (names, values) = (given(json!(names)), given(json!(values)));
    Placeholders::from_json(names.as_ref(), values.as_ref(), true).unwrap()
}

fn values() -> Placeholders {
    placeholders(
        &[("#s", "slots"), ("#one", "one"), ("#size", "size")],
        &[
            (":five", json!({"N": "5.0"})),
            (":nine", json!({"N": "9"})),
            (":text", json!({"S": "abc"})),
            (":flag", json!({"BOOL": true})),
            (":map", json!({"M": {}})),
            (":raw", json!({"B": "AAE="})),
            (":kind", json!({"S": "M"})),
            (":x", json!({"S": "x"})),
        ],
    )
}

fn holds(text: &str) -> bool {
    let condition = parse_condition(Kind::Condition, text, &values());
    condition.unwrap().holds(&item())
}

fn problem<T>(result: Result<T, Failure>) -> String {
    match result.map(|_| ()).unwrap_err() {
        Failure::Validation(message) => message,
        other => panic!("{other:?}"),
    }
}

fn condition_problem(text: &str) -> String {
    problem(parse_condition(Kind::Condition, text, &values()))
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
#[test]
fn conditions_compare_values_of_one_type() {
    for text in [
        "n = :five",
        "n < :nine",
        "n <= :five AND n >= :five",
        "n <> :nine",
        "n BETWEEN :five AND :nine",
        "n IN (:nine, :five)",
        "txt > :text",
        "octets > :raw",
        "slots.#one < n",
        "size(slots) < :five",
        "size(parts) < :five",
        "size(octets) < :five",
        "size(txt) > :five",
        "begins_with(txt, :text)",
        "contains(txt, :text)",
        "contains(parts, :x)",
        "attribute_exists(slots.#one)",
        "attribute_exists(parts[1])",
        "attribute_not_exists(parts[2])",
        "attribute_type(slots, :kind)",
        "flag = :flag",
        "NOT n = :nine",
    ] {
        assert!(holds(text), "{text}");
    }
    for text in [
        // Values of different types are in no order, and unequal.
        "n < :text",
        "n = :text",
        // A missing attribute compares with nothing, but is unequal to all.
        "absent = :five",
        "absent < :five",
        "size(absent) < :five",
        "size(n) < :nine",
        "begins_with(absent, :text)",
        "attribute_exists(slots.three)",
    ] {
        assert!(!holds(text), "{text}");
    }
    assert!(holds("absent <> :five"));
}

// The same page, "Condition expression evaluation": NOT before AND before OR.
#[test]
fn not_binds_more_than_and_and_that_more_than_or() {
    assert!(holds("n = :five OR n = :nine AND n = :nine"));
    assert!(!holds("(n = :five OR n = :nine) AND n = :nine"));
    assert!(!holds("NOT n = :five AND n = :nine OR n = :nine"));
    assert!(holds("n = :nine or not n = :nine and n = :five"));
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
#[test]
fn reserved_words_are_no_names() {
    for word in ["limit", "Status", "TTL", "size", "data", "until", "key"] {
        let problem = condition_problem(&format!("{word} = :five"));
        assert!(
            problem.contains(&format!("reserved keyword: {word}")),
            "{problem}"
        );
    }
    assert!(!holds("#size = :five"), "a placeholder may stand for one");
    // The names that the state store uses.
    for name in [
        "pk", "sk", "run", "attempt", "q", "m", "o", "rev", "present", "lim", "cur",
    ] {
        let text = format!("attribute_not_exists({name}.x)");
        assert!(
            parse_condition(Kind::Condition, &text, &values()).is_ok(),
            "{name}"
        );
    }
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ExpressionAttributeNames.html
#[test]
fn placeholders_are_defined_and_used() {
    let one = || placeholders(&[("#a", "a")], &[(":v", json!({"N": "1"}))]);
    let given = one();
    parse_condition(Kind::Condition, "#a = :v", &given).unwrap();
    assert_eq!(given.check_all_used(), Ok(()));
    let given = one();
    parse_condition(Kind::Condition, "a = :v", &given).unwrap();
    let unused = problem(given.check_all_used());
    assert!(
        unused.contains("ExpressionAttributeNames unused in expressions: keys: {#a}"),
        "{unused}"
    );
    let given = one();
    parse_condition(Kind::Condition, "attribute_exists(#a)", &given).unwrap();
    let unused = problem(given.check_all_used());
    assert!(
        unused.contains("ExpressionAttributeValues unused in expressions: keys: {:v}"),
        "{unused}"
    );
    let undefined = problem(parse_condition(Kind::Condition, "#b = :v", &one()));
    assert!(
        undefined.contains("not defined; attribute name: #b"),
        "{undefined}"
    );
    let undefined = problem(parse_condition(Kind::Condition, "#a = :w", &one()));
    assert!(
        undefined.contains("not defined; attribute value: :w"),
        "{undefined}"
    );
    for (names, values, expected) in [
        (
            json!({}),
            json!(null),
            "ExpressionAttributeNames must not be empty",
        ),
        (
            json!(null),
            json!({}),
            "ExpressionAttributeValues must not be empty",
        ),
        (json!({"a": "a"}), json!(null), "invalid key"),
        (json!({"#": "a"}), json!(null), "invalid key"),
        (json!({"#a-b": "a"}), json!(null), "invalid key"),
        (json!(null), json!({"v": {"N": "1"}}), "invalid key"),
    ] {
        let given = |json: &Json| (!json.is_null()).then(|| json.clone());
        let (names, values) = (given(&names), given(&values));
        let problem = problem(Placeholders::from_json(
            names.as_ref(),
            values.as_ref(),
            true,
        ));
        assert!(problem.contains(expected), "{problem}");
    }
    let none = problem(Placeholders::from_json(
        Some(&json!({"#a": "a"})),
        None,
        false,
    ));
    assert!(
        none.contains("only be specified when using expressions"),
        "{none}"
    );
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html:
// the syntax of operators and functions, and the types that they take.
#[test]
fn malformed_conditions_are_refused() {
    for (text, expected) in [
        ("", "can not be empty"),
        ("n", "Syntax error"),
        ("n = ", "Syntax error"),
        ("n == :five", "Syntax error"),
        ("n = :five :nine", "Syntax error"),
        ("(n = :five", "Syntax error"),
        ("n = :five AND", "Syntax error"),
        ("n = 5", "Syntax error"),
        ("n = 'text'", "Syntax error"),
        ("n BETWEEN :five", "Syntax error"),
        ("begins_with(txt)", "Syntax error"),
        ("starts_with(txt, :text)", "Invalid function name"),
        ("attribute_exists(:five)", "requires a document path"),
        ("begins_with(txt, :five)", "Incorrect operand type"),
        ("n < :map", "Incorrect operand type"),
        ("n < :flag", "Incorrect operand type"),
        ("n = n", "must be distinct"),
        ("n BETWEEN :nine AND :five", "upper bound"),
        ("((n = :five))", "redundant parentheses"),
        ("attribute_type(n, :text)", "Invalid attribute type name"),
    ] {
        let problem = condition_problem(text);
        assert!(problem.contains(expected), "{text}: {problem}");
    }
    // Parentheses that group nothing further are allowed.
    assert!(holds("(n = :five)"));
    assert!(holds("((n = :five) AND (n <> :nine))"));
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html:
// 4 KB, 300 operators and functions, 100 operands of IN, 255 bytes of a placeholder.
#[test]
fn expressions_have_limits() {
    let joined = |count: usize, part: &str| vec![part; count].join(" AND ");
    let text = joined(150, "n = :nine");
    assert!(
        parse_condition(Kind::Condition, &text, &values()).is_ok(),
        "299 operators"
    );
    let problem = condition_problem(&joined(151, "n = :nine"));
    assert!(problem.contains("too many operators"), "{problem}");
    let problem = condition_problem(&format!("n = :nine{}", " ".repeat(4096)));
    assert!(
        problem.contains("exceeded the maximum allowed size"),
        "{problem}"
    );
    let operands = vec![":nine"; 101].join(", ");
    let problem = condition_problem(&format!("n IN ({operands})"));
    assert!(problem.contains("number of operands: 102"), "{problem}");
    let long = format!("#{}", "a".repeat(255));
    let names = json!({long: "a"});
    assert!(Placeholders::from_json(Some(&names), None, true).is_err());
}

fn updated(text: &str, item: &Attributes) -> Result<Json, Failure> {
    let update: Update = parse_update(text, &values())?;
    Ok(item_to_json(&update.apply(item)?))
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
#[test]
fn updates_set_and_remove() {
    let before = item();
    let after = updated(
        "SET n = n + :nine, m = if_not_exists(m, :five), twin = n, slots.three = :x REMOVE txt, slots.#one",
        &before,
    );
    let after = after.unwrap();
    assert_eq!(after["n"], json!({"N": "14"}));
    assert_eq!(after["m"], json!({"N": "5"}));
    // Every action sees the item as it was before the update.
    assert_eq!(after["twin"], json!({"N": "5"}));
    assert_eq!(
        after["slots"],
        json!({"M": {"three": {"S": "x"}, "two": {"N": "2"}}})
    );
    assert!(after.get("txt").is_none());
    let after = updated("REMOVE absent, parts[0] SET n = n - :five", &before).unwrap();
    assert_eq!(after["parts"], json!({"L": [{"S": "y"}]}));
    assert_eq!(after["n"], json!({"N": "0"}));
    let after = updated("SET parts[7] = :x", &before).unwrap();
    assert_eq!(
        after["parts"],
        json!({"L": [{"S": "x"}, {"S": "y"}, {"S": "x"}]})
    );
}

// The same page, and the reasons of
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html.
#[test]
fn malformed_updates_are_refused() {
    for (text, expected) in [
        ("", "can not be empty"),
        ("n = :five", "Syntax error"),
        ("SET n", "Syntax error"),
        ("SET n = :five SET m = :five", "can only be used once"),
        ("SET n = :five, n = :nine", "paths overlap"),
        ("SET slots = :map REMOVE slots.#one", "paths overlap"),
        (
            "SET n = absent",
            "refers to an attribute that does not exist",
        ),
        (
            "SET absent.x = :five",
            "document path provided in the update expression is invalid",
        ),
        (
            "SET n.x = :five",
            "document path provided in the update expression is invalid",
        ),
        (
            "REMOVE absent.x",
            "document path provided in the update expression is invalid",
        ),
        ("SET n = txt + :five", "incorrect data type"),
        ("SET n = nope(n)", "Invalid function name"),
    ] {
        let problem = problem(updated(text, &item()));
        assert!(problem.contains(expected), "{text}: {problem}");
    }
}

#[test]
#[should_panic(expected = "does not know the actions ADD and DELETE")]
fn an_unknown_action_panics() {
    let _ = parse_update("ADD n :five", &values());
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.KeyConditionExpressions.html
#[test]
fn key_conditions_name_the_partition_key_and_a_range() {
    for text in [
        "pk = :text",
        "pk = :text AND sk = :x",
        "sk <= :x AND pk = :text",
        "pk = :text AND sk BETWEEN :text AND :x",
        "pk = :text AND begins_with(sk, :x)",
    ] {
        assert!(parse_key_condition(text, &values()).is_ok(), "{text}");
    }
    let empty = placeholders(
        &[],
        &[(":text", json!({"S": "a"})), (":e", json!({"S": ""}))],
    );
    for (text, expected) in [
        ("sk = :x", "missed key schema element: pk"),
        ("pk = :text AND n = :x", "missed key schema element"),
        ("pk > :text", "key condition not supported"),
        ("begins_with(pk, :text)", "key condition not supported"),
        ("pk = :text OR sk = :x", "Invalid operator"),
        ("pk = :text AND sk <> :x", "Invalid operator"),
        ("pk = :text AND attribute_exists(sk)", "Invalid operator"),
        ("pk = :five", "type does not match schema type"),
    ] {
        let problem = problem(parse_key_condition(text, &values()));
        assert!(problem.contains(expected), "{text}: {problem}");
    }
    let problem = problem(parse_key_condition(
        "pk = :text AND begins_with(sk, :e)",
        &empty,
    ));
    assert!(problem.contains("empty string value. Key: sk"), "{problem}");
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ProjectionExpressions.html
#[test]
fn projections_name_distinct_paths() {
    assert_eq!(
        parse_projection("pk, #s.#one, n", &values()).unwrap().len(),
        3
    );
    let problem = problem(parse_projection("#s, #s.#one", &values()));
    assert!(problem.contains("paths overlap"), "{problem}");
}
