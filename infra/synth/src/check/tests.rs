//! Each rule finds a mistake made on purpose in valid files.

use rstest::rstest;

use super::{Rule, check_files, cron, placeholders};
use crate::{GeneratedFile, synth::tests::test_files};

/// Returns the files with a piece of one of them replaced, which must exist.
fn broken_files(path: &str, piece: &str, by: &str) -> Vec<GeneratedFile> {
    let mut files = test_files();
    let file = files.iter_mut().find(|file| file.path == path).unwrap();
    assert!(file.contents.contains(piece), "`{piece}` is not in {path}");
    file.contents = file.contents.replacen(piece, by, 1);
    files
}

/// Returns the files with one more resource.
fn files_with_resource(resource: &str) -> Vec<GeneratedFile> {
    broken_files(
        "template.yaml",
        "Resources:\n",
        &format!("Resources:\n{resource}\n"),
    )
}

fn found_rules(files: &[GeneratedFile]) -> Vec<Rule> {
    check_files(files)
        .into_iter()
        .map(|finding| finding.rule)
        .collect()
}

const TEMPLATE: &str = "template.yaml";
const RUN: &str = "statemachine/trips.asl.json";

#[rstest]
#[case::no_yaml(TEMPLATE, "Resources:\n", "Resources: [\n", Rule::Template)]
#[case::no_resources(TEMPLATE, "Resources:\n", "Ressources:\n", Rule::Template)]
#[case::no_file(
    TEMPLATE,
    "statemachine/trips.asl",
    "statemachine/trip.asl",
    Rule::MissingDefinition
)]
#[case::no_json(RUN, "\"StartAt\"", "StartAt", Rule::Definition)]
#[case::no_target(
    RUN,
    "\"Next\": \"How much\"",
    "\"Next\": \"How many\"",
    Rule::Definition
)]
#[case::not_allowed(
    TEMPLATE,
    "Action: lambda:InvokeFunction",
    "Action: lambda:GetFunction",
    Rule::NotAllowed
)]
#[case::another_function(
    TEMPLATE,
    "Resource: [!GetAtt Materializer3008MiB900sDisk2048MiB.Arn, !GetAtt Materializer512MiB60s.Arn, !GetAtt Planner.Arn]",
    "Resource: [!GetAtt Materializer3008MiB900sDisk2048MiB.Arn, !GetAtt Planner.Arn]",
    Rule::NotAllowed
)]
#[case::no_children(
    TEMPLATE,
    "stateMachine:${AWS::StackName}-backfill",
    "stateMachine:another",
    Rule::NotAllowed
)]
#[case::misspelt_key(
    TEMPLATE,
    "detail-type: [Step",
    "detailtype: [Step",
    Rule::EventPattern
)]
#[case::misspelt_detail(
    TEMPLATE,
    "stateMachineArn: [!Ref Run",
    "statemachineArn: [!Ref Run",
    Rule::EventPattern
)]
#[case::no_list(
    TEMPLATE,
    "source: [aws.states]",
    "source: aws.states",
    Rule::EventPattern
)]
#[case::empty_list(
    TEMPLATE,
    "status: [FAILED, TIMED_OUT, ABORTED]",
    "status: []",
    Rule::EventPattern
)]
#[case::operator(
    TEMPLATE,
    "status: [FAILED,",
    "status: [{ starts: FAIL },",
    Rule::EventPattern
)]
#[case::filter_key(TEMPLATE, "'{\"dynamodb\"", "'{\"dynamoDB\"", Rule::EventPattern)]
#[case::filter_json(TEMPLATE, "'{\"dynamodb\"", "'{dynamodb", Rule::EventPattern)]
fn a_broken_file_is_found(
    #[case] path: &str,
    #[case] piece: &str,
    #[case] by: &str,
    #[case] rule: Rule,
) {
    let files = broken_files(path, piece, by);
    let rules = found_rules(&files);
    assert!(
        !rules.is_empty() && rules.iter().all(|found| *found == rule),
        "{:#?}",
        check_files(&files)
    );
}

#[test]
fn a_missing_and_an_unused_substitution_are_found() {
    let files = broken_files(
        TEMPLATE,
        "        Bucket: !Ref Bucket\n",
        "        Buckets: !Ref Bucket\n",
    );
    assert_eq!(
        found_rules(&files),
        [Rule::MissingSubstitution, Rule::UnusedSubstitution]
    );
}

#[test]
fn files_without_a_template_are_found() {
    let mut files = test_files();
    files.retain(|file| file.path != TEMPLATE);
    assert_eq!(found_rules(&files), [Rule::Template]);
}

