"""Tests of aws_calls.py."""

import json
import unittest

from aws_calls import requests_of_call
from iam import UnknownError

TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/precip"


def key(value):
    return {"pk": {"S": value}, "sk": {"S": "#"}}


class DynamoDbTest(unittest.TestCase):
    def requests(self, operation, **body):
        headers = {"x-amz-target": f"DynamoDB_20120810.{operation}"}
        return requests_of_call("POST", "/", headers, json.dumps(body).encode())

    def test_a_read_names_its_partition_key(self):
        requests = self.requests("GetItem", TableName="precip", Key=key("R#1"))
        self.assertEqual(requests, [("dynamodb:GetItem", TABLE, {"dynamodb:LeadingKeys": ["R#1"]})])

    def test_a_query_reads_the_key_from_its_condition(self):
        requests = self.requests(
            "Query",
            TableName="precip",
            KeyConditionExpression="#k = :k AND begins_with(sk, :s)",
            ExpressionAttributeNames={"#k": "pk"},
            ExpressionAttributeValues={":k": {"S": "U#flights"}, ":s": {"S": "n#"}},
        )
        self.assertEqual(requests, [("dynamodb:Query", TABLE, {"dynamodb:LeadingKeys": ["U#flights"]})])

    def test_a_query_of_an_index_is_on_the_index(self):
        requests = self.requests(
            "Query",
            TableName="precip",
            IndexName="runs",
            KeyConditionExpression="pk = :k",
            ExpressionAttributeValues={":k": {"S": "RD"}},
        )
        self.assertEqual(requests[0][1], f"{TABLE}/index/runs")

    def test_a_transaction_needs_the_actions_of_its_parts(self):
        parts = [
            {"Put": {"TableName": "precip", "Item": key("R#1")}},
            {"ConditionCheck": {"TableName": "precip", "Key": key("K#k")}},
        ]
        actions = [request[0] for request in self.requests("TransactWriteItems", TransactItems=parts)]
        self.assertEqual(actions, ["dynamodb:PutItem", "dynamodb:ConditionCheckItem"])

    def test_a_batch_names_all_its_keys(self):
        writes = [{"PutRequest": {"Item": key("b")}}, {"DeleteRequest": {"Key": key("a")}}]
        requests = self.requests("BatchWriteItem", RequestItems={"precip": writes})
        self.assertEqual(requests[0][2], {"dynamodb:LeadingKeys": ["a", "b"]})

    def test_an_unknown_operation_is_an_error(self):
        with self.assertRaisesRegex(UnknownError, "dynamodb:Scan"):
            self.requests("Scan", TableName="precip")


class OtherServicesTest(unittest.TestCase):
    def test_an_object_is_read_written_and_removed(self):
        for method, action in (("GET", "GetObject"), ("PUT", "PutObject"), ("DELETE", "DeleteObject")):
            requests = requests_of_call(method, "/data/a/b%20c.json", {}, b"")
            self.assertEqual(requests, [(f"s3:{action}", "arn:aws:s3:::data/a/b c.json", {})])

    def test_a_listing_names_its_prefix(self):
        requests = requests_of_call("GET", "/data?list-type=2&prefix=runs%2F", {}, b"")
        self.assertEqual(requests, [("s3:ListBucket", "arn:aws:s3:::data", {"s3:prefix": ["runs/"]})])

    def test_the_end_of_an_upload_is_an_action_of_its_own(self):
        requests = requests_of_call("DELETE", "/data/a?uploadId=1", {}, b"")
        self.assertEqual(requests[0][0], "s3:AbortMultipartUpload")

    def test_a_schedule_passes_a_role(self):
        body = json.dumps({"Target": {"RoleArn": "arn:aws:iam::000000000000:role/tick"}}).encode()
        requests = requests_of_call("POST", "/schedules/tick", {}, body)
        self.assertEqual([request[0] for request in requests], ["scheduler:CreateSchedule", "iam:PassRole"])
        self.assertEqual(requests[1][2], {"iam:PassedToService": ["scheduler.amazonaws.com"]})

    def test_an_execution_is_started_on_its_machine(self):
        body = json.dumps({"stateMachineArn": "arn:machine"}).encode()
        requests = requests_of_call("POST", "/", {"x-amz-target": "AWSStepFunctions.StartExecution"}, body)
        self.assertEqual(requests, [("states:StartExecution", "arn:machine", {})])

    def test_an_unknown_service_is_an_error(self):
        with self.assertRaisesRegex(UnknownError, "Kinesis"):
            requests_of_call("POST", "/", {"x-amz-target": "Kinesis_20131202.PutRecord"}, b"")


if __name__ == "__main__":
    unittest.main()
