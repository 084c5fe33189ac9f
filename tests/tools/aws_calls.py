"""Names the actions that a call to AWS needs, from its HTTP request.

Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>
"""

import json
import re
import urllib.parse

from iam import UnknownError

REGION = "us-east-1"
ACCOUNT = "000000000000"

# The actions of a transaction's writes, by the name of the write.
WRITES = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
OBJECT_ACTIONS = {
    "GET": "GetObject",
    "HEAD": "GetObject",
    "PUT": "PutObject",
    "POST": "PutObject",
    "DELETE": "DeleteObject",
}


def table_request(body, kind, name, keys):
    """Returns the action on a table, or on an index of it, with the partition keys that it touches."""
    table_arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"
    index = body.get("IndexName")
    resource = f"{table_arn}/index/{index}" if index else table_arn
    return f"dynamodb:{kind}", resource, {"dynamodb:LeadingKeys": sorted(set(keys))}


def partition_key_of(key):
    """Returns the partition key of a key or an item."""
    return key["pk"]["S"]


def dynamodb_requests(operation, body):
    """Yields the actions of a call to DynamoDB. A transaction needs the actions of each of its parts."""
    if operation in ("GetItem", "UpdateItem", "DeleteItem"):
        yield table_request(body, operation, body["TableName"], [partition_key_of(body["Key"])])
    elif operation == "PutItem":
        yield table_request(body, operation, body["TableName"], [partition_key_of(body["Item"])])
    elif operation == "Query":
        names, values = body.get("ExpressionAttributeNames", {}), body["ExpressionAttributeValues"]
        for name, value in re.findall(r"([#\w]+)\s*=\s*(:\w+)", body["KeyConditionExpression"]):
            if names.get(name, name) == "pk":
                yield table_request(body, operation, body["TableName"], [values[value]["S"]])
                return
        raise UnknownError(f"query {body['KeyConditionExpression']}")
    elif operation == "BatchGetItem":
        for name, wanted in body["RequestItems"].items():
            yield table_request(body, operation, name, [partition_key_of(key) for key in wanted["Keys"]])
    elif operation == "BatchWriteItem":
        for name, wanted in body["RequestItems"].items():
            items = [w["PutRequest"]["Item"] if "PutRequest" in w else w["DeleteRequest"]["Key"] for w in wanted]
            yield table_request(body, operation, name, [partition_key_of(item) for item in items])
    elif operation in ("TransactWriteItems", "TransactGetItems"):
        for item in body["TransactItems"]:
            ((kind, call),) = item.items()
            key = call["Item"] if kind == "Put" else call["Key"]
            yield table_request(body, WRITES.get(kind, "GetItem"), call["TableName"], [partition_key_of(key)])
    else:
        raise UnknownError(f"dynamodb:{operation}")


def s3_requests(method, path, query):
    """Yields the action of a call to S3."""
    bucket, _, key = urllib.parse.unquote(path.lstrip("/")).partition("/")
    bucket_arn = f"arn:aws:s3:::{bucket}"
    if not key:
        if method not in ("GET", "HEAD"):
            raise UnknownError(f"{method} {path}?{query}")
        context = {"s3:prefix": [query["prefix"]]} if "prefix" in query else {}
        yield "s3:ListBucket", bucket_arn, context
        return
    action = OBJECT_ACTIONS[method]
    if method == "DELETE" and "uploadId" in query:
        action = "AbortMultipartUpload"
    yield f"s3:{action}", f"{bucket_arn}/{key}", {}


def scheduler_requests(method, path, body):
    """Yields the actions of a call to EventBridge Scheduler, which passes the schedule's role on."""
    name = urllib.parse.unquote(path.removeprefix("/schedules/"))
    wanted = json.loads(body)
    if method != "POST":
        raise UnknownError(f"{method} {path}")
    group = wanted.get("GroupName", "default")
    yield "scheduler:CreateSchedule", f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/{group}/{name}", {}
    yield "iam:PassRole", wanted["Target"]["RoleArn"], {"iam:PassedToService": ["scheduler.amazonaws.com"]}


def requests_of_call(method, target, headers, body):
    """Returns each (action, resource, context) that has to be allowed for a call."""
    path, _, query = target.partition("?")
    query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
    service, _, operation = headers.get("x-amz-target", "").partition(".")
    if service.startswith("DynamoDB_"):
        return list(dynamodb_requests(operation, json.loads(body)))
    if service == "AWSStepFunctions":
        wanted = json.loads(body)
        return [(f"states:{operation}", wanted.get("stateMachineArn") or wanted["executionArn"], {})]
    if service == "AmazonSQS":
        name = json.loads(body)["QueueUrl"].rsplit("/", 1)[1]
        return [(f"sqs:{operation}", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}", {})]
    if service:
        raise UnknownError(headers["x-amz-target"])
    if path.startswith("/schedules/"):
        return list(scheduler_requests(method, path, body))
    form = dict(urllib.parse.parse_qsl(body.decode())) if "urlencoded" in headers.get("content-type", "") else {}
    if form.get("Action", "").startswith("Publish"):
        return [("sns:Publish", form["TopicArn"], {})]
    if form:
        raise UnknownError(form.get("Action"))
    return list(s3_requests(method, path, query))
