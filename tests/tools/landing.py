"""What comes to a deployed project from outside, on the emulator: files, messages, ticks.

    $PRECIP_TEST_PYTHON tests/tools/landing.py put BUCKET KEY...         puts a small file for each key
    .. announce QUEUE BUCKET SEED SHARE KEY...  sends what EventBridge would, a SHARE of it twice, shuffled
    .. say QUEUE TEXT                           sends a message
    .. waiting QUEUE                            prints how many messages are in a queue
    .. unplug QUEUE                             lets nobody take messages from a queue any more
    .. drain QUEUE FUNCTION SIZE                has a function called for what is in a queue, SIZE at a time
    .. mute RULE                                lets a rule hear nothing any more
    .. invoke FUNCTION JSON [TIMES]             invokes a function so often at once, prints the answers
    .. physical STACK LOGICAL-ID                prints what a resource of a stack is called
"""

import concurrent.futures
import datetime
import json
import random
import sys
import time

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
    print(left(sqs, url(sqs, queue)))


def unplug(queue):
    functions = client("lambda")
    arn = arn_of(queue)
    for mapping in functions.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)


def arn_of(queue):
    sqs = client("sqs")
    found = sqs.get_queue_attributes(QueueUrl=url(sqs, queue), AttributeNames=["QueueArn"])
    return found["Attributes"]["QueueArn"]


def drain(queue, function, size):
    """Does what Lambda does for a queue: the emulator hands out ten messages at a time, whatever BatchSize
    says. Two batches at once, and what the function did not say it has done comes again."""
    sqs, functions = client("sqs"), client("lambda")
    there, arn = url(sqs, queue), arn_of(queue)

    def batch():
        messages = []
        while len(messages) < int(size):
            found = sqs.receive_message(QueueUrl=there, MaxNumberOfMessages=10, WaitTimeSeconds=0)
            if not found.get("Messages"):
                break
            messages += found["Messages"]
        return messages

    def record(message):
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": {},
            "messageAttributes": {},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": arn,
            "awsRegion": "us-east-1",
        }

    def work(_):
        while messages := batch():
            payload = json.dumps({"Records": [record(message) for message in messages]})
            answer = functions.invoke(FunctionName=function, Payload=payload.encode())
            if "FunctionError" in answer:
                continue
            failed = {one["itemIdentifier"] for one in json.load(answer["Payload"])["batchItemFailures"]}
            done = [message for message in messages if message["MessageId"] not in failed]
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(done)
            ]
            for first in range(0, len(entries), 10):
                sqs.delete_message_batch(QueueUrl=there, Entries=entries[first : first + 10])

    while left(sqs, there) > 0:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(work, range(2)))
        time.sleep(0.2)


def left(sqs, there):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=there, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


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
    commands = [put, announce, say, waiting, unplug, drain, mute, invoke, physical]
    {command.__name__: command for command in commands}[sys.argv[1]](*sys.argv[2:])
