"""Tests of iam.py."""

import unittest

from iam import UnknownError, is_allowed

TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/precip"
READ = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE}


def with_condition(operator, key, patterns):
    return [{**READ, "Condition": {operator: {key: patterns}}}]


class StatementTest(unittest.TestCase):
    def test_nothing_is_allowed_without_a_statement(self):
        self.assertFalse(is_allowed([], "dynamodb:GetItem", TABLE, {}))

    def test_an_allowed_action_on_its_resource(self):
        self.assertTrue(is_allowed([READ], "dynamodb:GetItem", TABLE, {}))

    def test_another_action_is_not_allowed(self):
        self.assertFalse(is_allowed([READ], "dynamodb:PutItem", TABLE, {}))

    def test_another_resource_is_not_allowed(self):
        self.assertFalse(is_allowed([READ], "dynamodb:GetItem", f"{TABLE}/index/runs", {}))
        self.assertFalse(is_allowed([READ], "dynamodb:GetItem", TABLE + "2", {}))

    def test_a_list_allows_each_of_its_actions_and_resources(self):
        statement = {**READ, "Action": ["dynamodb:GetItem", "dynamodb:Query"], "Resource": [TABLE, f"{TABLE}/index/*"]}
        self.assertTrue(is_allowed([statement], "dynamodb:Query", f"{TABLE}/index/runs", {}))
        self.assertFalse(is_allowed([statement], "dynamodb:Scan", TABLE, {}))

    def test_a_denial_wins_over_any_permission(self):
        denial = {**READ, "Effect": "Deny", "Action": "dynamodb:*"}
        for statements in ([READ, denial], [denial, READ]):
            self.assertFalse(is_allowed(statements, "dynamodb:GetItem", TABLE, {}))

    def test_a_denial_of_another_resource_does_not_matter(self):
        denial = {**READ, "Effect": "Deny", "Resource": TABLE + "2"}
        self.assertTrue(is_allowed([READ, denial], "dynamodb:GetItem", TABLE, {}))

    def test_statements_are_not_combined(self):
        """An action of one statement is not allowed on the resource of another."""
        bucket = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"}
        self.assertFalse(is_allowed([READ, bucket], "s3:GetObject", TABLE, {}))


class WildcardTest(unittest.TestCase):
    def allows(self, action, resource, pattern_action, pattern_resource):
        statement = {"Effect": "Allow", "Action": pattern_action, "Resource": pattern_resource}
        return is_allowed([statement], action, resource, {})

    def test_a_star_matches_any_number_of_characters(self):
        self.assertTrue(self.allows("s3:GetObject", "arn:aws:s3:::data/a/b", "s3:Get*", "arn:aws:s3:::data/*"))
        self.assertTrue(self.allows("s3:GetObject", "arn:aws:s3:::data/", "*", "arn:aws:s3:::data/*"))
        self.assertFalse(self.allows("s3:GetObject", "arn:aws:s3:::data", "*", "arn:aws:s3:::data/*"))

    def test_a_question_mark_matches_one_character(self):
        self.assertTrue(self.allows("s3:GetObject", "data/1", "s3:GetObject", "data/?"))
        self.assertFalse(self.allows("s3:GetObject", "data/12", "s3:GetObject", "data/?"))

    def test_brackets_are_ordinary_characters(self):
        self.assertTrue(self.allows("s3:GetObject", "data/[ab]", "s3:GetObject", "data/[ab]"))
        self.assertFalse(self.allows("s3:GetObject", "data/a", "s3:GetObject", "data/[ab]"))

    def test_case_matters(self):
        self.assertFalse(self.allows("s3:getobject", "data", "s3:GetObject", "data"))


class ConditionTest(unittest.TestCase):
    def allows(self, statements, context):
        return is_allowed(statements, "dynamodb:GetItem", TABLE, context)

    def test_string_like_matches_wildcards(self):
        statements = with_condition("StringLike", "s3:prefix", "runs/*")
        self.assertTrue(self.allows(statements, {"s3:prefix": ["runs/1"]}))
        self.assertFalse(self.allows(statements, {"s3:prefix": ["data/1"]}))

    def test_string_equals_takes_wildcards_literally(self):
        statements = with_condition("StringEquals", "iam:PassedToService", ["scheduler.*"])
        self.assertTrue(self.allows(statements, {"iam:PassedToService": ["scheduler.*"]}))
        self.assertFalse(self.allows(statements, {"iam:PassedToService": ["scheduler.amazonaws.com"]}))

    def test_every_value_needs_a_pattern(self):
        statements = with_condition("ForAllValues:StringLike", "dynamodb:LeadingKeys", ["L#*", "R#*"])
        self.assertTrue(self.allows(statements, {"dynamodb:LeadingKeys": ["L#flights#7", "R#1"]}))
        self.assertFalse(self.allows(statements, {"dynamodb:LeadingKeys": ["L#flights#7", "S#sensor"]}))

    def test_an_absent_key_fails_a_condition(self):
        self.assertFalse(self.allows(with_condition("StringLike", "s3:prefix", "*"), {}))

    def test_an_absent_key_passes_if_the_operator_says_so(self):
        for operator in ("StringLikeIfExists", "StringEqualsIfExists", "ForAllValues:StringLike"):
            self.assertTrue(self.allows(with_condition(operator, "s3:prefix", "runs/*"), {}), operator)

    def test_a_present_key_has_to_match_even_if_it_may_be_absent(self):
        statements = with_condition("StringLikeIfExists", "s3:prefix", "runs/*")
        self.assertFalse(self.allows(statements, {"s3:prefix": ["data/1"]}))

    def test_all_conditions_have_to_hold(self):
        condition = {"StringLike": {"s3:prefix": "runs/*"}, "StringEquals": {"s3:delimiter": "/"}}
        statements = [{**READ, "Condition": condition}]
        self.assertTrue(self.allows(statements, {"s3:prefix": ["runs/1"], "s3:delimiter": ["/"]}))
        self.assertFalse(self.allows(statements, {"s3:prefix": ["runs/1"], "s3:delimiter": ["-"]}))

    def test_an_unknown_operator_is_an_error(self):
        for context in ({}, {"aws:SourceIp": ["10.0.0.1"]}):
            with self.assertRaisesRegex(UnknownError, "condition IpAddress"):
                self.allows(with_condition("IpAddress", "aws:SourceIp", "10.0.0.0/8"), context)


if __name__ == "__main__":
    unittest.main()
