import { Stack, Tags } from 'aws-cdk-lib';
import { IMetric, MathExpression, MathExpressionOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { ITable, Table } from 'aws-cdk-lib/aws-dynamodb';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Function } from 'aws-cdk-lib/aws-lambda';
import { Bucket, IBucket } from 'aws-cdk-lib/aws-s3';
import { CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { CfnTopic, ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { IStateMachine, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { createAlarms } from './alarms';
import { Context, localArn, nameOf, variableValues } from './context';
import { Deployment, listNames, readDeployment } from './deployment';
import { createMaterializer, createPlanner, createReactor, createSensor, ReactorTargets } from './functions';
import { createBackfillMachine, createRunMachine } from './machines';
import { createOutputs, importOutput } from './outputs';
import { allow, createRole } from './permissions';
import { IPrecipProject, ProjectBase } from './project-base';
import { PrecipProjectProps } from './props';
import { createDeadLetters } from './queues';
import { createBucket, createTable } from './storage';
import { callPlannerAtEnds, callPlannerForSweeps, callReactor, callSensor, createSchedules, createSensorQueue } from './triggers';

/**
 * A Precip project on AWS: its table, bucket, functions, state machines, sensors, schedules and alarms.
 *
 * Names begin with the stack's name, so a stack has one project.
 */
export class PrecipProject extends ProjectBase {
  /** Returns a project of another stack of this app or account, in the same region. */
  public static fromStack(scope: Construct, id: string, stackName: string): IPrecipProject {
    return new ImportedProject(scope, id, stackName);
  }

  public readonly table: ITable;
  public readonly bucket: IBucket;
  /** The machine that people start. */
  public readonly runMachine: StateMachine;
  /** The machine of large runs. Only a run starts it. */
  public readonly backfillMachine: StateMachine;
  /** The functions: `planner`, `reactor`, `sensor` if there are triggers, and a materializer for each compute profile. */
  public readonly functions: { [name: string]: Function };
  /** The queues: `dead-letters`, `sensor-dead-letters`, `tick-dead-letters`, and `sensor-NAME` for each sensor of objects. */
  public readonly queues: { [name: string]: Queue };
  /** The topic for changes of freshness, if assets have freshness policies. */
  public readonly freshnessTopic?: ITopic;

  protected readonly deployedName: string;

  private readonly sensorQueues: Queue[] = [];

  constructor(scope: Construct, id: string, props: PrecipProjectProps) {
    super(scope, id);
    const deployment = readDeployment(props.manifest);
    checkEnvironment(deployment, props);
    checkAlone(this);
    this.deployedName = nameOf(this);
    this.table = props.existingTable ?? createTable(this, props);
    this.bucket = props.existingBucket ?? createBucket(this, props, deployment);
    const context: Context = {
      scope: this,
      deployment,
      props,
      name: this.deployedName,
      table: this.table,
      bucket: this.bucket,
      variables: variableValues(deployment, props),
    };

    const deadLetters = createDeadLetters(context, 'DeadLetters');
    const queues: { [name: string]: Queue } = { 'dead-letters': deadLetters };
    const planner = createPlanner(context, deadLetters);
    const functions: { [name: string]: Function } = { planner };
    const called = new Map([['Planner', planner]]);
    const materializers: [string, string, Function][] = [];
    for (const profile of deployment.materializers) {
      const materializer = createMaterializer(context, profile);
      functions[profile.name] = materializer;
      called.set(profile.id, materializer);
      materializers.push([profile.id, profile.name, materializer]);
    }
    this.backfillMachine = createBackfillMachine(context, called);
    this.runMachine = createRunMachine(context, called, this.backfillMachine);
    callPlannerAtEnds(context, planner, [this.runMachine, this.backfillMachine], deadLetters);
    callPlannerForSweeps(context, planner);

    const reactorTargets = this.createReactorTargets(context, deadLetters);
    this.freshnessTopic = reactorTargets.freshnessTopic;
    const reactor = createReactor(context, reactorTargets);
    functions.reactor = reactor;
    callReactor(context, reactor, deadLetters);

    const triggers = this.createTriggers(context, queues);
    if (triggers) {
      functions.sensor = triggers;
    }
    this.functions = functions;
    this.queues = queues;
    checkFunctionOptions(this.functions, props);
    this.grantKey(props);
    createAlarms(context, {
      failedRuns: this.metricFailedRuns(),
      planner,
      reactor,
      deadLetters,
      sensor: triggers,
      sensorDeadLetters: queues['sensor-dead-letters'],
      tickDeadLetters: queues['tick-dead-letters'],
      materializers,
    });
    createOutputs(this, deployment.environment);
    Tags.of(this).add('Project', deployment.project);
    Tags.of(this).add('Stage', props.stage ?? 'dev');
  }

  /** Returns the number of events that wait for the sensor function. */
  public metricBacklog(options: MathExpressionOptions = {}): IMetric {
    if (this.sensorQueues.length === 0) {
      throw new Error('The project has no sensors of objects, so nothing waits for them');
    }
    const waiting = this.sensorQueues.map(
      (queue, index) => [`q${index}`, queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' })] as const,
    );
    return new MathExpression({
      label: 'Events that wait for sensors',
      ...options,
      expression: waiting.map(([name]) => name).join(' + '),
      usingMetrics: Object.fromEntries(waiting),
    });
  }

  private createReactorTargets(context: Context, deadLetters: Queue): ReactorTargets {
    const { deployment, props, name } = context;
    const targets = { run: this.runMachine, deadLetters };
    const freshnessTopic = deployment.reactor.freshness ? props.freshnessTopic ?? this.createTopic(context) : undefined;
    if (!deployment.reactor.ticks) {
      return { ...targets, freshnessTopic };
    }
    // The reactor creates its next tick as a schedule in this group.
    const tickGroup = new CfnScheduleGroup(this, 'TickGroup', { name: `${name}-ticks` });
    // Names the function instead of referring to it: the function needs this role first.
    const reactor = localArn('lambda', `function:${name}-reactor`);
    const tickRole = createRole(context, 'Tick', 'scheduler.amazonaws.com', [
      allow('Tick', ['lambda:InvokeFunction'], [reactor]),
    ]);
    return { ...targets, freshnessTopic, tickGroup, tickRole };
  }

  private createTopic(context: Context): Topic {
    const masterKey = context.props.encryptionKey;
    const topic = new Topic(this, 'FreshnessTopic', { topicName: `${context.name}-freshness`, masterKey });
    if (!masterKey) {
      // The key that AWS manages for topics.
      (topic.node.defaultChild as CfnTopic).kmsMasterKeyId = 'alias/aws/sns';
    }
    return topic;
  }

  private createTriggers(context: Context, queues: { [name: string]: Queue }): Function | undefined {
    const { sensor } = context.deployment;
    if (!sensor) {
      return undefined;
    }
    const tickDeadLetters = createDeadLetters(context, 'TickDeadLetters');
    queues['tick-dead-letters'] = tickDeadLetters;
    if (sensor.sensors.length > 0) {
      const sensorDeadLetters = createDeadLetters(context, 'SensorDeadLetters');
      queues['sensor-dead-letters'] = sensorDeadLetters;
      for (const source of sensor.sensors) {
        const queue = createSensorQueue(context, sensor, source, sensorDeadLetters);
        queues[`sensor-${source.name}`] = queue;
        this.sensorQueues.push(queue);
      }
    }
    const handler = createSensor(context, sensor, this.runMachine, this.sensorQueues, tickDeadLetters);
    sensor.sensors.forEach((source, index) => callSensor(context, handler, source, this.sensorQueues[index]));
    createSchedules(context, sensor, handler, tickDeadLetters);
    return handler;
  }

  /** Allows the services that write to encrypted queues and topics to use the key. */
  private grantKey(props: PrecipProjectProps): void {
    for (const service of props.encryptionKey ? ['events.amazonaws.com', 'sqs.amazonaws.com'] : []) {
      props.encryptionKey?.grantEncryptDecrypt(new ServicePrincipal(service));
    }
  }
}

/** A project that another stack deploys. */
class ImportedProject extends ProjectBase {
  public readonly table: ITable;
  public readonly bucket: IBucket;
  public readonly runMachine: IStateMachine;

  protected readonly deployedName: string;

  constructor(scope: Construct, id: string, stackName: string) {
    super(scope, id);
    this.deployedName = stackName;
    this.table = Table.fromTableName(this, 'Table', importOutput(stackName, 'TableName'));
    this.bucket = Bucket.fromBucketName(this, 'Bucket', importOutput(stackName, 'BucketName'));
    this.runMachine = StateMachine.fromStateMachineArn(this, 'Run', importOutput(stackName, 'RunStateMachineArn'));
  }
}

function checkEnvironment(deployment: Deployment, props: PrecipProjectProps): void {
  const wanted = props.environment;
  if (wanted !== undefined && wanted !== deployment.environment) {
    throw new Error(
      `${props.manifest} is of environment \`${deployment.environment ?? 'none'}\`, not \`${wanted}\`: ` +
        `run \`--env ${wanted} synth --cdk\` in the folder of the project`,
    );
  }
}

function checkAlone(project: PrecipProject): void {
  const stack = Stack.of(project);
  const other = stack.node.findAll().find(child => child instanceof PrecipProject && child !== project);
  if (other) {
    throw new Error(`Stack ${stack.stackName} has the project \`${other.node.path}\` already: give each project its own stack`);
  }
}

function checkFunctionOptions(functions: { [name: string]: Function }, props: PrecipProjectProps): void {
  for (const name of Object.keys(props.functionOptions ?? {})) {
    if (!(name in functions)) {
      const known = listNames(Object.keys(functions));
      throw new Error(`The project has no function \`${name}\`, which \`functionOptions\` names. It has ${known}`);
    }
  }
}
