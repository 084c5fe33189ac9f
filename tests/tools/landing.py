"""Sends a deployed project on the emulator what comes from outside: files, messages, ticks.

$PRECIP_TEST_PYTHON tests/tools/landing.py put BUCKET KEY...         puts a small file for each key
.. write BUCKET KEY TEXT                    puts a file with this content
.. announce QUEUE BUCKET SEED SHARE KEY...  sends the events of EventBridge, a SHARE of them twice, shuffled
.. say QUEUE TEXT                           sends a message
.. waiting QUEUE                            prints how many messages are in a queue
.. unplug QUEUE                             stops deliveries from a queue
.. drain QUEUE FUNCTION SIZE                calls a function with the messages of a queue, SIZE at a time
.. mute RULE                                disables a rule
.. invoke FUNCTION JSON [TIMES]             invokes a function so many times at once, prints the answers
.. history EXECUTION-ARN                    prints the histories of an execution and of its Map Runs' children
.. physical STACK LOGICAL-ID                prints the physical name of a resource of a stack
"""

import concurrent.futures
import datetime
import json
import random
import sys
import time

from deploy import client

AT_ONCE = 8


def map_threads(work, items):
    """Calls `work` for each item in several threads, and returns the results in order."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, items))


def put(bucket, *keys):
    s3 = client("s3")
    map_threads(lambda key: s3.put_object(Bucket=bucket, Key=key, Body=b"1"), keys)


def write(bucket, key, text):
    client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())


def object_event(bucket, key, number):
    """Returns the event of EventBridge for the number-th uploaded file."""
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


def queue_url(sqs, queue):
    return sqs.get_queue_url(QueueName=queue)["QueueUrl"]


def send_messages(queue, bodies):
    sqs = client("sqs")
    address = queue_url(sqs, queue)
    entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
    tens = [entries[first : first + 10] for first in range(0, len(entries), 10)]
    map_threads(lambda ten: sqs.send_message_batch(QueueUrl=address, Entries=ten), tens)


def announce(queue, bucket, seed, share, *keys):
    chance = random.Random(int(seed))
    events = [object_event(bucket, key, number) for number, key in enumerate(keys)]
    events += chance.sample(events, int(float(share) * len(events)))
    chance.shuffle(events)
    send_messages(queue, [json.dumps(one) for one in events])


def say(queue, text):
    send_messages(queue, [text])


def waiting(queue):
    sqs = client("sqs")
    print(count_messages(sqs, queue_url(sqs, queue)))


def unplug(queue):
    functions = client("lambda")
    arn = queue_arn(queue)
    for mapping in functions.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)


def queue_arn(queue):
    sqs = client("sqs")
    found = sqs.get_queue_attributes(QueueUrl=queue_url(sqs, queue), AttributeNames=["QueueArn"])
    return found["Attributes"]["QueueArn"]


def drain(queue, function, size):
    """Delivers the messages of a queue as Lambda does, two batches at once: the emulator delivers ten messages at a
    time, whatever BatchSize is. Messages that the function reports as failed are delivered again."""
    sqs, functions = client("sqs"), client("lambda")
    address, arn = queue_url(sqs, queue), queue_arn(queue)

    def batch():
        messages = []
        while len(messages) < int(size):
            found = sqs.receive_message(QueueUrl=address, MaxNumberOfMessages=10, WaitTimeSeconds=0)
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
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]} for number, message in enumerate(done)
            ]
            for first in range(0, len(entries), 10):
                sqs.delete_message_batch(QueueUrl=address, Entries=entries[first : first + 10])

    while count_messages(sqs, address) > 0:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(work, range(2)))
        time.sleep(0.2)


def count_messages(sqs, address):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=address, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def mute(rule):
    client("events").disable_rule(Name=rule)


def invoke(function, payload, times="1"):
    functions = client("lambda")

    def one(_):
        answer = functions.invoke(FunctionName=function, Payload=payload.encode())
        return {"failed": "FunctionError" in answer, "answer": json.load(answer["Payload"])}

    print(json.dumps(map_threads(one, range(int(times)))))


def history(arn):
    machines = client("stepfunctions")

    def events(arn):
        pages = machines.get_paginator("get_execution_history").paginate(executionArn=arn)
        return [event for page in pages for event in page["events"]]

    def shorten(event):
        details = [value for key, value in event.items() if key.endswith("EventDetails")]
        name = details[0].get("name") if details else None
        return [event["type"], name]

    own = events(arn)
    runs = [event["mapRunStartedEventDetails"]["mapRunArn"] for event in own if event["type"] == "MapRunStarted"]
    listed = [machines.get_paginator("list_executions").paginate(mapRunArn=run) for run in runs]
    children = [found["executionArn"] for pages in listed for page in pages for found in page["executions"]]
    histories = {
        "own": [shorten(event) for event in own],
        "children": [[shorten(event) for event in events(child)] for child in children],
    }
    print(json.dumps(histories))


def physical(stack, logical):
    found = client("cloudformation").describe_stack_resource(StackName=stack, LogicalResourceId=logical)
    print(found["StackResourceDetail"]["PhysicalResourceId"])


if __name__ == "__main__":
    commands = [put, write, announce, say, waiting, unplug, drain, mute, invoke, history, physical]
    {command.__name__: command for command in commands}[sys.argv[1]](*sys.argv[2:])
