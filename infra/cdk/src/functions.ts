import { existsSync } from 'fs';
import { join } from 'path';
import { Duration, RemovalPolicy, Size } from 'aws-cdk-lib';
import { PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import {
  ApplicationLogLevel,
  Architecture,
  Code,
  Function,
  FunctionOptions,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { ILogGroup, LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { ITopic } from 'aws-cdk-lib/aws-sns';
import { IQueue } from 'aws-cdk-lib/aws-sqs';
import { CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Context, localArn } from './context';
import { Materializer, Sensor } from './deployment';
import {
  allow,
  createRole,
  listOwnBucket,
  listWatchedBuckets,
  ownLog,
  readSecrets,
  readWatchedBuckets,
  tableAccess,
} from './permissions';

/** A function before its defaults. */
interface FunctionSettings extends FunctionOptions {
  readonly binary: string;
  readonly memorySize: number;
  readonly timeout: Duration;
  readonly description: string;
  readonly role: Role;
  readonly logGroup: ILogGroup;
}

/** The planner plans runs, starts their next wave, and ends them. */
export function createPlanner(context: Context, deadLetters: IQueue): Function {
  const { deployment, props, bucket } = context;
  const logGroup = createLog(context, 'Planner', 'planner');
  const role = createRole(context, 'Planner', 'lambda.amazonaws.com', [
    ...tableAccess(context, deployment.planner.access),
    allow('FilesOfRuns', ['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload'], [`${bucket.bucketArn}/runs/*`]),
    listOwnBucket(context, 'WhichFilesOfRuns', ['runs/*']),
    allow('WhatBecameOfRuns', ['states:DescribeExecution'], [localArn('states', `execution:${context.name}:*`)]),
    ownLog(logGroup),
  ]);
  return createFunction(context, 'Planner', 'planner', {
    description: 'Plans a run, starts its next wave, and ends it.',
    binary: 'planner',
    memorySize: 1024,
    timeout: Duration.seconds(deployment.planner.timeout_seconds),
    environment: {
      PRECIP_MAX_CONCURRENCY: String(props.maxConcurrency ?? 800),
      PRECIP_RESERVED_CONCURRENCY: String(props.materializerConcurrency ?? 0),
      // The machine by its name: it needs this function first.
      PRECIP_STATE_MACHINE_ARN: localArn('states', `stateMachine:${context.name}`),
    },
    deadLetterQueue: deadLetters,
    role,
    logGroup,
  });
}

/** A materializer materializes one partition. There is one for each compute profile. */
export function createMaterializer(context: Context, profile: Materializer): Function {
  const { deployment, props, bucket } = context;
  const objects = (prefix: string) => [`${bucket.bucketArn}/${prefix}/*`];
  const logGroup = createLog(context, profile.id, profile.name);
  const statements = [
    ...tableAccess(context, deployment.materializer_access),
    allow('Data', ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'], objects('data')),
    allow('FilesThatAreDroppedHere', ['s3:GetObject'], objects('landing')),
    allow('FilesOfRuns', ['s3:GetObject'], objects('runs')),
    listOwnBucket(context, 'WhichFiles', ['data/*', 'landing/*', 'runs/*']),
    ...readWatchedBuckets(context),
    ...listWatchedBuckets(context, 'StringLikeIfExists'),
    ...readSecrets(context),
    ownLog(logGroup),
  ];
  const managed = props.materializerPolicy ? [props.materializerPolicy] : [];
  return createFunction(context, profile.id, profile.name, {
    description: profile.description,
    binary: profile.binary,
    memorySize: profile.memory_mib,
    timeout: Duration.seconds(profile.timeout_seconds),
    ephemeralStorageSize: Size.mebibytes(profile.ephemeral_storage_mib),
    reservedConcurrentExecutions: props.materializerConcurrency,
    environment: context.variables,
    role: createRole(context, profile.id, 'lambda.amazonaws.com', statements, managed),
    logGroup,
  });
}

/** What the reactor acts on besides the table. */
export interface ReactorTargets {
  readonly run: IStateMachine;
  readonly deadLetters: IQueue;
  readonly tickGroup?: CfnScheduleGroup;
  readonly tickRole?: Role;
  readonly freshnessTopic?: ITopic;
}

/** The reactor updates status and progress from the table's stream, and starts the runs that changes request. */
export function createReactor(context: Context, targets: ReactorTargets): Function {
  const { reactor } = context.deployment;
  const { run, deadLetters, tickGroup, tickRole, freshnessTopic } = targets;
  const logGroup = createLog(context, 'Reactor', 'reactor');
  const stream = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map(name => `dynamodb:${name}`);
  const statements = [
    ...tableAccess(context, reactor.access),
    allow('Changes', stream, [`${context.table.tableArn}/stream/*`]),
    ...(reactor.requests_runs ? startRuns(context, run) : []),
  ];
  const environment: { [name: string]: string } = reactor.reacts ? { PRECIP_STATE_MACHINE_ARN: run.stateMachineArn } : {};
  if (tickGroup && tickRole) {
    const ticks = localArn('scheduler', `schedule/${context.name}-ticks/tick-*`);
    const passed = { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } };
    statements.push(allow('NextTick', ['scheduler:CreateSchedule'], [ticks]));
    statements.push(allow('CallsWith', ['iam:PassRole'], [tickRole.roleArn], passed));
    environment.PRECIP_TICK_GROUP = tickGroup.ref;
    environment.PRECIP_TICK_ROLE_ARN = tickRole.roleArn;
  }
  if (freshnessTopic) {
    statements.push(allow('RaiseFreshness', ['sns:Publish'], [freshnessTopic.topicArn]));
    environment.PRECIP_FRESHNESS_TOPIC_ARN = freshnessTopic.topicArn;
  }
  if (reactor.resources) {
    statements.push(...readSecrets(context));
    Object.assign(environment, context.variables);
  }
  // What the event source could not deliver. CDK adds the same for calls by a tick.
  statements.push(allow('WhatCouldNotBeDone', ['sqs:SendMessage'], [deadLetters.queueArn]));
  statements.push(ownLog(logGroup));
  return createFunction(context, 'Reactor', 'reactor', {
    description: reactor.description,
    binary: 'reactor',
    memorySize: 512,
    timeout: Duration.seconds(120),
    environment,
    deadLetterQueue: reactor.ticks ? deadLetters : undefined,
    role: createRole(context, 'Reactor', 'lambda.amazonaws.com', statements),
    logGroup,
  });
}

/** The sensor function starts runs when objects arrive and when schedules tick. */
export function createSensor(
  context: Context,
  sensor: Sensor,
  run: IStateMachine,
  queues: IQueue[],
  deadLetters: IQueue,
): Function {
  const logGroup = createLog(context, 'Sensor', 'sensor');
  const receive = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];
  const role = createRole(context, 'Sensor', 'lambda.amazonaws.com', [
    ...tableAccess(context, sensor.access),
    ...startRuns(context, run),
    ...(queues.length === 0 ? [] : [allow('Events', receive, queues.map(queue => queue.queueArn))]),
    ...listWatchedBuckets(context, 'StringLike'),
    ...readSecrets(context),
    ownLog(logGroup),
  ]);
  return createFunction(context, 'Sensor', 'sensor', {
    description: 'Starts runs when objects arrive, when schedules tick, and when a sweep finds a missed object.',
    binary: 'sensor',
    memorySize: 1024,
    timeout: Duration.seconds(sensor.timeout_seconds),
    environment: { PRECIP_STATE_MACHINE_ARN: run.stateMachineArn, ...context.variables },
    deadLetterQueue: deadLetters,
    role,
    logGroup,
  });
}

/** Returns the permissions to start runs, and to read what became of them. */
function startRuns(context: Context, run: IStateMachine): PolicyStatement[] {
  const executions = localArn('states', `execution:${context.name}:*`);
  return [
    allow('StartRuns', ['states:StartExecution'], [run.stateMachineArn]),
    allow('WhatBecameOfThem', ['states:DescribeExecution'], [executions]),
  ];
}

/** Creates the log of a function or a machine. */
export function createLog(context: Context, id: string, name: string, prefix?: string): LogGroup {
  return new LogGroup(context.scope, `${id}Log`, {
    logGroupName: `${prefix ?? `/precip/${context.name}/`}${name}`,
    retention: context.props.logRetention ?? RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.DESTROY,
  });
}

function createFunction(context: Context, id: string, name: string, settings: FunctionSettings): Function {
  const { deployment, props } = context;
  const { binary, environment, ...own } = settings;
  const options = props.functionOptions?.[name] ?? {};
  if (options.role) {
    throw new Error(`\`functionOptions\` of \`${name}\` has a \`role\`: add permissions to the function's own role instead`);
  }
  const zip = join(props.code, binary, 'bootstrap.zip');
  if (!existsSync(zip)) {
    throw new Error(`There is no file ${zip}: run \`cargo lambda build --release --output-format zip\` in the folder of the project`);
  }
  const architecture = deployment.architecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64;
  return new Function(context.scope, id, {
    functionName: `${context.name}-${name}`,
    runtime: Runtime.PROVIDED_AL2023,
    handler: 'bootstrap',
    code: Code.fromAsset(zip),
    architecture: props.architecture ?? architecture,
    tracing: Tracing.ACTIVE,
    loggingFormat: LoggingFormat.JSON,
    applicationLogLevelV2: props.logLevel ?? ApplicationLogLevel.INFO,
    systemLogLevelV2: SystemLogLevel.WARN,
    vpc: props.vpc,
    vpcSubnets: props.vpcSubnets,
    securityGroups: props.securityGroups,
    ...own,
    ...options,
    environment: {
      PRECIP_TABLE: context.table.tableName,
      PRECIP_BUCKET: context.bucket.bucketName,
      ...(deployment.environment === null ? {} : { PRECIP_ENV: deployment.environment }),
      ...environment,
      ...options.environment,
    },
  });
}
