import { Duration } from 'aws-cdk-lib';
import { Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { OnEventOptions, Rule } from 'aws-cdk-lib/aws-events';
import { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import { IBucket } from 'aws-cdk-lib/aws-s3';
import { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct, IConstruct } from 'constructs';

/** A deployed project. */
export interface IPrecipProject extends IConstruct {
  /** The record: runs, materializations, failures. */
  readonly table: ITable;
  /** The data of assets (data/) and the files of runs (runs/). */
  readonly bucket: IBucket;
  /** The machine that people start. */
  readonly runMachine: IStateMachine;
  /** Allows to start runs. */
  grantStart(grantee: IGrantable): Grant;
  /** Allows to read the record, the data and the files of runs. */
  grantRead(grantee: IGrantable): Grant;
  /** Returns the number of runs that failed. */
  metricFailedRuns(options?: MetricOptions): Metric;
  /** Creates a rule for runs that failed, timed out or were stopped. */
  onRunFailed(id: string, options?: OnEventOptions): Rule;
}

/** What a project's deployment offers, wherever it was deployed. */
export abstract class ProjectBase extends Construct implements IPrecipProject {
  public abstract readonly table: ITable;
  public abstract readonly bucket: IBucket;
  public abstract readonly runMachine: IStateMachine;
  /** The name of the stack that deploys the project. */
  protected abstract readonly deployedName: string;

  /** Allows to start runs. */
  public grantStart(grantee: IGrantable): Grant {
    return this.runMachine.grantStartExecution(grantee);
  }

  /** Allows to read the record, the data and the files of runs. */
  public grantRead(grantee: IGrantable): Grant {
    return this.table.grantReadData(grantee).combine(this.bucket.grantRead(grantee));
  }

  /** Returns the number of runs that failed: in five minutes, unless `options` say otherwise. */
  public metricFailedRuns(options: MetricOptions = {}): Metric {
    return new Metric({
      namespace: `Precip/${this.deployedName}`,
      metricName: 'FailedRuns',
      statistic: 'Sum',
      period: Duration.minutes(5),
      ...options,
    });
  }

  /** Creates a rule for runs that failed, timed out or were stopped. */
  public onRunFailed(id: string, options: OnEventOptions = {}): Rule {
    const { target, eventPattern, ...rest } = options;
    const rule = new Rule(this, id, {
      ...rest,
      eventPattern: {
        ...eventPattern,
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: {
          ...eventPattern?.detail,
          status: ['FAILED', 'TIMED_OUT', 'ABORTED'],
          stateMachineArn: [this.runMachine.stateMachineArn],
        },
      },
    });
    rule.addTarget(target);
    return rule;
  }
}
