//! [`data_checks`].

use std::collections::BTreeSet;

use async_trait::async_trait;
use precip_core::{
    key::CheckKey,
    metadata::TableSchema,
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
    checks::{DataCheck, HasRows, Measured, columns_compared_with, columns_found},
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
        let recalls = check.recalls();
        let mut op = OpDefinition::new(OpSpec::check(spec), Body { key, check });
        op.inputs.push(input);
        op.execution = Execution::Blocking;
        op.recalls = recalls;
        op.source = source;
        Declaration::from(op)
    };
    checks.into_iter().map(declared).collect()
}

/// The columns that the check found before. A run that was stopped on the way, and looks again, finds a result of
/// its own, which tells what it was compared with.
fn columns_before(context: &AssetContext) -> Option<&TableSchema> {
    let key = context.partition_keys().next();
    context.recalled().iter().find_map(|found| {
        let is_here = found.target.partition.as_ref() == key;
        match is_here && found.run == context.run_id() {
            true => columns_compared_with(&found.metadata),
            false => columns_found(&found.metadata),
        }
    })
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
        let before = columns_before(&context);
        let result = self.check.judge(&measured, before, SystemClock.now());
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

#[cfg(test)]
mod tests {
    use precip_core::metadata::Metadata;
    use precip_engine::{
        run_id::RunId,
        state::{CheckEvaluation, CheckOutcome, PartitionRef},
    };
    use precip_io::checks::columns_unchanged;

    use super::*;

    const BEFORE: &str = "01JDC0Z5V9M3T8Q4W2X7Y6R1KA";
    const NOW: &str = "01JDC0Z5V9M3T8Q4W2X7Y6R1KB";

    fn of(column: &str) -> TableSchema {
        TableSchema::from_iter([(column, "Int64", false)])
    }

    fn found(run: &str, day: u64, metadata: Metadata) -> CheckEvaluation {
        let asset = "flights".parse::<precip_core::key::AssetKey>().unwrap();
        CheckEvaluation {
            check: CheckKey {
                asset: asset.clone(),
                name: columns_unchanged().name().to_owned(),
            },
            target: PartitionRef::new(asset, day.to_string(), day),
            run: run.parse().unwrap(),
            attempt: 1,
            outcome: CheckOutcome::Passed,
            severity: Default::default(),
            blocking: false,
            description: None,
            metadata,
            at: chrono::DateTime::UNIX_EPOCH,
        }
    }

    fn noted(found: &str, compared_with: Option<&str>) -> Metadata {
        let pairs = [
            Some(("columns", of(found))),
            compared_with.map(|before| ("columns_before", of(before))),
        ];
        let pairs = pairs.into_iter().flatten();
        pairs
            .map(|(name, columns)| (name.to_owned(), columns.into()))
            .collect()
    }

    fn before(recalled: impl IntoIterator<Item = CheckEvaluation>) -> Option<TableSchema> {
        let run: RunId = NOW.parse().unwrap();
        let context = AssetContext::builder()
            .run(run)
            .partition("2")
            .recalled(recalled)
            .build();
        columns_before(&context).cloned()
    }

    #[test]
    fn its_own_partition_tells_before_the_one_before() {
        let other = || found(NOW, 1, noted("b", Some("z")));
        let own = found(BEFORE, 2, noted("a", None));
        assert_eq!(before([own, other()]), Some(of("a")));
        assert_eq!(before([other()]), Some(of("b")));
        assert_eq!(before([]), None);
    }

    #[test]
    fn a_run_that_looks_again_compares_with_the_same_as_before() {
        let again = found(NOW, 2, noted("b", Some("a")));
        assert_eq!(before([again]), Some(of("a")));
        // It had nothing to compare with.
        assert_eq!(before([found(NOW, 2, noted("b", None))]), None);
    }
}