#[rstest]
#[case("rate(1 hour)", true)]
#[case("rate(5 minutes)", true)]
#[case("rate(1 hours)", false)]
#[case("rate(5 minute)", false)]
#[case("rate(0 days)", false)]
#[case("rate(hour)", false)]
#[case("at(2024-01-31T06:00:00)", true)]
#[case("at(2024-01-31)", false)]
#[case("cron(0 6 * * ? *)", true)]
#[case("0 6 * * *", false)]
fn schedules_are_checked(#[case] schedule: &str, #[case] fine: bool) {
    let resource = format!(
        "  Nightly: {{ Type: AWS::Scheduler::Schedule, Properties: {{ ScheduleExpression: \"{schedule}\" }} }}"
    );
    let expected: &[Rule] = if fine { &[] } else { &[Rule::Schedule] };
    assert_eq!(found_rules(&files_with_resource(&resource)), expected);
    let sam_form = resource.replace("ScheduleExpression", "Schedule");
    assert_eq!(
        found_rules(&files_with_resource(&sam_form)),
        expected,
        "in SAM's form as well"
    );
}

#[rstest]
#[case("\"America/New_York\"", true)]
#[case("UTC", true)]
#[case("!Ref Zone", true)]
#[case("America/NewYork", false)]
#[case("5", false)]
fn time_zones_are_checked(#[case] zone: &str, #[case] fine: bool) {
    let resource = format!(
        "  Nightly: {{ Type: AWS::Scheduler::Schedule, Properties: {{ ScheduleExpressionTimezone: {zone} }} }}"
    );
    let expected: &[Rule] = if fine { &[] } else { &[Rule::TimeZone] };
    assert_eq!(found_rules(&files_with_resource(&resource)), expected);
}

#[rstest]
#[case("0 12 * * ? *")]
#[case("0/15 8-17 ? * MON-FRI *")]
#[case("15 10 L * ? 2024-2026")]
#[case("0 0 1W jan,JUL ? *")]
#[case("0 18 ? * 6#3 *")]
#[case("0 18 ? * FRI#1 *")]
#[case("0 18 ? * 5L *")]
#[case("*/5 * * * ? *")]
fn crons_that_aws_accepts(#[case] fields: &str) {
    assert_eq!(cron::check_cron(fields), Ok(()));
}

#[rstest]
#[case("0 12 * * *", "has 5 fields instead")]
#[case("0 12 * * * *", "names both days")]
#[case("0 12 ? * ? *", "names no day")]
#[case("60 12 * * ? *", "has `60` as minutes")]
#[case("0 24 * * ? *", "has `24` as hours")]
#[case("0 12 32 * ? *", "has `32` as day of the month")]
#[case("0 12 ? * 0 *", "has `0` as day of the week")]
#[case("0 12 ? * 6#6 *", "has `6#6` as day of the week")]
#[case("0 12 * 13 ? *", "has `13` as month")]
#[case("0 12 * * ? 1969", "has `1969` as year")]
#[case("0 17-8 * * ? *", "has `17-8` as hours")]
#[case("? 12 * * ? *", "has `?` as minutes")]
#[case("0/0 12 * * ? *", "has `0/0` as minutes")]
fn crons_that_aws_refuses(#[case] fields: &str, #[case] message: &str) {
    let refused = cron::check_cron(fields).unwrap_err();
    assert!(refused.starts_with(message), "{refused}");
}

#[test]
fn a_pattern_that_is_too_long_is_found() {
    let names = "\"a name that fills the pattern\", ".repeat(100);
    let files = broken_files(TEMPLATE, "status: [FAILED,", &format!("status: [{names}"));
    assert_eq!(found_rules(&files), [Rule::EventPattern]);
}

#[test]
fn a_finding_says_where_and_what_to_write() {
    let files = broken_files(
        TEMPLATE,
        "stateMachineArn: [!Ref Run",
        "statemachineArn: [!Ref Run",
    );
    assert_eq!(
        check_files(&files)[0].to_string(),
        "template.yaml: Resources/Planner/Properties/Events/RunEnded/Properties/Pattern/detail: no \
         such event has `statemachineArn`: did you mean `stateMachineArn`, \
         `stateMachineAliasArn` or `stateMachineVersionArn`? [event-pattern]"
    );
}

#[test]
fn placeholders_are_found_once_and_nothing_else_is() {
    let found = placeholders("${B} ${A} ${B} ${} ${a b} $.x {y} ${open");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["A", "B"]);
}
