"""Lets functions do what their roles allow: a proxy in front of the emulator, which itself allows everything.

    tests/with/emulator sh -c '$PRECIP_TEST_PYTHON tests/tools/rights.py [PROXY]'

PROXY is one that lies between it and the emulator. Prints its endpoint, and ends with its standard input. Who calls is the access key of the request: the name of
a function, whose role's policies are read from the emulator. What they do not allow is answered as AWS answers
it, and kept: `GET /_refused` lists it. Calls that it cannot name are refused, so that nothing slips through.

Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>
"""

import fnmatch
import functools
import http.client
import json
import os
import re
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
from botocore.exceptions import ClientError

EMULATOR = os.environ["PRECIP_TEST_AWS_ENDPOINT"]
UPSTREAM = sys.argv[1] if len(sys.argv) > 1 else EMULATOR
REGION = os.environ["AWS_REGION"]
ACCOUNT = "000000000000"

WRITES = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
REFUSED = []


class Unknown(Exception):
    """A call that this file does not know the rights of."""


def listed(value):
    return value if isinstance(value, list) else [value]


def client(service):
    return boto3.client(service, endpoint_url=EMULATOR)


@functools.lru_cache
def statements(function):
    """What a function's role allows and denies. Managed policies are none of ours."""
    role = client("lambda").get_function_configuration(FunctionName=function)["Role"].rsplit("/", 1)[1]
    iam = client("iam")
    found = []
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        document = json.loads(document) if isinstance(document, str) else document
        found += listed(document["Statement"])
    return found


def like(pattern, value):
    """IAM's wildcards: `*` and `?`, and nothing else that is special."""
    return fnmatch.fnmatchcase(value, re.sub(r"\[", "[[]", pattern))


def holds(operator, key, patterns, context):
    """Whether one condition of a statement holds."""
    operator, if_exists = re.subn("IfExists$", "", operator)
    values = context.get(key)
    if values is None:
        return bool(if_exists) or operator.startswith("ForAllValues:")
    if operator not in ("StringLike", "StringEquals", "ForAllValues:StringLike"):
        raise Unknown(f"condition {operator}")
    return all(any(like(pattern, value) for pattern in patterns) for value in values)


def allows(statement, action, resource, context):
    return (
        any(like(pattern, action) for pattern in listed(statement["Action"]))
        and any(like(pattern, resource) for pattern in listed(statement["Resource"]))
        and all(
            holds(operator, key, listed(patterns), context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, patterns in keys.items()
        )
    )


def allowed(function, action, resource, context):
    matching = [s["Effect"] for s in statements(function) if allows(s, action, resource, context)]
    return "Allow" in matching and "Deny" not in matching


def table(body, kind, name, keys):
    table_arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"
    index = body.get("IndexName")
    resource = f"{table_arn}/index/{index}" if index else table_arn
    return f"dynamodb:{kind}", resource, {"dynamodb:LeadingKeys": sorted(set(keys))}


def partition_key(key):
    return key["pk"]["S"]


def dynamodb(operation, body):
    """The actions of a call to DynamoDB. A transaction needs those of what is in it."""
    if operation in ("GetItem", "UpdateItem", "DeleteItem"):
        yield table(body, operation, body["TableName"], [partition_key(body["Key"])])
    elif operation == "PutItem":
        yield table(body, operation, body["TableName"], [partition_key(body["Item"])])
    elif operation == "Query":
        names, values = body.get("ExpressionAttributeNames", {}), body["ExpressionAttributeValues"]
        for name, value in re.findall(r"([#\w]+)\s*=\s*(:\w+)", body["KeyConditionExpression"]):
            if names.get(name, name) == "pk":
                yield table(body, operation, body["TableName"], [values[value]["S"]])
                return
        raise Unknown(f"query {body['KeyConditionExpression']}")
    elif operation == "BatchGetItem":
        for name, wanted in body["RequestItems"].items():
            yield table(body, operation, name, [partition_key(key) for key in wanted["Keys"]])
    elif operation == "BatchWriteItem":
        for name, wanted in body["RequestItems"].items():
            items = [w["PutRequest"]["Item"] if "PutRequest" in w else w["DeleteRequest"]["Key"] for w in wanted]
            yield table(body, operation, name, [partition_key(item) for item in items])
    elif operation in ("TransactWriteItems", "TransactGetItems"):
        for item in body["TransactItems"]:
            (kind, call), = item.items()
            key = call["Item"] if kind == "Put" else call["Key"]
            yield table(body, WRITES.get(kind, "GetItem"), call["TableName"], [partition_key(key)])
    else:
        raise Unknown(f"dynamodb:{operation}")


def s3(method, path, query):
    bucket, _, key = urllib.parse.unquote(path.lstrip("/")).partition("/")
    bucket_arn = f"arn:aws:s3:::{bucket}"
    if not key:
        if method not in ("GET", "HEAD"):
            raise Unknown(f"{method} {path}?{query}")
        context = {"s3:prefix": [query["prefix"]]} if "prefix" in query else {}
        yield "s3:ListBucket", bucket_arn, context
        return
    action = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "POST": "PutObject", "DELETE": "DeleteObject"}[method]
    if method == "DELETE" and "uploadId" in query:
        action = "AbortMultipartUpload"
    yield f"s3:{action}", f"{bucket_arn}/{key}", {}


