use chrono::{DateTime, Utc};
use proptest::prelude::*;
use rstest::rstest;

use crate::{
    graph::{AssetGraph, AssetSet},
    partitions::{
        DynamicPartitions, MultiPartitions, PartitionContext, PartitionsDefinition,
        StaticPartitions, TimeWindowPartitions,
    },
    spec::{AssetSpec, OpSpec},
    trigger::{KeyTemplate, NoPartitionError, TemplateFit},
};

fn read_values(template: &str, key: &str) -> Vec<String> {
    let parsed: KeyTemplate = template.parse().unwrap();
    parsed
        .read_key(key)
        .map(|values| {
            let pairs: Vec<String> = values
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            pairs.join(" ")
        })
        .collect()
}

#[rstest]
#[case("orders/{date}.csv", "orders/2024-01-31.csv", &["date=2024-01-31"])]
#[case("orders/{date}.csv", "orders/2024-01-31.csv.gz", &[])]
#[case("orders/{date}.csv", "orders/.csv", &[])]
#[case("orders/{date}.csv", "orders/a/b.csv", &[])]
#[case("{region}/x+y {date}", "São Paulo/x+y 2024", &["date=2024 region=São Paulo"])]
#[case("{date}-{origin}.csv", "2024-01-EWR.csv", &["date=2024-01 origin=EWR", "date=2024 origin=01-EWR"])]
#[case("*/{date}.csv", "any/d.csv", &["date=d"])]
#[case("*/{date}.csv", "any/more/d.csv", &[])]
#[case("**/{date}.csv", "any/more/d.csv", &["date=d"])]
#[case("{date}/orders-{date}.csv", "d1/orders-d1.csv", &["date=d1"])]
#[case("{date}/orders-{date}.csv", "d1/orders-d2.csv", &[])]
#[case("{{a}}/{date}", "{a}/d", &["date=d"])]
#[case("y={date:%Y/m=%m/d=%d}/x", "y=2024/m=01/d=31/x", &["date=2024/m=01/d=31"])]
#[case("{date:%Y%m%d}{region}", "20240131EWR", &["date=20240131 region=EWR"])]
#[case("{date:%Y%m%d}", "2024013x", &[])]
#[case("plain/key.csv", "plain/key.csv", &[""])]
fn keys_are_read(#[case] template: &str, #[case] key: &str, #[case] expected: &[&str]) {
    assert_eq!(read_values(template, key), expected);
}

#[rstest]
#[case("", "it is empty")]
#[case("/orders/{date}", "do not begin with `/`")]
#[case("{date", "`{` is not closed: write `{date}`")]
#[case("a}b", "`}` closes nothing: write `}}`")]
#[case("{}", "`{}` does not name a dimension")]
#[case("{my date}", "`{my date}` does not name a dimension")]
#[case("{1st}", "`{1st}` does not name a dimension")]
#[case("{a}{b}", "side by side")]
#[case("{a}*", "side by side")]
#[case("***", "`***` means nothing: write `**`")]
#[case("{date:}", "names no part of a time")]
#[case("{date:%Y-%b}", "`%b` is not supported in a key: use `%Y`, `%y`")]
fn invalid_templates_are_refused(#[case] template: &str, #[case] problem: &str) {
    let error = template.parse::<KeyTemplate>().unwrap_err();
    assert!(error.to_string().contains(problem), "{error}");
    assert!(error.span().end <= template.len());
}

#[test]
fn a_key_of_many_parts_is_matched_quickly() {
    let template: KeyTemplate = "**a**a**a**a**a**a**b/{x}-{y}-{z}".parse().unwrap();
    assert!(!template.matches_key(&"a".repeat(1_000)));
    // Here every way to match is a way to the same reading.
    let template: KeyTemplate = "**a**a**a**a**a**a**a**a**".parse().unwrap();
    assert_eq!(template.read_key(&"a".repeat(200)).count(), 1);
}

fn daily_partitions() -> PartitionsDefinition {
    TimeWindowPartitions::daily("2024-01-01")
        .timezone("Europe/Berlin")
        .build()
        .unwrap()
        .into()
}

fn march_context() -> PartitionContext {
    let now: DateTime<Utc> = "2024-03-01T12:00:00Z".parse().unwrap();
    let mut context = PartitionContext::at(now);
    let keys = ["known".into()].into_iter().collect();
    context.dynamic.insert("files".to_owned(), keys);
    context
}

fn fit_template(
    template: &str,
    partitions: Option<PartitionsDefinition>,
) -> Result<TemplateFit, crate::trigger::TemplateFitError> {
    let asset = AssetSpec {
        partitions: partitions.map(Into::into),
        ..AssetSpec::new("orders".parse().unwrap())
    };
    let graph = AssetGraph::new(vec![OpSpec::single(asset)], vec![]).unwrap();
    let target: AssetSet = graph.ids().collect();
    TemplateFit::new(&template.parse().unwrap(), &graph, &target)
}

fn partition_of_key(fit: &TemplateFit, key: &str) -> Result<Option<String>, NoPartitionError> {
    let made = fit.read_key(key, &march_context())?;
    Ok(made.map(|made| {
        made.partition
            .map(|key| key.to_string())
            .unwrap_or_default()
    }))
}

