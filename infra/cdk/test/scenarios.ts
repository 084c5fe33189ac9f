// The sample project in two forms: with defaults, and with every option that the SAM template has as a parameter.
// `tests/tools/cdk/parameters.json` has the same values as parameters.

import { Duration, TimeZone } from 'aws-cdk-lib';
import { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { ApplicationLogLevel, Architecture } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { PrecipProjectProps } from '../src';

const ACCOUNT = '123456789012';

/** Returns the properties of a scenario: `defaults` or `options`. */
export function scenario(scope: Construct, name: string): Partial<PrecipProjectProps> {
  if (name === 'defaults') {
    return {};
  }
  const policy = (id: string) => ManagedPolicy.fromManagedPolicyArn(scope, id, `arn:aws:iam::${ACCOUNT}:policy/${id}`);
  const topic = (id: string) => Topic.fromTopicArn(scope, id, `arn:aws:sns:us-east-1:${ACCOUNT}:${id}`);
  return {
    stage: 'prod',
    architecture: Architecture.ARM_64,
    permissionsBoundary: policy('boundary'),
    materializerPolicy: policy('materializer'),
    deletionProtection: false,
    maxConcurrency: 50,
    materializerConcurrency: 200,
    reactorBatching: Duration.seconds(10),
    sensorBatching: Duration.seconds(20),
    sweepEvery: ScheduleExpression.expression('rate(2 hours)', TimeZone.of('UTC')),
    alarmTopic: topic('alarms'),
    freshnessTopic: topic('freshness'),
    logLevel: ApplicationLogLevel.DEBUG,
    logRetention: RetentionDays.ONE_WEEK,
    runRetention: Duration.days(14),
    variables: { FLIGHTS_LANDING: 'landing-flights-prod' },
  };
}
