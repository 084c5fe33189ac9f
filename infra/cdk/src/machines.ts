import { existsSync } from 'fs';
import { Aws } from 'aws-cdk-lib';
import { Function } from 'aws-cdk-lib/aws-lambda';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Context, localArn } from './context';
import { Machine } from './deployment';
import { createLog } from './functions';
import { allow, createRole } from './permissions';

/** Creates the machine of large runs: a child for each row of a manifest. */
export function createBackfillMachine(context: Context, functions: Map<string, Function>): StateMachine {
  const { deployment, bucket } = context;
  const name = `${context.name}-backfill`;
  const results = ['s3:GetObject', 's3:PutObject', 's3:ListMultipartUploadParts', 's3:AbortMultipartUpload'];
  const follow = ['states:DescribeExecution', 'states:StopExecution', 'states:RedriveExecution'];
  const children = [localArn('states', `execution:${name}:*`), localArn('states', `execution:${name}/*`)];
  return createMachine(context, 'Backfill', name, deployment.backfill, functions, undefined, [
    // A Distributed Map starts its own machine, by name: the machine needs this role first.
    allow('StartChildren', ['states:StartExecution'], [localArn('states', `stateMachine:${name}`)]),
    allow('FollowChildren', follow, children),
    allow('ReadManifests', ['s3:GetObject'], [`${bucket.bucketArn}/runs/*`]),
    allow('WriteResults', results, [`${bucket.bucketArn}/runs/*/results/*`]),
  ]);
}

/** Creates the machine that people start: it runs small runs itself and hands large ones to the other machine. */
export function createRunMachine(
  context: Context,
  functions: Map<string, Function>,
  backfill: StateMachine,
): StateMachine {
  const executions = localArn('states', `execution:${context.name}-backfill:*`);
  const rule = localArn('events', 'rule/StepFunctionsGetEventsForStepFunctionsExecutionRule');
  return createMachine(context, 'Run', context.name, context.deployment.run, functions, backfill, [
    // The settings of an account have no resource of their own.
    allow('AskForConcurrency', ['lambda:GetAccountSettings'], ['*']),
    allow('StartBackfill', ['states:StartExecution'], [backfill.stateMachineArn]),
    allow('FollowBackfill', ['states:DescribeExecution', 'states:StopExecution'], [executions]),
    // The rule that Step Functions creates for startExecution.sync.
    allow('HearOfItsEnd', ['events:PutTargets', 'events:PutRule', 'events:DescribeRule'], [rule]),
  ]);
}

function createMachine(
  context: Context,
  id: string,
  name: string,
  machine: Machine,
  functions: Map<string, Function>,
  backfill: StateMachine | undefined,
  statements: PolicyStatement[],
): StateMachine {
  if (!existsSync(machine.definition)) {
    throw new Error(`There is no file ${machine.definition}: run \`synth --cdk\` in the folder of the project`);
  }
  const arnOf = (called: string) => functions.get(called)!.functionArn;
  const valueOf = (resource: string) => {
    switch (resource) {
      case 'Bucket':
        return context.bucket.bucketName;
      case 'Backfill':
        return backfill!.stateMachineArn;
      case 'AWS::Partition':
        return Aws.PARTITION;
      default:
        return arnOf(resource);
    }
  };
  const substitutions = Object.entries(machine.substitutions).map(([key, resource]) => [key, valueOf(resource)]);
  const role = createRole(context, id, 'states.amazonaws.com', [
    allow('Functions', ['lambda:InvokeFunction'], machine.functions.map(arnOf)),
    ...statements,
  ]);
  return new StateMachine(context.scope, id, {
    stateMachineName: name,
    stateMachineType: StateMachineType.STANDARD,
    definitionBody: DefinitionBody.fromFile(machine.definition),
    definitionSubstitutions: Object.fromEntries(substitutions),
    role,
    tracingEnabled: true,
    logs: {
      level: LogLevel.ERROR,
      includeExecutionData: false,
      destination: createLog(context, id, name, '/aws/vendedlogs/states/'),
    },
  });
}
