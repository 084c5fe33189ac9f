"""An app as a user writes it, in Python. `app.ts` is the same in TypeScript."""

import os

from aws_cdk import App, Stack
from aws_cdk.aws_lambda import FunctionOptions
from precip_cdk import PrecipProject

app = App()
stack = Stack(app, "flights-dev")
project = PrecipProject(
    stack,
    "Flights",
    manifest=os.environ["PRECIP_MANIFEST"],
    code=os.environ["PRECIP_CODE"],
    environment="prod",
    variables={"FLIGHTS_LANDING": "my-landing-bucket"},
    function_options={"planner": FunctionOptions(memory_size=2048)},
)
project.metric_failed_runs().create_alarm(stack, "FailedRuns", threshold=1, evaluation_periods=1)
app.synth()