def rest(method, path, body):
    """EventBridge Scheduler."""
    name = urllib.parse.unquote(path.removeprefix("/schedules/"))
    wanted = json.loads(body)
    if method != "POST":
        raise Unknown(f"{method} {path}")
    group = wanted.get("GroupName", "default")
    yield "scheduler:CreateSchedule", f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/{group}/{name}", {}
    yield "iam:PassRole", wanted["Target"]["RoleArn"], {"iam:PassedToService": ["scheduler.amazonaws.com"]}


def needs(method, target, headers, body):
    """The (action, resource, context) that a call needs to be allowed."""
    path, _, query = target.partition("?")
    query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
    service, _, operation = headers.get("x-amz-target", "").partition(".")
    if service.startswith("DynamoDB_"):
        return list(dynamodb(operation, json.loads(body)))
    if service == "AWSStepFunctions":
        wanted = json.loads(body)
        return [(f"states:{operation}", wanted.get("stateMachineArn") or wanted["executionArn"], {})]
    if service == "AmazonSQS":
        name = json.loads(body)["QueueUrl"].rsplit("/", 1)[1]
        return [(f"sqs:{operation}", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}", {})]
    if service:
        raise Unknown(headers["x-amz-target"])
    if path.startswith("/schedules/"):
        return list(rest(method, path, body))
    form = dict(urllib.parse.parse_qsl(body.decode())) if "urlencoded" in headers.get("content-type", "") else {}
    if form.get("Action", "").startswith("Publish"):
        return [("sns:Publish", form["TopicArn"], {})]
    if form:
        raise Unknown(form.get("Action"))
    return list(s3(method, path, query))


class Rights(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream = threading.local()

    def log_message(self, *_):
        pass

    def answer(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        # Of an answer to HEAD it is the length of what GET would answer.
        if not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, function, action, resource, context):
        said = f"User {function} is not authorized to perform: {action} on resource: {resource} {json.dumps(context)}"
        if said not in REFUSED:
            REFUSED.append(said)
        if action.startswith("s3:"):
            body = f"<Error><Code>AccessDenied</Code><Message>{said}</Message></Error>".encode()
            return self.answer(403, [("Content-Type", "application/xml")], body)
        body = json.dumps({"__type": "com.amazon.coral.service#AccessDeniedException", "message": said}).encode()
        self.answer(400, [("Content-Type", "application/x-amz-json-1.0")], body)

    def forwarded(self, body):
        """What comes from upstream; `None` if the connection ends before that."""
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(UPSTREAM).netloc, timeout=600)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        try:
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        except (http.client.HTTPException, ConnectionError):
            return None
        finally:
            connection.close()

    def handle_one(self):
        if self.path == "/_refused":
            return self.answer(200, [("Content-Type", "application/json")], json.dumps(REFUSED).encode())
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        who = re.search(r"Credential=([^/]+)/", self.headers.get("authorization", ""))
        function = who[1] if who else "nobody"
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            wanted = needs(self.command, self.path, headers, body)
            for need in wanted:
                if not allowed(function, *need):
                    return self.refuse(function, *need)
            answer = self.forwarded(body)
            if answer is None:
                self.close_connection = True
                return
            status, answered, content = answer
            # Whether an object is there is told to those who may list it, and nobody else.
            action, resource, _ = wanted[0]
            listing = "s3:ListBucket", resource.split("/")[0], {}
            if status == 404 and action == "s3:GetObject" and not allowed(function, *listing):
                return self.refuse(function, *listing)
        except (Unknown, KeyError, ValueError, ClientError) as unknown:
            return self.refuse(function, f"{self.command} {self.path}", repr(unknown), {})
        dropped = {"connection", "transfer-encoding"} | (set() if self.command == "HEAD" else {"content-length"})
        self.answer(status, [header for header in answered if header[0].lower() not in dropped], content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_one


class Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        # Functions are killed while they wait for an answer.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Rights)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()
