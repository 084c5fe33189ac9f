import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { IManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { IKey } from 'aws-cdk-lib/aws-kms';
import { ApplicationLogLevel, Architecture, FunctionOptions } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { IBucket } from 'aws-cdk-lib/aws-s3';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { ITopic } from 'aws-cdk-lib/aws-sns';

/** The settings of a project's deployment. */
export interface PrecipProjectProps {
  /** Path of the deployment manifest, `deployment.json`, which `synth --cdk` writes. */
  readonly manifest: string;

  /** Folder with a zip for each function, as `cargo lambda build --output-format zip` writes them. */
  readonly code: string;

  /**
   * Environment of the project that the manifest has to be of.
   * @default - the manifest's, unchecked
   */
  readonly environment?: string;

  /**
   * Name of this deployment, a tag of all its resources.
   * @default 'dev'
   */
  readonly stage?: string;

  /**
   * Values of the variables that the project reads, by name.
   * @default - the project's defaults
   */
  readonly variables?: { [name: string]: string };

  /**
   * Buckets that variables name, by variable. Each has to send its events to EventBridge.
   * @default - the names in `variables`
   */
  readonly landingBuckets?: { [variable: string]: IBucket };

  /**
   * Bucket for the data of assets and the files of runs.
   * @default - a new bucket
   */
  readonly existingBucket?: IBucket;

  /**
   * Table for the record, with the keys `pk` and `sk`, the TTL `ttl`, and a stream of new and old images.
   * @default - a new table
   */
  readonly existingTable?: ITable;

  /**
   * Processor that the functions were built for.
   * @default - the manifest's
   */
  readonly architecture?: Architecture;

  /**
   * Options of single functions, by their names in `functions`: they override those of the project. `role` is the
   * project's.
   * @default - none
   */
  readonly functionOptions?: { [name: string]: FunctionOptions };

  /**
   * VPC that the functions run in. They need a way to DynamoDB, S3, Step Functions and what else they call.
   * @default - none
   */
  readonly vpc?: IVpc;

  /**
   * Subnets of the functions.
   * @default - the private subnets
   */
  readonly vpcSubnets?: SubnetSelection;

  /**
   * Security groups of the functions.
   * @default - a new one for each function
   */
  readonly securityGroups?: ISecurityGroup[];

  /**
   * Key that encrypts the table, the bucket, the queues and the topic that are created.
   * @default - keys of AWS
   */
  readonly encryptionKey?: IKey;

  /**
   * Topic that alarms are sent to.
   * @default - alarms are visible in CloudWatch only
   */
  readonly alarmTopic?: ITopic;

  /**
   * Topic for changes of freshness.
   * @default - a new topic, if assets have freshness policies
   */
  readonly freshnessTopic?: ITopic;

  /**
   * Managed policy that bounds every role.
   * @default - none
   */
  readonly permissionsBoundary?: IManagedPolicy;

  /**
   * Managed policy for AWS calls by the assets' own code.
   * @default - none
   */
  readonly materializerPolicy?: IManagedPolicy;

  /**
   * What becomes of the table and the bucket when the stack is deleted.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * Whether the table is protected from deletion.
   * @default - true, unless `removalPolicy` is DESTROY
   */
  readonly deletionProtection?: boolean;

  /**
   * Number of functions that a run invokes at once, at most. A run takes no more than four fifths of the account's
   * concurrency, unless some is reserved.
   * @default 800
   */
  readonly maxConcurrency?: number;

  /**
   * Concurrency reserved for each materializer, which is also its limit.
   * @default - nothing is reserved
   */
  readonly materializerConcurrency?: number;

  /**
   * Time that the reactor waits for more changes of the table.
   * @default - 1 second, or 3 seconds if nothing reacts to changes
   */
  readonly reactorBatching?: Duration;

  /**
   * Time that a sensor waits for more files before it starts a run.
   * @default Duration.seconds(1)
   */
  readonly sensorBatching?: Duration;

  /**
   * Times of sweeps of the sensors' buckets for files whose event was lost.
   * @default - every hour
   */
  readonly sweepEvery?: ScheduleExpression;

  /**
   * The lowest level of messages that the functions log.
   * @default ApplicationLogLevel.INFO
   */
  readonly logLevel?: ApplicationLogLevel;

  /**
   * Retention of logs.
   * @default RetentionDays.ONE_MONTH
   */
  readonly logRetention?: RetentionDays;

  /**
   * Retention of the files of runs. The record of runs is in the table.
   * @default Duration.days(90)
   */
  readonly runRetention?: Duration;
}
