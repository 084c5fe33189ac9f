#![expect(dead_code, reason = "the fields are only read and shown")]

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Debug,
};

use serde::{Deserialize, de::IgnoredAny};
use serde_json::json;

use super::*;

/// Checks a config as a declared op does whose type can be shown, and reads it as the op's function does.
fn check<T: DeserializeOwned + Debug + 'static>(config: Value) -> Result<T, String> {
    let spec = ConfigSpec::for_shown_type::<T>(Some(|value| format!("{value:?}")));
    spec.check_config(&config)
        .map_err(|error| error.to_string())?;
    Ok(read_config(&config).unwrap())
}

fn refusal<T: DeserializeOwned + Debug + 'static>(config: Value) -> String {
    match check::<T>(config) {
        Ok(value) => panic!("accepted as {value:?}"),
        Err(message) => message,
    }
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Limits {
    limit: u32,
    #[serde(alias = "offset_rows")]
    offset: u32,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Typed {
    limits: Limits,
    maybe: Option<Limits>,
    boxed: Box<Limits>,
    list: Vec<Limits>,
    pair: (u32, Limits),
    named: BTreeMap<String, Limits>,
    numbered: HashMap<u16, Vec<Limits>>,
    choice: Choice,
    any: Value,
    legacy: Option<IgnoredAny>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Choice {
    #[default]
    All,
    Some(Limits),
    Both(u32, Limits),
    Named {
        #[serde(default)]
        limit: u32,
    },
}

#[test]
fn an_unknown_field_is_refused_at_any_depth() {
    let unknown = "unknown field: did you mean `limit`?";
    for (config, path) in [
        (json!({"limits": {"limt": 1}}), "limits.limt"),
        (json!({"maybe": {"limt": 1}}), "maybe.limt"),
        (json!({"boxed": {"limt": 1}}), "boxed.limt"),
        (json!({"list": [{"limit": 1}, {"limt": 1}]}), "list[1].limt"),
        (json!({"pair": [1, {"limt": 1}]}), "pair[1].limt"),
        (json!({"named": {"limt": {"limt": 1}}}), "named.limt.limt"),
        (
            json!({"numbered": {"7": [{"limt": 1}]}}),
            "numbered.7[0].limt",
        ),
        (json!({"choice": {"some": {"limt": 1}}}), "choice.some.limt"),
        (
            json!({"choice": {"both": [1, {"limt": 1}]}}),
            "choice.both[1].limt",
        ),
    ] {
        assert_eq!(
            refusal::<Typed>(config),
            format!("config `{path}`: {unknown}")
        );
    }
    assert_eq!(
        refusal::<Typed>(json!({"choice": {"named": {"limt": 1}}})),
        "config `choice.named.limt`: unknown field: did you mean `limit`?"
    );
    // Upper case is another name as well.
    assert_eq!(
        refusal::<Limits>(json!({"LIMIT": 1})),
        "config `LIMIT`: unknown field: did you mean `limit`?"
    );
    assert_eq!(
        refusal::<Limits>(json!({"zzz": null})),
        "config `zzz`: unknown field: the fields are `limit`, `offset` and `offset_rows`"
    );
}

#[test]
fn known_fields_are_read_at_any_depth() {
    let limits = |limit| Limits { limit, offset: 0 };
    let config = json!({
        "limits": {"offset_rows": 3},
        "maybe": {"limit": 1},
        "boxed": {"limit": 2},
        "list": [{"limit": 3}, {}],
        "pair": [4, {"limit": 4}],
        "named": {"limt": {"limit": 5}},
        "numbered": {"7": [{"limit": 6}]},
        "choice": {"both": [7, {"limit": 7}]},
        "any": {"limt": [{"x": null}]},
        "legacy": {"whatever": 1},
    });
    let read = check::<Typed>(config).unwrap();
    assert_eq!(read.limits.offset, 3);
    assert_eq!(read.maybe, Some(limits(1)));
    assert_eq!(*read.boxed, limits(2));
    assert_eq!(read.list, [limits(3), limits(0)]);
    assert_eq!(read.pair, (4, limits(4)));
    assert_eq!(read.named["limt"], limits(5));
    assert_eq!(read.numbered[&7], [limits(6)]);
    assert_eq!(read.choice, Choice::Both(7, limits(7)));
    assert_eq!(read.any, json!({"limt": [{"x": null}]}));
    for (config, choice) in [
        (json!({"choice": "all"}), Choice::All),
        (
            json!({"choice": {"some": {"limit": 1}}}),
            Choice::Some(limits(1)),
        ),
        (
            json!({"choice": {"named": {"limit": 1}}}),
            Choice::Named { limit: 1 },
        ),
    ] {
        assert_eq!(check::<Typed>(config).unwrap().choice, choice);
    }
    assert_eq!(check::<Typed>(Value::Null).unwrap(), Typed::default());
}

#[test]
fn other_errors_stay_those_of_serde() {
    for (config, message) in [
        (
            json!({"limits": 5}),
            "config `limits`: invalid type: integer `5`, expected struct Limits",
        ),
        (
            json!({"limits": {"limit": "x"}}),
            "config `limits.limit`: invalid type: string \"x\", expected u32",
        ),
        (
            json!({"pair": [1, {}, 3]}),
            "config `pair`: invalid length 3, expected fewer elements in array",
        ),
        (
            json!({"choice": "none"}),
            "config `choice`: unknown variant `none`, expected one of `all`, `some`, `both`, `named`",
        ),
        (
            json!({"limits": {"offset": 1, "offset_rows": 2}}),
            "config `limits`: duplicate field `offset`",
        ),
    ] {
        assert_eq!(refusal::<Typed>(config), message);
    }
    assert!(refusal::<Typed>(json!({"numbered": {"seven": []}})).contains("numbered"));
}

#[derive(Debug, PartialEq, Deserialize)]
struct Flattened {
    #[serde(default)]
    name: String,
    #[serde(flatten)]
    limits: Limits,
    #[serde(flatten)]
    window: Option<Window>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Window {
    first_day: String,
    #[serde(default)]
    last_day: String,
}

#[test]
fn an_unknown_field_beside_flattened_structs_is_refused() {
    for (config, message) in [
        (
            json!({"limt": 1}),
            "config `limt`: unknown field: did you mean `limit`?",
        ),
        (
            json!({"nmae": "x", "limit": 1}),
            "config `nmae`: unknown field: did you mean `name`?",
        ),
        (
            json!({"zzz": {"limit": 1}}),
            "config `zzz`: unknown field: leave it out",
        ),
        (
            json!({"first_day": "x", "last_dya": "y"}),
            "config `last_dya`: unknown field: did you mean `last_day`?",
        ),
        // An incomplete optional struct is otherwise `None`, and what was given of it is lost.
        (
            json!({"last_day": "y"}),
            "config `last_day`: unknown field: leave it out",
        ),
    ] {
        assert_eq!(refusal::<Flattened>(config), message);
    }
    let read = check::<Flattened>(
        json!({"name": "n", "limit": 0, "offset_rows": 0, "first_day": "x", "last_day": ""}),
    );
    let read = read.unwrap();
    assert_eq!(read.limits, Limits::default());
    assert_eq!(read.window.unwrap().first_day, "x");
    check::<Flattened>(Value::Null).unwrap();
}

#[derive(Debug, Deserialize)]
struct Open<T> {
    #[serde(default)]
    limit: u32,
    #[serde(flatten)]
    extra: T,
}

#[test]
fn a_type_may_take_every_field() {
    let config = || json!({"limit": 1, "limt": {"a": [1, null]}, "x": null, "y": ""});
    assert_eq!(
        check::<Open<BTreeMap<String, Value>>>(config())
            .unwrap()
            .extra
            .len(),
        3
    );
    assert_eq!(
        check::<Open<HashMap<String, Value>>>(config())
            .unwrap()
            .extra
            .len(),
        3
    );
    assert_eq!(check::<Open<Value>>(config()).unwrap().limit, 1);
    let names = check::<Open<HashMap<String, IgnoredAny>>>(config()).unwrap();
    assert_eq!(names.extra.len(), 3);
    let texts = check::<Open<BTreeMap<String, String>>>(json!({"limt": "", "x": ""}));
    assert_eq!(texts.unwrap().extra.len(), 2);
    check::<Value>(config()).unwrap();
    check::<HashMap<String, Value>>(config()).unwrap();
    check::<IgnoredAny>(config()).unwrap();
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Tagged {
    Nothing,
    Limited(Limits),
    Nested {
        #[serde(default)]
        list: Vec<Limits>,
        #[serde(default)]
        any: Value,
    },
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", content = "data")]
enum Adjacent {
    Limited(Limits),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Untagged {
    File {
        path: String,
        #[serde(default)]
        limits: Limits,
    },
    // Everything has a default: it takes any object.
    Rows {
        #[serde(default)]
        rows: Vec<Limits>,
    },
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Limits),
    Many(Vec<Limits>),
}

#[test]
fn an_unknown_field_of_an_enum_is_refused() {
    let limt = |path: &str| format!("config `{path}`: unknown field: did you mean `limit`?");
    for (config, path) in [
        (json!({"kind": "limited", "limt": 1}), "limt"),
        (json!({"limt": 1, "kind": "limited"}), "limt"),
        (
            json!({"kind": "nested", "list": [{"limt": 1}]}),
            "list[0].limt",
        ),
    ] {
        assert_eq!(refusal::<Tagged>(config), limt(path));
    }
    assert_eq!(
        refusal::<Tagged>(json!({"kind": "nothing", "limit": 1})),
        "config `limit`: unknown field: leave it out"
    );
    for config in [
        json!({"kind": "Limited", "data": {"limt": 1}}),
        json!({"data": {"limt": 1}, "kind": "Limited"}),
    ] {
        assert_eq!(refusal::<Adjacent>(config), limt("data.limt"));
    }
    assert_eq!(
        refusal::<Adjacent>(json!({"kind": "Limited", "data": {}, "dta": 1})),
        "config `dta`: unknown field: did you mean `data`?"
    );
    assert_eq!(
        refusal::<Untagged>(json!({"path": "x", "limits": {"limt": 1}})),
        limt("limits.limt")
    );
    assert_eq!(
        refusal::<Untagged>(json!({"rosw": []})),
        "config `rosw`: unknown field: did you mean `rows`?"
    );
    assert_eq!(
        refusal::<BTreeMap<String, OneOrMany>>(json!({"a": [{"limit": 1}, {"limt": 1}]})),
        limt("a[1].limt")
    );
    assert_eq!(
        refusal::<BTreeMap<String, OneOrMany>>(json!({"a": {"limt": 1}})),
        limt("a.limt")
    );
}

#[test]
fn the_fields_of_enums_are_read() {
    for config in [
        json!({"kind": "nothing"}),
        json!({"kind": "limited", "limit": 0}),
        json!({"list": [{"limit": 0}, {}], "any": {"x": 1, "y": [{"z": null}]}, "kind": "nested"}),
    ] {
        check::<Tagged>(config).unwrap();
    }
    check::<Adjacent>(json!({"data": {"limit": 0, "offset": 0}, "kind": "Limited"})).unwrap();
    // Without `path` it would be read as `Rows`, so an error alone does not show whether it is read.
    for config in [
        json!({"path": ""}),
        json!({"path": "", "limits": {"limit": 0}}),
        json!({"rows": []}),
        json!({"rows": [{"limit": 0}]}),
    ] {
        check::<Untagged>(config).unwrap();
    }
    check::<OneOrMany>(json!([{"limit": 0}])).unwrap();
    check::<OneOrMany>(json!({"limit": 0})).unwrap();
}

#[test]
fn a_type_that_cannot_be_shown_is_checked_by_what_it_refuses() {
    let spec = ConfigSpec::for_type::<Flattened>();
    spec.check_config(&json!({"name": "", "limit": 0})).unwrap();
    let refused = spec.check_config(&json!({"limt": 1})).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "config `limt`: unknown field: leave it out, or derive `Debug` for its type if it does \
         read the field"
    );
    let spec = ConfigSpec::for_type::<Tagged>();
    spec.check_config(&json!({"kind": "limited", "limit": 0}))
        .unwrap();
    spec.check_config(&json!({"kind": "limited", "limt": 0}))
        .unwrap_err();
}

#[test]
fn the_names_of_a_schema_are_suggested() {
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Renamed {
        #[serde(default)]
        max_rows: u32,
    }
    #[derive(Debug, Deserialize)]
    struct Outer {
        #[serde(flatten)]
        renamed: Renamed,
    }
    let schema = json!({"properties": {"maxRows": {"type": "integer"}}});
    let spec = ConfigSpec::for_shown_type::<Outer>(Some(|outer| format!("{outer:?}")))
        .with_schema(Some(schema));
    let refused = spec.check_config(&json!({"maxRow": 1})).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "config `maxRow`: unknown field: did you mean `maxRows`?"
    );
    spec.check_config(&json!({"maxRows": 1})).unwrap();
}

#[test]
fn a_field_given_twice_is_refused() {
    for (text, name) in [
        (r#"{"a": 1, "a": 2}"#, "a"),
        (r#"{"op": {"list": [{"x": null, "x": null}]}}"#, "x"),
        (r#"{"a": 1, "b": {}, "\u0061": 2}"#, "a"),
    ] {
        let error = parse_config(text).unwrap_err();
        assert!(error.is_data());
        let message = format!("field `{name}` is given twice at line 1 column ");
        assert!(error.to_string().starts_with(&message), "{error}");
    }
    let text = r#"{"a": {"x": [1, -2, 0.5, true, null, "t"]}, "b": {"x": 18446744073709551615}}"#;
    assert_eq!(
        parse_config(text).unwrap(),
        serde_json::from_str::<Value>(text).unwrap()
    );
    assert!(parse_config("{").unwrap_err().is_eof());
}
