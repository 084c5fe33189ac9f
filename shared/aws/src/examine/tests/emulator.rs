use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use precip_engine::{
    deployment::{DeploymentExaminer, Finding},
    run::{SystemClock, SystemRandomness, new_run_id},
};

use crate::{
    Aws,
    examine::Deployment,
    state::dynamo::{TableDefinition, harness::emulator_aws},
};

/// Returns a unique name that a bucket may have.
fn new_name() -> String {
    let id = new_run_id(&SystemClock, &SystemRandomness).to_string();
    format!("precip-{}", id.to_lowercase())
}

async fn examine_named(aws: &Aws, name: &str, region: &str) -> Vec<Finding> {
    let arn = format!("arn:aws:states:{region}:000000000000:stateMachine:{name}");
    let machine = arn.parse().unwrap();
    let deployment = Deployment::new(aws.clone(), name.to_owned(), name.to_owned(), machine);
    deployment.examine_deployment().await
}

fn problems_of(findings: &[Finding]) -> Vec<&str> {
    let problems = findings.iter().map(|finding| finding.problem.as_deref());
    problems.flatten().collect()
}

#[tokio::test]
async fn a_complete_deployment_has_no_problems() {
    let (aws, name) = (emulator_aws().await, new_name());
    let dynamodb = aws.dynamodb();
    TableDefinition::PRECIP
        .create_table(&dynamodb, &name)
        .await
        .unwrap();
    aws.s3().create_bucket().bucket(&name).send().await.unwrap();
    let pass = r#"{"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": true}}}"#;
    for machine in [name.clone(), format!("{name}-backfill")] {
        let create = aws.step_functions().create_state_machine().name(machine);
        let role = "arn:aws:iam::000000000000:role/machine";
        create.definition(pass).role_arn(role).send().await.unwrap();
    }
    let findings = examine_named(&aws, &name, "us-east-1").await;
    assert!(problems_of(&findings).is_empty(), "{findings:?}");
    // Credentials, region, table, bucket and the two machines.
    assert_eq!(findings.len(), 6);
}

#[tokio::test]
async fn missing_parts_are_named_with_what_to_do() {
    let (aws, name) = (emulator_aws().await, new_name());
    let findings = examine_named(&aws, &name, "us-east-1").await;
    let problems = problems_of(&findings);
    let table = "does not exist in this account and region";
    let other = "does not exist";
    assert_eq!(problems, [table, other, other, other]);
    for (index, variable) in [
        (2, "PRECIP_TABLE"),
        (3, "PRECIP_BUCKET"),
        (4, "PRECIP_STATE_MACHINE_ARN"),
    ] {
        assert!(findings[index].note.contains(variable), "{findings:?}");
    }
}

#[tokio::test]
async fn another_region_is_reported_before_any_call() {
    let findings = examine_named(&emulator_aws().await, &new_name(), "eu-west-1").await;
    // Only the findings on credentials and region: nothing else was called.
    assert_eq!(findings.len(), 2);
    assert_eq!(findings[1].note, "set AWS_REGION=eu-west-1");
}

#[tokio::test]
async fn a_table_without_a_stream_or_with_other_keys_is_no_record() {
    let (aws, name) = (emulator_aws().await, new_name());
    for (sort, expected) in [("sk", "its stream is off"), ("range", "has other keys")] {
        let name = format!("{name}-{sort}");
        let mut create = aws.dynamodb().create_table().table_name(&name);
        create = create.billing_mode(BillingMode::PayPerRequest);
        for (attribute, kind) in [("pk", KeyType::Hash), (sort, KeyType::Range)] {
            let definition = AttributeDefinition::builder()
                .attribute_name(attribute)
                .attribute_type(ScalarAttributeType::S);
            let key = KeySchemaElement::builder()
                .attribute_name(attribute)
                .key_type(kind);
            create = create
                .attribute_definitions(definition.build().unwrap())
                .key_schema(key.build().unwrap());
        }
        create.send().await.unwrap();
        let findings = examine_named(&aws, &name, "us-east-1").await;
        let problem = findings[2].problem.as_deref().unwrap();
        assert!(problem.starts_with(expected), "{problem}");
    }
}
