"""Evaluates IAM policies: the part of them that the generated template uses.

A statement allows or denies an action on a resource in a context of condition keys. A request is allowed if a statement
allows it and none denies it. A condition with an operator that is not here is an error, so that none is passed over.

Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>
"""

import fnmatch
import re

OPERATORS = ("StringLike", "StringEquals", "ForAllValues:StringLike")


class UnknownError(Exception):
    """A condition or a call that these tools cannot evaluate."""


def as_list(value):
    """Returns the elements of a policy that is written with one value or a list of them."""
    return value if isinstance(value, list) else [value]


def matches_pattern(pattern, value):
    """Returns whether IAM's wildcards match: `*` and `?`, and no other special character."""
    return fnmatch.fnmatchcase(value, re.sub(r"\[", "[[]", pattern))


def condition_holds(operator, key, patterns, context):
    """Returns whether one condition of a statement holds. `context` maps a key to the list of its values."""
    operator, if_exists = re.subn("IfExists$", "", operator)
    if operator not in OPERATORS:
        raise UnknownError(f"condition {operator}")
    values = context.get(key)
    if values is None:
        # An absent key fails a condition, except where the operator says otherwise.
        return bool(if_exists) or operator.startswith("ForAllValues:")
    matches = str.__eq__ if operator == "StringEquals" else matches_pattern
    return all(any(matches(pattern, value) for pattern in patterns) for value in values)


def statement_applies(statement, action, resource, context):
    """Returns whether a statement is about this request, whatever its effect."""
    return (
        any(matches_pattern(pattern, action) for pattern in as_list(statement["Action"]))
        and any(matches_pattern(pattern, resource) for pattern in as_list(statement["Resource"]))
        and all(
            condition_holds(operator, key, as_list(patterns), context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, patterns in keys.items()
        )
    )


def is_allowed(statements, action, resource, context):
    """Returns whether the statements of a role allow a request."""
    effects = {s["Effect"] for s in statements if statement_applies(s, action, resource, context)}
    return "Allow" in effects and "Deny" not in effects
