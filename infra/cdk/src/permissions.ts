import { Aws } from 'aws-cdk-lib';
import { Effect, IManagedPolicy, ManagedPolicy, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { bucketName, Context } from './context';
import { Access, ObjectSource } from './deployment';

/** Returns a statement that allows actions. */
export function allow(sid: string, actions: string[], resources: string[], conditions?: object): PolicyStatement {
  return new PolicyStatement({
    sid,
    effect: Effect.ALLOW,
    actions,
    resources,
    conditions: conditions as { [operator: string]: unknown } | undefined,
  });
}

/** A service assumes a role for this account alone. */
const OWN_ACCOUNT = { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } };

/** Creates the role of a function or a machine. Dead letters and traces are added by CDK. */
export function createRole(
  context: Context,
  id: string,
  service: string,
  statements: PolicyStatement[],
  managed: IManagedPolicy[] = [],
): Role {
  const { scope, props } = context;
  const policies = [...managed];
  if (props.vpc && service === 'lambda.amazonaws.com') {
    policies.push(ManagedPolicy.fromAwsManagedPolicyName('service-role/AWSLambdaVPCAccessExecutionRole'));
  }
  const role = new Role(scope, `${id}Role`, {
    assumedBy: new ServicePrincipal(service, service === 'lambda.amazonaws.com' ? {} : { conditions: OWN_ACCOUNT }),
    permissionsBoundary: props.permissionsBoundary,
    managedPolicies: policies,
    inlinePolicies: statements.length === 0 ? undefined : { access: new PolicyDocument({ statements }) },
  });
  props.encryptionKey?.grantEncryptDecrypt(role);
  return role;
}

/** Returns the permissions on rows of the table. */
export function tableAccess(context: Context, access: Access[]): PolicyStatement[] {
  return access.map(({ sid, actions, keys }) =>
    allow(sid, actions, [context.table.tableArn], { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys } }),
  );
}

/** Returns the permission to write to a function's own log. */
export function ownLog(log: ILogGroup): PolicyStatement {
  return allow('Log', ['logs:CreateLogStream', 'logs:PutLogEvents'], [log.logGroupArn]);
}

/** Returns the permission to list objects of the project's bucket. */
export function listOwnBucket(context: Context, sid: string, prefixes: string[]): PolicyStatement {
  // Without it, a missing file is "access denied".
  const condition = { StringLikeIfExists: { 's3:prefix': prefixes } };
  return allow(sid, ['s3:ListBucket'], [context.bucket.bucketArn], condition);
}

/** Returns the permissions to list the objects of sensors. */
export function listWatchedBuckets(context: Context, operator: string): PolicyStatement[] {
  return watched(context).map(source => {
    const condition = { [operator]: { 's3:prefix': `${source.prefix}*` } };
    return allow(`List${source.source_name}`, ['s3:ListBucket'], [watchedArn(context, source)], condition);
  });
}

/** Returns the permission to read the objects of sensors. */
export function readWatchedBuckets(context: Context): PolicyStatement[] {
  const objects = watched(context).map(source => `${watchedArn(context, source)}/${source.prefix}*`);
  return objects.length === 0 ? [] : [allow('FilesOfSensors', ['s3:GetObject'], objects)];
}

/** Returns the permission to read the project's secrets. */
export function readSecrets(context: Context): PolicyStatement[] {
  // Secrets Manager adds six characters to a name.
  const arns = context.deployment.secrets.map(name =>
    name.startsWith('arn:')
      ? name
      : `arn:${Aws.PARTITION}:secretsmanager:${Aws.REGION}:${Aws.ACCOUNT_ID}:secret:${name}-??????`,
  );
  return arns.length === 0 ? [] : [allow('Secrets', ['secretsmanager:GetSecretValue'], arns)];
}

function watched(context: Context): ObjectSource[] {
  return context.deployment.sensor?.sensors ?? [];
}

function watchedArn(context: Context, source: ObjectSource): string {
  return `arn:${Aws.PARTITION}:s3:::${bucketName(context, source.bucket)}`;
}
