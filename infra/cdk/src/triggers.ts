import { Duration, Stack, TimeZone } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule as RuleSchedule } from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import { Function, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { Role } from 'aws-cdk-lib/aws-iam';
import { Schedule, ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { bucketName, Context } from './context';
import { ObjectSource, Sensor } from './deployment';
import { createRole } from './permissions';
import { createQueue } from './queues';

/** Delivery of a call that failed: for two hours. */
const RETRIES = { retryAttempts: 20, maxEventAge: Duration.hours(2) };

/** Calls the planner when Step Functions ended a run instead of it. */
export function callPlannerAtEnds(context: Context, planner: Function, machines: StateMachine[], deadLetters: Queue): void {
  new Rule(context.scope, 'PlannerRunEnded', {
    eventPattern: {
      source: ['aws.states'],
      detailType: ['Step Functions Execution Status Change'],
      detail: {
        status: ['FAILED', 'TIMED_OUT', 'ABORTED'],
        stateMachineArn: machines.map(machine => machine.stateMachineArn),
      },
    },
    targets: [new targets.LambdaFunction(planner, { ...RETRIES, deadLetterQueue: deadLetters })],
  });
}

/** Calls the planner to find the runs whose execution ended without an event: events are delivered by best effort. */
export function callPlannerForSweeps(context: Context, planner: Function): void {
  new Rule(context.scope, 'PlannerSweep', {
    schedule: RuleSchedule.rate(Duration.hours(6)),
    targets: [new targets.LambdaFunction(planner, { event: RuleTargetInput.fromObject({ sweep: 'runs' }) })],
  });
}

/** Calls the reactor with changes of the table, and after deployments if definitions react to time. */
export function callReactor(context: Context, reactor: Function, deadLetters: Queue): void {
  const { deployment, props, table, scope } = context;
  if (!table.tableStreamArn) {
    throw new Error(
      'The existing table has no stream: give it one with new and old images, and import it with `tableStreamArn`',
    );
  }
  reactor.addEventSourceMapping('Changes', {
    eventSourceArn: table.tableStreamArn,
    startingPosition: StartingPosition.TRIM_HORIZON,
    batchSize: 200,
    maxBatchingWindow: props.reactorBatching ?? Duration.seconds(deployment.reactor.batching_seconds),
    bisectBatchOnError: true,
    retryAttempts: 20,
    // The role has the permission already.
    onFailure: { bind: () => ({ destination: deadLetters.queueArn }) },
    filters: deployment.reactor.stream_filters.map(pattern => ({ pattern })),
  });
  if (!deployment.reactor.ticks) {
    return;
  }
  new Rule(scope, 'ReactorDeployed', {
    eventPattern: {
      source: ['aws.cloudformation'],
      detailType: ['CloudFormation Stack Status Change'],
      detail: {
        'stack-id': [Stack.of(scope).stackId],
        'status-details': { status: ['CREATE_COMPLETE', 'UPDATE_COMPLETE', 'UPDATE_ROLLBACK_COMPLETE'] },
      },
    },
    targets: [
      new targets.LambdaFunction(reactor, {
        ...RETRIES,
        deadLetterQueue: deadLetters,
        event: RuleTargetInput.fromObject({ tick: 'deployed' }),
      }),
    ],
  });
}

/** Creates the queue of a sensor, and the rule that fills it. */
export function createSensorQueue(context: Context, sensor: Sensor, source: ObjectSource, deadLetters: Queue): Queue {
  const queue = createQueue(context, `${source.id}Queue`, Duration.days(4), {
    queueName: `${context.name}-sensor-${source.name}`,
    visibilityTimeout: Duration.seconds(sensor.visibility_seconds),
    deadLetterQueue: { queue: deadLetters, maxReceiveCount: 8 },
  });
  new Rule(context.scope, `${source.id}Rule`, {
    description: `Objects of sensor ${source.name}.`,
    eventPattern: {
      source: ['aws.s3'],
      detailType: source.detail_types,
      detail: {
        bucket: { name: [bucketName(context, source.bucket)] },
        ...(source.object === null ? {} : { object: source.object }),
      },
    },
    targets: [new targets.SqsQueue(queue)],
  });
  return queue;
}

/** Calls the sensor function with the events in a queue. */
export function callSensor(context: Context, handler: Function, source: ObjectSource, queue: Queue): void {
  handler.addEventSourceMapping(source.source_name, {
    eventSourceArn: queue.queueArn,
    batchSize: 1000,
    maxBatchingWindow: context.props.sensorBatching ?? Duration.seconds(1),
    // More invocations would only conflict with each other.
    maxConcurrency: 2,
    reportBatchItemFailures: true,
  });
}

/** Creates the schedules of the project, and the sweeps of its sensors. */
export function createSchedules(context: Context, sensor: Sensor, handler: Function, deadLetters: Queue): void {
  const { scope, props } = context;
  const role: Role = createRole(context, 'Scheduler', 'scheduler.amazonaws.com', []);
  const create = (id: string, description: string, schedule: ScheduleExpression, input: string) =>
    new Schedule(scope, id, {
      description,
      schedule,
      target: new LambdaInvoke(handler, {
        role,
        input: ScheduleTargetInput.fromText(input),
        deadLetterQueue: deadLetters,
        retryAttempts: RETRIES.retryAttempts,
        maxEventAge: RETRIES.maxEventAge,
      }),
    });
  for (const { id, description, expression, timezone, input } of sensor.schedules) {
    create(id, description, ScheduleExpression.expression(expression, TimeZone.of(timezone)), input);
  }
  if (sensor.sensors.length > 0) {
    const hourly = ScheduleExpression.expression('rate(1 hour)', TimeZone.of('UTC'));
    const description = 'Sweeps the buckets of the sensors for objects whose event was lost.';
    create('Sweeps', description, props.sweepEvery ?? hourly, '{"sweep":"*"}');
  }
}
