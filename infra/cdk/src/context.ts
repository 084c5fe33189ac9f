import { Aws, Stack } from 'aws-cdk-lib';
import { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { Deployment, listNames, WatchedBucket } from './deployment';
import { PrecipProjectProps } from './props';

/** What the parts of a project are created from. */
export interface Context {
  readonly scope: Construct;
  readonly deployment: Deployment;
  readonly props: PrecipProjectProps;
  /** The name of the stack, with which all names begin. */
  readonly name: string;
  readonly table: ITable;
  readonly bucket: IBucket;
  /** The values of the project's variables. */
  readonly variables: { [name: string]: string };
}

/** Returns the ARN of a resource of this account and region. */
export function localArn(service: string, resource: string): string {
  return `arn:${Aws.PARTITION}:${service}:${Aws.REGION}:${Aws.ACCOUNT_ID}:${resource}`;
}

/** Returns the stack's name, which has to be known when names are composed of it. */
export function nameOf(scope: Construct): string {
  return Stack.of(scope).stackName;
}

/** Returns the name of the bucket that a sensor watches. */
export function bucketName(context: Context, bucket: WatchedBucket): string {
  if (bucket === 'own') {
    return context.bucket.bucketName;
  }
  return 'name' in bucket ? bucket.name : context.variables[bucket.variable];
}

/** Returns the value of each variable, or refuses a missing or unknown one. */
export function variableValues(deployment: Deployment, props: PrecipProjectProps): { [name: string]: string } {
  const known = deployment.variables.map(variable => variable.name);
  const given: { [name: string]: string } = { ...props.variables };
  for (const [name, bucket] of Object.entries(props.landingBuckets ?? {})) {
    if (name in given) {
      throw new Error(`Variable \`${name}\` is in \`variables\` and in \`landingBuckets\`: give it once`);
    }
    given[name] = bucket.bucketName;
  }
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) {
      throw new Error(`The project reads no variable \`${name}\`. It reads ${listNames(known)}`);
    }
  }
  const values: { [name: string]: string } = {};
  for (const variable of deployment.variables) {
    const value = given[variable.name] ?? variable.default ?? (variable.optional ? '' : undefined);
    if (value === undefined) {
      throw new Error(
        `Variable \`${variable.name}\` has no value: add it to \`variables\`. ${variable.description}`,
      );
    }
    values[variable.name] = value;
  }
  return values;
}
