use precip_core::{
    key::CheckKey,
    spec::{AssetSpec, CheckSpec, OpSpec},
};

use super::{NamePool, state_title};
use crate::model::StateName;

#[test]
fn states_have_the_name_of_the_asset() {
    let flights = AssetSpec::new("raw/flights".parse().unwrap());
    let check = CheckSpec::new(CheckKey {
        asset: flights.key.clone(),
        name: "not_empty".into(),
    });
    let mut names = NamePool::default();
    let mut take = |op: &OpSpec| names.reserve_name(&state_title(op)).unwrap().to_string();
    assert_eq!(take(&OpSpec::single(flights)), "raw/flights");
    assert_eq!(take(&OpSpec::check(check)), "check raw/flights not_empty");
}

#[test]
fn a_name_that_is_taken_gets_a_number() {
    let mut names = NamePool::default();
    let mut take = |title: &str| names.reserve_name(title).unwrap().to_string();
    assert_eq!(take("Plan"), "Plan");
    assert_eq!(take("Plan"), "Plan 2");
    assert_eq!(take("Plan 2"), "Plan 2 2");
    assert_eq!(take("Plan"), "Plan 3");
    assert_eq!(take("a:b"), "a b");
    // The number counts towards the longest name that Step Functions accepts.
    let long = "x".repeat(StateName::MAX_CHARS + 1);
    assert_eq!(take(&long).len(), StateName::MAX_CHARS);
    let again = take(&long);
    assert_eq!(again.len(), StateName::MAX_CHARS);
    assert!(again.ends_with(" 2"));
}
