"""What comes to a deployed project from outside, on the emulator: files, messages, ticks.

    $PRECIP_TEST_PYTHON tests/graphs/landing.py put BUCKET KEY...         puts a small file for each key
    .. announce QUEUE BUCKET SEED SHARE KEY...  sends what EventBridge would, a SHARE of it twice, shuffled
    .. say QUEUE TEXT                           sends a message
    .. waiting QUEUE                            prints how many messages are in a queue
    .. mute RULE                                lets a rule hear nothing any more
    .. invoke FUNCTION JSON [TIMES]             invokes a function so often at once, prints the answers
    .. physical STACK LOGICAL-ID                prints what a resource of a stack is called
"""

import concurrent.futures
import datetime
import json
import random
import sys

from deploy import client

AT_ONCE = 8


def each(work, items):
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, items))


def put(bucket, *keys):
    s3 = client("s3")
    each(lambda key: s3.put_object(Bucket=bucket, Key=key, Body=b"1"), keys)


def event(bucket, key, number):
    """What EventBridge says of a file that was put, the number-th of all."""
    at = datetime.datetime(2024, 1, 6, 11, tzinfo=datetime.UTC) + datetime.timedelta(seconds=number)
    return {
        "version": "0",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket},
            "object": {"key": key, "size": 1, "etag": f"{number:032x}", "sequencer": f"{number:018X}"},
            "reason": "PutObject",
        },
    }


def url(sqs, queue):
    return sqs.get_queue_url(QueueName=queue)["QueueUrl"]


def send(queue, bodies):
    sqs = client("sqs")
    there = url(sqs, queue)
    entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
    tens = [entries[first : first + 10] for first in range(0, len(entries), 10)]
    each(lambda ten: sqs.send_message_batch(QueueUrl=there, Entries=ten), tens)


def announce(queue, bucket, seed, share, *keys):
    chance = random.Random(int(seed))
    events = [event(bucket, key, number) for number, key in enumerate(keys)]
    events += chance.sample(events, int(float(share) * len(events)))
    chance.shuffle(events)
    send(queue, [json.dumps(one) for one in events])


def say(queue, text):
    send(queue, [text])


def waiting(queue):
    sqs = client("sqs")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=url(sqs, queue), AttributeNames=names)["Attributes"]
    print(sum(int(found[name]) for name in names))


def mute(rule):
    client("events").disable_rule(Name=rule)


def invoke(function, payload, times="1"):
    functions = client("lambda")

    def one(_):
        answer = functions.invoke(FunctionName=function, Payload=payload.encode())
        return {"failed": "FunctionError" in answer, "answer": json.load(answer["Payload"])}

    print(json.dumps(each(one, range(int(times)))))


def physical(stack, logical):
    found = client("cloudformation").describe_stack_resource(StackName=stack, LogicalResourceId=logical)
    print(found["StackResourceDetail"]["PhysicalResourceId"])


if __name__ == "__main__":
    commands = [put, announce, say, waiting, mute, invoke, physical]
    {command.__name__: command for command in commands}[sys.argv[1]](*sys.argv[2:])
