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
        Asset, AssetContext, AssetError, Execution, InputNeeds, InputSpec, Inputs, OpBody,
        OpOutputs, OutputCollector, Resources,
    },
    definitions::{Declaration, OpDefinition, SourceLocation},
};
use precip_io::{
    ConvertError, IntoAsset, Table,
    checks::{DataCheck, HasRows, Measurement, columns_compared_with, columns_found},
    convert::single_part,
};

/// The parameter that receives the rows.
const ROWS: &str = "rows";

/// Declares checks over the data of an asset that is declared elsewhere, or checks that are not
/// known until definitions are built. Checks that are known where the asset is declared belong in
/// its `checks = [..]`, see [`#[asset]`](macro@crate::asset); both are the same.
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
/// /// The contract of every table that is sold.
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
/// Each is a check like one of `#[asset_check]`, and checks the partition that was made. If its IO
/// manager stores the data in a database, the database computes the result and no rows are loaded;
/// otherwise the columns that the check needs are loaded.
#[track_caller]
pub fn data_checks<A: Asset>(checks: impl IntoIterator<Item = DataCheck>) -> Vec<Declaration>
where
    A::Data: HasRows,
{
    declare_checks::<A>(SourceLocation::here(), checks)
}

/// Declares checks for the macros. An array shows its elements' type, so that the error for a value
/// that is not a check marks that value.
pub fn data_checks_of<A: Asset, const N: usize>(
    source: SourceLocation,
    checks: [DataCheck; N],
) -> Vec<Declaration>
where
    A::Data: HasRows,
{
    declare_checks::<A>(source, checks)
}

fn declare_checks<A: Asset>(
    source: SourceLocation,
    checks: impl IntoIterator<Item = DataCheck>,
) -> Vec<Declaration>
where
    A::Data: HasRows,
{
    let mut names = BTreeSet::new();
    let declare = |check: DataCheck| {
        let key = CheckKey {
            asset: A::key(),
            name: check.name().to_owned(),
        };
        // Names come from the checks themselves, so two similar checks may collide.
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
        // The check is an op of its own that takes its asset's rows as its only input.
        let mut spec = CheckSpec::new(key.clone());
        spec.blocking = check.is_blocking();
        spec.description = Some(check.description());
        let input = InputSpec {
            name: ROWS.to_owned(),
            asset: A::key(),
            needs: InputNeeds {
                request: check.load_request(A::Data::columns().ok().flatten()),
                ..InputNeeds::default()
            },
        };
        let recalls = check.needs_previous_checks();
        let mut op = OpDefinition::new(OpSpec::check(spec), CheckBody { key, check });
        op.inputs.push(input);
        op.execution = Execution::Blocking;
        op.reads_previous_checks = recalls;
        op.source = source;
        Declaration::from(op)
    };
    checks.into_iter().map(declare).collect()
}

/// Returns the columns that the check found in an earlier run. After a crash, a run finds its own
/// earlier result first, and takes the columns that this result was compared with.
fn previous_columns(context: &AssetContext) -> Option<&TableSchema> {
    let key = context.partition_keys().next();
    context.previous_checks().iter().find_map(|found| {
        let same_partition = found.target.partition.as_ref() == key;
        if same_partition && found.run == context.run_id() {
            columns_compared_with(&found.metadata)
        } else {
            columns_found(&found.metadata)
        }
    })
}

/// The body of a check over data.
struct CheckBody {
    key: CheckKey,
    check: DataCheck,
}

#[async_trait]
impl OpBody for CheckBody {
    async fn run_op(
        &self,
        context: AssetContext,
        mut inputs: Inputs,
        _: &Resources,
    ) -> Result<OpOutputs, AssetError> {
        let measurement = self
            .measure_rows(&mut inputs)
            .map_err(|error| AssetError::from(error).into_terminal())?;
        let previous = previous_columns(&context);
        let result = self.check.evaluate(&measurement, previous, context.now());
        let mut collector = OutputCollector::new(&context, std::slice::from_ref(&self.key));
        collector.add_check(&self.key.asset, &[result])?;
        Ok(collector.into_outputs())
    }
}

impl CheckBody {
    /// Returns the metric's value for the partition that was made.
    fn measure_rows(&self, inputs: &mut Inputs) -> Result<Measurement, ConvertError> {
        let input = inputs
            .remove(ROWS)
            .ok_or_else(|| ConvertError::new("the check has no input"))?;
        let part = single_part::<Table>(input)?;
        Measurement::from_answer(&self.check.metric(), part.value)
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

    fn schema_of(column: &str) -> TableSchema {
        TableSchema::from_iter([(column, "Int64", false)])
    }

    fn evaluation(run: &str, day: u64, metadata: Metadata) -> CheckEvaluation {
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

    fn metadata_with(found: &str, compared_with: Option<&str>) -> Metadata {
        let pairs = [
            Some(("columns", schema_of(found))),
            compared_with.map(|before| ("columns_before", schema_of(before))),
        ];
        pairs
            .into_iter()
            .flatten()
            .map(|(name, columns)| (name.to_owned(), columns.into()))
            .collect()
    }

    fn previous_columns_of(
        previous: impl IntoIterator<Item = CheckEvaluation>,
    ) -> Option<TableSchema> {
        let run: RunId = NOW.parse().unwrap();
        let context = AssetContext::builder()
            .run(run)
            .partition("2")
            .previous_checks(previous)
            .build();
        previous_columns(&context).cloned()
    }

    #[test]
    fn the_partitions_own_check_comes_before_its_predecessors() {
        let other = || evaluation(NOW, 1, metadata_with("b", Some("z")));
        let own = evaluation(BEFORE, 2, metadata_with("a", None));
        assert_eq!(previous_columns_of([own, other()]), Some(schema_of("a")));
        assert_eq!(previous_columns_of([other()]), Some(schema_of("b")));
        assert_eq!(previous_columns_of([]), None);
    }

    #[test]
    fn a_run_that_repeats_a_check_compares_with_the_same_columns() {
        let again = evaluation(NOW, 2, metadata_with("b", Some("a")));
        assert_eq!(previous_columns_of([again]), Some(schema_of("a")));
        // The first attempt had nothing to compare with.
        assert_eq!(
            previous_columns_of([evaluation(NOW, 2, metadata_with("b", None))]),
            None
        );
    }
}
