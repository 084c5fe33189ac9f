//! [`HasRows`].

use arrow_array::RecordBatch;

use crate::{IntoAsset, Table, TableStream};

/// Return types of assets that are stored as rows, which checks over data need.
#[diagnostic::on_unimplemented(
    message = "checks over data look at rows, and an asset that returns `{Self}` has none",
    label = "the data of this asset is no table",
    note = "return `Vec<Row>` or `Table`, or write the check as an `#[asset_check]`"
)]
pub trait HasRows: IntoAsset {}

impl<T> HasRows for Vec<T> where Self: IntoAsset {}
impl HasRows for Table {}
impl HasRows for RecordBatch {}
impl HasRows for TableStream {}
