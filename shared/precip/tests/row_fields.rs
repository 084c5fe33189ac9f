//! Fields of row types that the rows of an upstream asset do not have.

use precip::{io::RowOf, prelude::*};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Account {
    number: i64,
    holder: Option<String>,
}

#[asset]
fn accounts() -> Vec<Account> {
    Vec::new()
}

#[derive(Serialize, Deserialize)]
struct Misspelt {
    holdr: Option<String>,
    seats: Option<i64>,
}
impl RowOf<Account> for Misspelt {}

#[asset]
fn misspelt(accounts: Vec<Misspelt>) -> i64 {
    accounts.len() as i64
}

#[derive(Serialize, Deserialize)]
struct InAnotherCase {
    #[serde(rename = "Holder")]
    holder: Option<String>,
}
impl RowOf<Account> for InAnotherCase {}

#[asset]
fn in_another_case(accounts: Option<Partitions<Vec<InAnotherCase>>>) -> bool {
    accounts.is_some()
}

#[derive(Serialize, Deserialize)]
struct Holder {
    holder: Option<String>,
    #[serde(default)]
    visits: i64,
}
impl RowOf<Account> for Holder {}

#[asset]
fn holders(accounts: Vec<Holder>) -> i64 {
    accounts.len() as i64
}

#[test]
fn an_optional_field_that_upstream_rows_do_not_have_is_refused() {
    let builder = || Definitions::builder().asset::<accounts>();
    builder().asset::<holders>().build().unwrap();
    let problem = |invalid: InvalidDefinitions| invalid.problems()[0].to_string();
    let invalid = problem(builder().asset::<misspelt>().build().unwrap_err());
    assert!(
        invalid.contains(
            "its parameter `accounts` reads the fields `holdr` and `seats` of `accounts`, whose rows have only \
             `number` and `holder`: did you mean `holder`?"
        ),
        "{invalid}"
    );
    let invalid = problem(builder().asset::<in_another_case>().build().unwrap_err());
    assert!(
        invalid.contains("`Holder`") && invalid.contains("`holder`?"),
        "{invalid}"
    );
}
