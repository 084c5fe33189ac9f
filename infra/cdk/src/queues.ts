import { Duration } from 'aws-cdk-lib';
import { DeadLetterQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Context } from './context';

/** The settings of a queue that differ. */
interface QueueSettings {
  readonly queueName?: string;
  readonly visibilityTimeout?: Duration;
  readonly deadLetterQueue?: DeadLetterQueue;
}

/** Creates a queue. Messages stay as long as SQS allows. */
export function createDeadLetters(context: Context, id: string): Queue {
  return createQueue(context, id, Duration.days(14), {});
}

/** Creates an encrypted queue, which is reached over TLS only. */
export function createQueue(context: Context, id: string, retentionPeriod: Duration, settings: QueueSettings): Queue {
  const encryptionMasterKey = context.props.encryptionKey;
  return new Queue(context.scope, id, {
    retentionPeriod,
    encryption: encryptionMasterKey ? QueueEncryption.KMS : QueueEncryption.SQS_MANAGED,
    encryptionMasterKey,
    enforceSSL: true,
    ...settings,
  });
}
