import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ITable, StreamViewType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import { BlockPublicAccess, Bucket, BucketEncryption, CfnBucket, IBucket, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { Deployment } from './deployment';
import { PrecipProjectProps } from './props';

/** Creates the table of the record: runs, materializations, failures. */
export function createTable(scope: Construct, props: PrecipProjectProps): ITable {
  const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
  return new Table(scope, 'Table', {
    billingMode: BillingMode.PAY_PER_REQUEST,
    partitionKey: { name: 'pk', type: AttributeType.STRING },
    sortKey: { name: 'sk', type: AttributeType.STRING },
    stream: StreamViewType.NEW_AND_OLD_IMAGES,
    timeToLiveAttribute: 'ttl',
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    encryption: props.encryptionKey ? TableEncryption.CUSTOMER_MANAGED : TableEncryption.AWS_MANAGED,
    encryptionKey: props.encryptionKey,
    deletionProtection: props.deletionProtection ?? removalPolicy !== RemovalPolicy.DESTROY,
    removalPolicy,
  });
}

/** Creates the bucket of data (data/), files of runs (runs/) and landing files (landing/). */
export function createBucket(scope: Construct, props: PrecipProjectProps, deployment: Deployment): IBucket {
  const bucket = new Bucket(scope, 'Bucket', {
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    encryption: props.encryptionKey ? BucketEncryption.KMS : BucketEncryption.S3_MANAGED,
    encryptionKey: props.encryptionKey,
    enforceSSL: true,
    versioned: true,
    lifecycleRules: [
      { id: 'FilesOfRuns', prefix: 'runs/', expiration: props.runRetention ?? Duration.days(90) },
      {
        id: 'WhatWasReplacedOrDeleted',
        noncurrentVersionExpiration: Duration.days(30),
        abortIncompleteMultipartUploadAfter: Duration.days(1),
      },
    ],
    removalPolicy: props.removalPolicy ?? RemovalPolicy.RETAIN,
  });
  // Each object that is written then costs an event, so only where a sensor listens.
  if (deployment.sensor?.sensors.some(source => source.bucket === 'own')) {
    // `eventBridgeEnabled` of the bucket adds a function in Python, which calls S3 for this setting.
    (bucket.node.defaultChild as CfnBucket).notificationConfiguration = {
      eventBridgeConfiguration: { eventBridgeEnabled: true },
    };
  }
  return bucket;
}
