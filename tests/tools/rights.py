"""Lets functions do what their roles allow: a proxy before the emulator, which itself allows everything.

    tests/with/emulator sh -c '$PRECIP_TEST_PYTHON tests/tools/rights.py [PROXY]'

PROXY is another proxy between this one and the emulator. It prints its endpoint, and ends with its standard input. The
access key of a request is the name of the calling function, whose role's policies are read from the emulator. A call
that they do not allow gets the answer of AWS, and `GET /_refused` lists it. A call that this file cannot name is
refused too, so that none slips through.
"""

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
from aws_calls import requests_of_call
from botocore.exceptions import ClientError
from iam import UnknownError, as_list, is_allowed

EMULATOR = os.environ["PRECIP_TEST_AWS_ENDPOINT"]
UPSTREAM = sys.argv[1] if len(sys.argv) > 1 else EMULATOR
REFUSED = []


def emulator_client(service):
    return boto3.client(service, endpoint_url=EMULATOR)


@functools.lru_cache
def role_statements(function):
    """Returns the statements of a function's role. Managed policies grant nothing that is checked here."""
    role = emulator_client("lambda").get_function_configuration(FunctionName=function)["Role"].rsplit("/", 1)[1]
    iam = emulator_client("iam")
    statements = []
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        document = json.loads(document) if isinstance(document, str) else document
        statements += as_list(document["Statement"])
    return statements


def function_may(function, action, resource, context):
    """Returns whether a function's role allows a request."""
    return is_allowed(role_statements(function), action, resource, context)


class RightsProxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send_answer(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        # An answer to HEAD keeps its own: the length of the answer to GET.
        if not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, function, action, resource, context):
        """Answers as AWS does to a call that is not allowed, and keeps the call."""
        message = (
            f"User {function} is not authorized to perform: {action} on resource: {resource} {json.dumps(context)}"
        )
        if message not in REFUSED:
            REFUSED.append(message)
        if action.startswith("s3:"):
            body = f"<Error><Code>AccessDenied</Code><Message>{message}</Message></Error>".encode()
            return self.send_answer(403, [("Content-Type", "application/xml")], body)
        body = json.dumps({"__type": "com.amazon.coral.service#AccessDeniedException", "message": message}).encode()
        self.send_answer(400, [("Content-Type", "application/x-amz-json-1.0")], body)

    def forward(self, body):
        """Returns the answer from upstream; `None` if the connection ends before it."""
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

    def handle_call(self):
        """Forwards a call that is allowed, and refuses any other."""
        if self.path == "/_refused":
            return self.send_answer(200, [("Content-Type", "application/json")], json.dumps(REFUSED).encode())
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        credential = re.search(r"Credential=([^/]+)/", self.headers.get("authorization", ""))
        function = credential[1] if credential else "anonymous"
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            requests = requests_of_call(self.command, self.path, headers, body)
            for request in requests:
                if not function_may(function, *request):
                    return self.refuse(function, *request)
            answer = self.forward(body)
            if answer is None:
                self.close_connection = True
                return
            status, answer_headers, content = answer
            # S3 says that an object does not exist only to callers that may list the bucket.
            action, resource, _ = requests[0]
            listing = "s3:ListBucket", resource.split("/")[0], {}
            if status == 404 and action == "s3:GetObject" and not function_may(function, *listing):
                return self.refuse(function, *listing)
        except (UnknownError, KeyError, ValueError, ClientError) as unknown:
            return self.refuse(function, f"{self.command} {self.path}", repr(unknown), {})
        dropped = {"connection", "transfer-encoding"} | (set() if self.command == "HEAD" else {"content-length"})
        self.send_answer(status, [header for header in answer_headers if header[0].lower() not in dropped], content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_call


class Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        # A connection breaks when a test kills the function that waits for the answer.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), RightsProxy)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()
