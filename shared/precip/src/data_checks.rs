//! [`data_checks`].

use std::collections::BTreeSet;

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
    run::{Clock, SystemClock},
};
use precip_io::{
    ConvertError, IntoAsset, Table,
    checks::{DataCheck, HasRows, Measured},
    convert::single,
};

/// The parameter that takes the rows.
const ROWS: &str = "rows";

/// Checks over the data of an asset that is declared elsewhere, or checks that are known when definitions are put
/// together only. Those that are known where the asset is written stand there, in `checks = [..]` of
/// [`#[asset]`](macro@crate::asset), and come with it; both are the same.
///
/// ```
/// use precip::{checks::{DataCheck, not_null, row_count, unique}, data_checks, prelude::*};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize)]
/// # pub struct Flight { carrier: String, flight: i32 }
///
/// #[asset(checks = [row_count(1..).blocking()])]
/// pub fn flights() -> Vec<Flight> {
///     vec![Flight { carrier: "UA".to_owned(), flight: 1 }]
/// }
///
/// /// What everything that is for sale holds to.
/// fn contract() -> [DataCheck; 2] {
///     [not_null("carrier"), unique(["carrier", "flight"]).warn()]
/// }
///
/// let definitions = Definitions::builder()
///     .asset::<flights>()
///     .declare(data_checks::<flights>(contract()))
///     .build()?;
/// assert_eq!(definitions.graph().checks().count(), 3);
/// # Ok::<(), InvalidDefinitions>(())
/// ```
///
/// Each is a check like one of `#[asset_check]`, and looks at the partition that was made. Where its IO manager
/// keeps it in a database, the database is asked, and no rows are loaded; elsewhere the columns that the check
/// is about are.
#[track_caller]
pub fn data_checks<A: Asset>(checks: impl IntoIterator<Item = DataCheck>) -> Vec<Declaration>
where
    A::Data: HasRows,
{
    declared::<A>(SourceLocation::here(), checks)
}

/// The same for the macros. An array gives its elements' type away, so that what is no check is named where it
/// stands.
pub fn data_checks_of<A: Asset, const N: usize>(
    source: SourceLocation,
    checks: [DataCheck; N],
) -> Vec<Declaration>
where
    A::Data: HasRows,
{
    declared::<A>(source, checks)
}

fn declared<A: Asset>(
    source: SourceLocation,
    checks: impl IntoIterator<Item = DataCheck>,
) -> Vec<Declaration>
where
    A::Data: HasRows,
{
    let mut names = BTreeSet::new();
    let declared = |check: DataCheck| {
        let key = CheckKey {
            asset: A::key(),
            name: check.name().to_owned(),
        };
        if !names.insert(key.name.clone()) {
            return Declaration::Invalid {
                name: key.asset.to_string(),
                reason: format!(
                    "two checks over its data are named `{0}`: give one of them another name, like \
                     `.named(\"{0}_2\")`",
                    key.name
                ),
                source,
            };
        }
        let mut spec = CheckSpec::new(key.clone());
        spec.blocking = check.is_blocking();
        spec.description = Some(check.description());
        let input = InputSpec {
            name: ROWS.to_owned(),
            asset: A::key(),
            needs: InputNeeds {
                request: check.request(A::Data::columns().ok().flatten()),
                ..InputNeeds::default()
            },
        };
        let mut op = OpDefinition::new(OpSpec::check(spec), Body { key, check });
        op.inputs.push(input);
        op.execution = Execution::Blocking;
        op.source = source;
        Declaration::from(op)
    };
    checks.into_iter().map(declared).collect()
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
        let measured = self.measured(&mut inputs);
        let measured = measured.map_err(|error| AssetError::from(error).into_terminal())?;
        let result = self.check.judge(&measured, SystemClock.now());
        let mut collector = Collector::new(&context, std::slice::from_ref(&self.key));
        collector.add_check(&self.key.asset, &[result])?;
        Ok(collector.finish())
    }
}

impl Body {
    /// What there is to say of the partition that was made.
    fn measured(&self, inputs: &mut Inputs) -> Result<Measured, ConvertError> {
        let input = inputs
            .remove(ROWS)
            .ok_or_else(|| ConvertError::new("the check was given nothing to look at"))?;
        let part = single::<Table>(input)?;
        Measured::answered(&self.check.measure(), part.value)
            .map_err(|error| error.at(&self.key.asset, part.partition.as_ref()))
    }
}
