import { CfnOutput, Fn, Stack } from 'aws-cdk-lib';
import { PrecipProject } from './project';

/** Creates the outputs of a stack, with the names that the SAM template gives them. */
export function createOutputs(project: PrecipProject, environment: string | null): void {
  const stack = Stack.of(project).stackName;
  const output = (id: string, value: string, description: string) => {
    const created = new CfnOutput(project, id, { value, description, exportName: `${stack}:${id}` });
    created.overrideLogicalId(id);
  };
  const { table, bucket, runMachine, backfillMachine, queues, functions, freshnessTopic } = project;
  // A name that a shell would read as something else is left to the person.
  const shell = environment !== null && /^[A-Za-z0-9._-]+$/.test(environment) ? ` PRECIP_ENV=${environment}` : '';
  output(
    'CommandLine',
    `export PRECIP_ON=aws PRECIP_TABLE=${table.tableName} PRECIP_BUCKET=${bucket.bucketName} ` +
      `PRECIP_STATE_MACHINE_ARN=${runMachine.stateMachineArn}${shell}`,
    "Lets the project's command line act on this deployment: run it in a shell.",
  );
  output('RunStateMachineArn', runMachine.stateMachineArn, 'The machine that starts runs.');
  output('BackfillStateMachineArn', backfillMachine.stateMachineArn, 'The machine of large runs. Only a run starts it.');
  output('BucketName', bucket.bucketName, 'Files for the project are dropped below landing/; the data of assets is below data/.');
  output('TableName', table.tableName, 'The record.');
  output('DeadLettersUrl', queues['dead-letters'].queueUrl, 'Events that could not be handled.');
  if (functions.sensor) {
    output('SensorFunctionName', functions.sensor.functionName, "Starts runs, and sweeps the sensors' buckets.");
    output('TickDeadLettersUrl', queues['tick-dead-letters'].queueUrl, 'Ticks and sweeps that could not be evaluated. The next one catches up.');
  }
  if (queues['sensor-dead-letters']) {
    output('SensorDeadLettersArn', queues['sensor-dead-letters'].queueArn, 'Files whose sensor could not be evaluated.');
  }
  if (freshnessTopic) {
    output('FreshnessTopicArn', freshnessTopic.topicArn, 'Messages about assets whose data becomes too old, or fresh again.');
  }
}

/** Returns an output of another stack. */
export function importOutput(stackName: string, id: string): string {
  return Fn.importValue(`${stackName}:${id}`);
}