fn date_and_region() -> PartitionsDefinition {
    let regions = StaticPartitions::new(["north", "north-east"]).unwrap();
    MultiPartitions::new([("date", daily_partitions()), ("region", regions.into())])
        .unwrap()
        .into()
}

#[test]
fn of_several_readings_the_one_that_exists_counts() {
    let fit = fit_template("{date}-{region}.csv", Some(date_and_region())).unwrap();
    let read = |key| partition_of_key(&fit, key).unwrap().unwrap();
    assert_eq!(read("2024-01-31-north.csv"), "2024-01-31|north");
    assert_eq!(read("2024-01-31-north-east.csv"), "2024-01-31|north-east");
    assert_eq!(partition_of_key(&fit, "other.csv"), Ok(None));
}

#[test]
fn a_time_is_translated_to_the_format_of_the_partitions() {
    let fit = fit_template("{date:%Y/%m/%d}/*.csv", Some(daily_partitions())).unwrap();
    assert_eq!(
        partition_of_key(&fit, "2024/02/29/part-0.csv"),
        Ok(Some("2024-02-29".to_owned()))
    );
    let error = partition_of_key(&fit, "2023/02/28/part-0.csv").unwrap_err();
    assert!(matches!(error, NoPartitionError::Unknown(_)), "{error}");
}

#[test]
fn an_open_window_is_reported_with_its_end() {
    let fit = fit_template("{date}.csv", Some(daily_partitions())).unwrap();
    let error = partition_of_key(&fit, "2024-03-01.csv").unwrap_err();
    assert_eq!(
        error.to_string(),
        "partition `2024-03-01` does not exist before 2024-03-01T23:00:00Z"
    );
}

#[test]
fn a_new_dynamic_key_is_added() {
    let fit = fit_template("up/{file}", Some(DynamicPartitions::new("files").into())).unwrap();
    let made = fit
        .read_key("up/new.csv", &march_context())
        .unwrap()
        .unwrap();
    assert_eq!(made.added, [("files".to_owned(), "new.csv".into())]);
    let made = fit.read_key("up/known", &march_context()).unwrap().unwrap();
    assert_eq!(made.added, []);
}

#[rstest]
#[case("a/b.csv", Some(daily_partitions()), "names no partition")]
#[case("{date}.csv", None, "write `*` instead")]
#[case(
    "{date}/{x}.csv",
    Some(daily_partitions()),
    "names `date` and `x`, and `orders` has partitions of one dimension"
)]
#[case(
    "{date}/{origin}.csv",
    Some(date_and_region()),
    "has the dimensions `date` and `region`"
)]
#[case(
    "{date}/{region:%Y}.csv",
    Some(date_and_region()),
    "`region` has no time windows: write `{region}`"
)]
#[case(
    "{date:%Y-%m}.csv",
    Some(daily_partitions()),
    "leaves out `%d` of `date`, and the partitions' keys are written as `%Y-%m-%d`"
)]
fn templates_that_do_not_fit_are_refused(
    #[case] template: &str,
    #[case] partitions: Option<PartitionsDefinition>,
    #[case] problem: &str,
) {
    let error = fit_template(template, partitions).unwrap_err().to_string();
    assert!(error.contains(problem), "{error}");
}

proptest! {
    #[test]
    fn values_of_a_key_are_read_back(
        date in "[^/{}*]{1,12}",
        region in "[^/{}*]{1,12}",
    ) {
        let key = format!("orders/{date}/{region}.csv");
        let read = read_values("orders/{date}/{region}.csv", &key);
        prop_assert_eq!(read, [format!("date={date} region={region}")]);
    }

    #[test]
    fn any_text_is_a_template_or_refused_within_its_bounds(text in "[a{}*/:%Yd]{0,12}") {
        match text.parse::<KeyTemplate>() {
            Ok(template) => { let _ = template.matches_key("a/Y"); }
            Err(error) => prop_assert!(error.span().end <= text.len()),
        }
    }
}

#[test]
fn a_name_that_cannot_be_a_dynamic_key_is_refused() {
    let fit = fit_template("up/{file}", Some(DynamicPartitions::new("files").into())).unwrap();
    let error = partition_of_key(&fit, "up/a\u{7}.csv").unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"a\\u{7}.csv\" cannot be a partition of `files`: write at least one character, and no control characters"
    );
    // A key that the set has already stays usable.
    let long = "x".repeat(800);
    let mut context = march_context();
    assert!(fit.read_key(&format!("up/{long}"), &context).is_err());
    let keys = [long.as_str().into()].into_iter().collect();
    context.dynamic.insert("files".to_owned(), keys);
    let read = fit.read_key(&format!("up/{long}"), &context).unwrap();
    assert_eq!(read.unwrap().added, []);
}

#[test]
fn a_dynamic_key_with_the_separator_is_no_part_of_a_product() {
    let files = DynamicPartitions::new("files");
    let product = MultiPartitions::new([("date", daily_partitions()), ("file", files.into())]);
    let fit = fit_template("{date}/{file}", Some(product.unwrap().into())).unwrap();
    let read = |key| partition_of_key(&fit, key);
    assert_eq!(read("2024-01-31/a"), Ok(Some("2024-01-31|a".to_owned())));
    assert_eq!(
        read("2024-01-31/a|b").unwrap_err().to_string(),
        "`a|b` cannot be a partition of `files` here: `|` separates the dimensions of a partition key"
    );
}
