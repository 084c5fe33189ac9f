import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Function } from 'aws-cdk-lib/aws-lambda';
import { FilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Context } from './context';

/** What alarms watch. */
export interface Watched {
  readonly failedRuns: Metric;
  readonly planner: Function;
  readonly reactor: Function;
  readonly deadLetters: Queue;
  readonly sensor?: Function;
  readonly sensorDeadLetters?: Queue;
  readonly tickDeadLetters?: Queue;
  /** The materializers with their logical ids. */
  readonly materializers: [string, string, Function][];
}

const SUM = { statistic: 'Sum', period: Duration.minutes(5) };
const MAXIMUM = { statistic: 'Maximum', period: Duration.minutes(5) };
const AVERAGE = { statistic: 'Average', period: Duration.minutes(5) };

/** Creates the alarms of a project. */
export function createAlarms(context: Context, watched: Watched): void {
  const { alarmTopic } = context.props;
  const alarm = (id: string, alarmDescription: string, metric: Metric, evaluationPeriods: number, threshold = 0) => {
    const created = new Alarm(context.scope, `${id}Alarm`, {
      alarmDescription,
      metric,
      evaluationPeriods,
      threshold,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    if (alarmTopic) {
      created.addAlarmAction(new SnsAction(alarmTopic));
      created.addOkAction(new SnsAction(alarmTopic));
    }
  };
  const { failedRuns, planner, reactor, sensor } = watched;
  const messages = (queue: Queue) => queue.metricApproximateNumberOfMessagesVisible(MAXIMUM);
  alarm('FailedRuns', 'A run failed. `runs` lists it, `run ID` shows the failures, and a redrive of its execution or `retry ID` runs what is left.', failedRuns, 1);
  alarm('PlannerFailures', 'The planner failed: runs cannot be planned or ended. Its log shows the error.', createMetrics(context, planner), 2);
  alarm('PlannerThrottles', 'The planner is throttled: the account has no concurrency left.', planner.metricThrottles(SUM), 3);
  alarm('ReactorErrors', 'The reactor failed: status and progress are out of date. Its log shows the error.', reactor.metricErrors(SUM), 3);
  alarm('ReactorThrottles', 'The reactor is throttled: the account has no concurrency left.', reactor.metricThrottles(SUM), 3);
  alarm('ReactorLag', "The reactor is more than 15 minutes behind the table's stream, which keeps changes for a day.", reactor.metric('IteratorAge', MAXIMUM), 1, 900000);
  alarm('DeadLetters', 'There are events that could not be handled, even after retries. They are the messages in the queue.', messages(watched.deadLetters), 1);
  if (sensor) {
    alarm('SensorErrors', 'The sensor function failed: files and ticks start no runs until it is retried. Its log shows the error.', sensor.metricErrors(SUM), 3);
    alarm('SensorThrottles', 'The sensor function is throttled: the account has no concurrency left.', sensor.metricThrottles(SUM), 3);
  }
  if (watched.sensorDeadLetters) {
    alarm('SensorDeadLetters', "There are files whose sensor could not be evaluated, even after retries. Fix the error in the function's log, then redrive the queue.", messages(watched.sensorDeadLetters), 1);
  }
  if (watched.tickDeadLetters) {
    alarm('TickDeadLetters', 'There are ticks or sweeps that could not be evaluated, even after retries. The next one catches up.', messages(watched.tickDeadLetters), 1);
  }
  for (const [id, name, materializer] of watched.materializers) {
    // The average of Lambda's errors is the share of the attempts that failed.
    alarm(`${id}Errors`, `More than a tenth of the attempts of ${name} failed, for a quarter of an hour. The run lists the partitions.`, materializer.metricErrors(AVERAGE), 3, 0.1);
    alarm(`${id}Throttles`, `${name} has been throttled for a quarter of an hour: lower MaxConcurrency, or raise MaterializerConcurrency or the account's limit.`, materializer.metricThrottles(SUM), 3);
  }
}

/**
 * Counts failed runs and failures of the planner itself from its log, and returns the metric of the latter. Lambda
 * counts every answered error, also that a run failed or that an input was mistyped.
 */
function createMetrics(context: Context, planner: Function): Metric {
  const metricNamespace = `Precip/${context.name}`;
  const count = (metricName: string, pattern: string) =>
    new MetricFilter(context.scope, metricName, {
      logGroup: planner.logGroup,
      filterPattern: FilterPattern.literal(pattern),
      metricNamespace,
      metricName,
      metricValue: '1',
    });
  count('FailedRuns', '{ $.message = "a run failed" }');
  const failures = count(
    'PlannerFailures',
    '{ $.message = "the planner failed" || $.message = "the function cannot start" || ' +
      '$.record.status = "timeout" || $.record.errorType = "Runtime.*" }',
  );
  return failures.metric(SUM);
}
