//! [`HasRows`].

use arrow_array::RecordBatch;

use crate::{IntoAsset, Table, TableStream};

/// That the data of an asset whose function returns this type are rows, which checks over data look at.
#[diagnostic::on_unimplemented(
    message = "checks over data look at rows, and an asset that returns `{Self}` has none",
    label = "the data of this asset is no table",
    note = "return `Vec<Row>` or `Table`, or look at what is there in an `#[asset_check]`"
)]
pub trait HasRows: IntoAsset {}

impl<T> HasRows for Vec<T> where Self: IntoAsset {}
impl HasRows for Table {}
impl HasRows for RecordBatch {}
impl HasRows for TableStream {}
