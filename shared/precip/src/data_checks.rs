//! [`data_checks`].

use async_trait::async_trait;
use precip_core::{
    key::CheckKey,
    spec::{CheckSpec, OpSpec},
};
use precip_engine::{
    asset::{
        Asset, AssetContext, AssetError, Collector, Execution, InputNeeds, InputSpec, Inputs,
        OpBody, OpOutputs, Resources,
    },
    definitions::{Declaration, OpDefinition, SourceLocation},
    io::LoadRequest,
    run::{Clock, SystemClock},
};
use precip_io::{IntoAsset, LoadFrom, Table, checks::DataCheck};

use crate::private::exports::take;

/// The parameter that takes the rows.
const ROWS: &str = "rows";

/// Checks of an asset's rows, one line each.
///
/// ```
/// use precip::{checks::{not_null, row_count, unique}, data_checks, prelude::*};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize)]
/// # pub struct Flight { carrier: String, flight: i32 }
///
/// #[asset]
/// pub fn flights() -> Vec<Flight> {
///     vec![Flight { carrier: "UA".to_owned(), flight: 1 }]
/// }
///
/// let definitions = Definitions::builder()
///     .asset::<flights>()
///     .declare(data_checks::<flights>([
///         row_count(1..).blocking(),
///         not_null("carrier"),
///         unique(["carrier", "flight"]).warn(),
///     ]))
///     .build()?;
/// assert_eq!(definitions.graph().checks().count(), 3);
/// # Ok::<(), InvalidDefinitions>(())
/// ```
///
/// Each is a check like one of `#[asset_check]`, and looks at the partition that was made. Only the
/// columns that it is about are loaded.
#[track_caller]
pub fn data_checks<A: Asset>(checks: impl IntoIterator<Item = DataCheck>) -> Vec<Declaration>
where
    A::Data: IntoAsset,
    Table: LoadFrom<A::Data>,
{
    let source = SourceLocation::here();
    let declared = |check: DataCheck| {
        let key = CheckKey {
            asset: A::key(),
            name: check.name().to_owned(),
        };
        let mut spec = CheckSpec::new(key.clone());
        spec.blocking = check.is_blocking();
        spec.description = Some(check.description());
        let input = InputSpec {
            name: ROWS.to_owned(),
            asset: A::key(),
            needs: needs::<A::Data>(&check),
        };
        let mut op = OpDefinition::new(OpSpec::check(spec), Body { key, check });
        op.inputs.push(input);
        op.execution = Execution::Blocking;
        op.source = source;
        Declaration::from(op)
    };
    checks.into_iter().map(declared).collect()
}

/// The columns that a check is about, where the asset's type says which there are.
fn needs<D: IntoAsset>(check: &DataCheck) -> InputNeeds {
    let all = D::columns().ok().flatten();
    let columns = all.and_then(|mut all| {
        let about = check.columns()?;
        all.columns
            .retain(|column| about.contains(&column.name.as_str()));
        // A column that is not there is found by looking at all.
        (all.columns.len() == about.len()).then_some(all)
    });
    InputNeeds {
        request: LoadRequest {
            columns,
            ..LoadRequest::default()
        },
        ..InputNeeds::default()
    }
}

struct Body {
    key: CheckKey,
    check: DataCheck,
}

#[async_trait]
impl OpBody for Body {
    async fn run(
        &self,
        context: AssetContext,
        mut inputs: Inputs,
        _: &Resources,
    ) -> Result<OpOutputs, AssetError> {
        let rows: Table = take(&mut inputs, ROWS)?;
        let result = self.check.check(&rows, SystemClock.now());
        let mut collector = Collector::new(&context, std::slice::from_ref(&self.key));
        collector.add_check(&self.key.asset, &[result])?;
        Ok(collector.finish())
    }
}
