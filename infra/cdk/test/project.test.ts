import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { App, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AttributeType, StreamViewType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { PrecipProject } from '../src';
import { flights, flightsProps, MANIFEST, newStack } from './flights';

function templateOf(project: PrecipProject): Template {
  return Template.fromStack(Stack.of(project));
}

test('the table and the bucket are kept, unless the removal policy says otherwise', () => {
  const kept = templateOf(flights());
  for (const type of ['AWS::DynamoDB::Table', 'AWS::S3::Bucket']) {
    kept.hasResource(type, { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  }
  kept.hasResourceProperties('AWS::DynamoDB::Table', { DeletionProtectionEnabled: true });
  const deleted = templateOf(flights({ removalPolicy: RemovalPolicy.DESTROY }));
  deleted.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Delete' });
  deleted.hasResourceProperties('AWS::DynamoDB::Table', { DeletionProtectionEnabled: false });
});

test('everything that is created is a property', () => {
  const project = flights();
  assert.deepEqual(Object.keys(project.functions).sort(), ['materializer-512MiB60s', 'planner', 'reactor', 'sensor']);
  assert.deepEqual(Object.keys(project.queues).sort(), [
    'dead-letters',
    'sensor-dead-letters',
    'sensor-landing_flights',
    'sensor-landing_reference',
    'sensor-landing_weather',
    'tick-dead-letters',
  ]);
  assert.ok(project.freshnessTopic);
  templateOf(project).resourceCountIs('AWS::Lambda::Function', 4);
});

test('no function of the CDK is added, and nothing is left to SAM', () => {
  const template = templateOf(flights()).toJSON();
  assert.equal(template.Transform, undefined);
  const types = Object.values<{ Type: string }>(template.Resources).map(resource => resource.Type);
  assert.ok(types.every(type => !type.startsWith('AWS::Serverless') && !type.startsWith('Custom::')));
});

test('an existing table and bucket are used', () => {
  const stack = newStack();
  const table = new Table(stack, 'MyTable', {
    partitionKey: { name: 'pk', type: AttributeType.STRING },
    sortKey: { name: 'sk', type: AttributeType.STRING },
    stream: StreamViewType.NEW_AND_OLD_IMAGES,
  });
  const bucket = new Bucket(stack, 'MyBucket');
  const template = templateOf(flights({ existingTable: table, existingBucket: bucket }, stack));
  template.resourceCountIs('AWS::DynamoDB::Table', 1);
  template.resourceCountIs('AWS::S3::Bucket', 1);
  template.hasResourceProperties('AWS::Lambda::Function', {
    FunctionName: 'flights-test-planner',
    Environment: {
      Variables: {
        PRECIP_TABLE: stack.resolve(table.tableName),
        PRECIP_BUCKET: stack.resolve(bucket.bucketName),
      },
    },
  });
});

test('an existing table without a stream is refused', () => {
  const stack = newStack();
  const table = Table.fromTableName(stack, 'MyTable', 'my-table');
  assert.throws(() => flights({ existingTable: table }, stack), /The existing table has no stream: give it one/);
});

test('a landing bucket is the value of its variable', () => {
  const stack = newStack();
  const bucket = Bucket.fromBucketName(stack, 'Landing', 'my-landing');
  const template = templateOf(
    flights({ variables: undefined, landingBuckets: { FLIGHTS_LANDING: bucket } }, stack),
  );
  template.hasResourceProperties('AWS::Events::Rule', {
    EventPattern: Match.objectLike({ detail: Match.objectLike({ bucket: { name: ['my-landing'] } }) }),
  });
});

test('variables are checked', () => {
  assert.throws(() => flights({ variables: {} }), /Variable `FLIGHTS_LANDING` has no value: add it to `variables`/);
  assert.throws(
    () => flights({ variables: { LANDING: 'a' } }),
    /The project reads no variable `LANDING`. It reads `FLIGHTS_LANDING`/,
  );
  const stack = newStack();
  const bucket = Bucket.fromBucketName(stack, 'Landing', 'my-landing');
  assert.throws(() => flights({ landingBuckets: { FLIGHTS_LANDING: bucket } }, stack), /give it once/);
});

test('options of a function override those of the project', () => {
  const template = templateOf(
    flights({ functionOptions: { planner: { memorySize: 2048, environment: { RUST_BACKTRACE: '1' } } } }),
  );
  template.hasResourceProperties('AWS::Lambda::Function', {
    FunctionName: 'flights-test-planner',
    MemorySize: 2048,
    Environment: { Variables: { RUST_BACKTRACE: '1', PRECIP_MAX_CONCURRENCY: '800' } },
  });
  assert.throws(
    () => flights({ functionOptions: { planer: {} } }),
    /The project has no function `planer`, which `functionOptions` names. It has `planner`/,
  );
  const stack = newStack();
  const role = new Role(stack, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  assert.throws(() => flights({ functionOptions: { planner: { role } } }, stack), /has a `role`: add permissions/);
});

test('functions run in a VPC with the permission to do so', () => {
  const stack = newStack();
  const template = templateOf(flights({ vpc: new Vpc(stack, 'Vpc') }, stack));
  const functions = Object.values(template.findResources('AWS::Lambda::Function'));
  assert.ok(functions.every(created => created.Properties.VpcConfig));
  const roles = Object.values(template.findResources('AWS::IAM::Role'));
  const allowed = roles.filter(role => JSON.stringify(role).includes('AWSLambdaVPCAccessExecutionRole'));
  assert.equal(allowed.length, functions.length);
});

test('a key encrypts everything that holds data', () => {
  const stack = newStack();
  const template = templateOf(flights({ encryptionKey: new Key(stack, 'Key') }, stack));
  const key = stack.resolve((stack.node.findChild('Key') as Key).keyArn);
  template.hasResourceProperties('AWS::DynamoDB::Table', { SSESpecification: { KMSMasterKeyId: key, SSEType: 'KMS' } });
  template.allResourcesProperties('AWS::SQS::Queue', { KmsMasterKeyId: key });
  template.hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: key });
});

test('grants and events', () => {
  const project = flights();
  const stack = Stack.of(project);
  const role = new Role(stack, 'Reader', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') });
  project.grantStart(role);
  project.grantRead(role);
  project.onRunFailed('Failed', { target: new SnsTopic(new Topic(stack, 'Topic')) });
  assert.equal(project.metricFailedRuns().namespace, 'Precip/flights-test');
  assert.match(JSON.stringify(stack.resolve(project.metricBacklog())), /q0 \+ q1 \+ q2/);
  const template = templateOf(project);
  const policy = JSON.stringify(template.findResources('AWS::IAM::Policy', Match.objectLike({
    Properties: { Roles: [stack.resolve(role.roleName)] },
  })));
  for (const action of ['states:StartExecution', 'dynamodb:Query', 's3:GetObject*']) {
    assert.ok(policy.includes(action), action);
  }
  template.hasResourceProperties('AWS::Events::Rule', {
    EventPattern: Match.objectLike({
      detail: {
        status: ['FAILED', 'TIMED_OUT', 'ABORTED'],
        stateMachineArn: [stack.resolve(project.runMachine.stateMachineArn)],
      },
    }),
  });
});

test('another stack reads a project by the name of its stack', () => {
  const app = new App();
  flights({}, newStack(app));
  const other = new Stack(app, 'reader');
  const project = PrecipProject.fromStack(other, 'Flights', 'flights-test');
  project.grantStart(new Role(other, 'Role', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') }));
  Template.fromStack(other).hasResourceProperties('AWS::IAM::Policy', {
    PolicyDocument: {
      Statement: [Match.objectLike({ Resource: { 'Fn::ImportValue': 'flights-test:RunStateMachineArn' } })],
    },
  });
  const exported = Template.fromStack(app.node.findChild('flights-test') as Stack).toJSON().Outputs;
  assert.equal(exported.RunStateMachineArn.Export.Name, 'flights-test:RunStateMachineArn');
});

test('a stack has one project', () => {
  const stack = newStack();
  flights({}, stack);
  assert.throws(() => new PrecipProject(stack, 'Second', flightsProps()), /give each project its own stack/);
});

test('the environment has to be that of the manifest', () => {
  flights({ environment: 'prod' });
  assert.throws(() => flights({ environment: 'dev' }), /is of environment `prod`, not `dev`: run `--env dev synth --cdk`/);
});

test('missing files and other versions of the manifest are refused', () => {
  assert.throws(() => flights({ manifest: 'none.json' }), /There is no deployment manifest none.json: run `synth --cdk`/);
  assert.throws(() => flights({ code: 'none' }), /There is no file none\/planner\/bootstrap.zip: run `cargo lambda build/);
  const path = join(mkdtempSync(join(tmpdir(), 'precip-cdk-')), 'deployment.json');
  const manifest = JSON.parse(readFileSync(MANIFEST, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...manifest, deployment_version: 2 }));
  assert.throws(() => flights({ manifest: path }), /has version 2 of the deployment manifest.*reads 1/);
  writeFileSync(path, JSON.stringify(manifest));
  assert.throws(() => flights({ manifest: path }), /There is no file .*-backfill.asl.json: run `synth --cdk`/);
});
