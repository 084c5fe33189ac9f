"""Deploys a described project on the emulator, and prints the outputs of its stack as JSON.

    tests/with/emulator sh -c '$PRECIP_TEST_PYTHON tests/tools/deploy.py STACK GRAPH.json PROGRAM [NAME=VALUE...]'
    tests/with/emulator sh -c '$PRECIP_TEST_PYTHON tests/tools/deploy.py --functions STACK GRAPH.json PROGRAM'

With `--functions` only the functions of a deployed stack get the new project, as halfway through a deployment.

It deploys the output of `PROGRAM synth` through CloudFormation, as users do, with one zip for all functions (PROGRAM as
`bootstrap`, next to GRAPH.json). Functions get the other arguments as environment variables. It calls only the endpoint
of the emulator, never AWS.
"""

import hashlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile

import boto3
from botocore.config import Config

PROJECT = "graphs"
# The most functions that run at once.
AT_ONCE = 8


def client(service):
    """Returns a client of the emulator."""
    endpoint = os.environ["PRECIP_TEST_AWS_ENDPOINT"]
    config = Config(s3={"addressing_style": "path"}, read_timeout=600, retries={"mode": "standard"})
    return boto3.client(service, endpoint_url=endpoint, config=config)


def bundle_program(program, graph):
    """Returns the functions' zip. It has no symbols, as the emulator unpacks and starts it often."""
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        stripped = pathlib.Path(folder) / "bootstrap"
        subprocess.run(["strip", "-o", stripped, program], check=True)
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            entry = zipfile.ZipInfo("bootstrap")
            entry.external_attr = 0o100755 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, stripped.read_bytes(), compresslevel=1)
            archive.writestr("graph.json", pathlib.Path(graph).read_text())
    return packed.getvalue()


def generate_files(program, graph):
    """Returns the files that `synth` writes, by path."""
    with tempfile.TemporaryDirectory() as folder:
        command = [str(pathlib.Path(program).resolve()), "synth", "--project", PROJECT, "--out", "generated"]
        environment = {**os.environ, "PRECIP_TEST_GRAPH": str(pathlib.Path(graph).resolve())}
        subprocess.run(command, check=True, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
        root = pathlib.Path(folder) / "generated"
        return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*.*")}


def limit_concurrency(machine):
    """Returns a machine that starts at most as many functions at once as one computer can run. The emulator does not
    know MaxConcurrencyPath, nor that AWS runs 40 items of an inline Map at once: it would start all of them."""

    def walk(value):
        if isinstance(value, list):
            for item in value:
                walk(item)
        if not isinstance(value, dict):
            return
        if value.get("Type") == "Map":
            distributed = value["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
            value.pop("MaxConcurrencyPath", None)
            value.setdefault("MaxConcurrency", 1 if distributed else AT_ONCE)
        for item in value.values():
            walk(item)

    definition = json.loads(machine)
    walk(definition)
    return json.dumps(definition)


def shorten_visibility(template):
    """Returns a template whose queues soon deliver the batch of a killed function again."""
    return re.sub(r"VisibilityTimeout: \d+", "VisibilityTimeout: 8", template)


def package_template(files, s3, bucket, code, variables):
    """Uploads code and machines, and returns the template with their locations, as `aws cloudformation package` does.
    `code` returns the zip of a program, by its name."""
    uploaded = set()

    def upload(key, body):
        if key not in uploaded:
            s3.put_object(Bucket=bucket, Key=key, Body=body)
            uploaded.add(key)
        return f"s3://{bucket}/{key}"

    def code_uri(found):
        zipped = code(pathlib.PurePosixPath(found[1]).parent.name)
        return f"CodeUri: {upload(f'{hashlib.sha256(zipped).hexdigest()}.zip', zipped)}"

    template = re.sub(r"CodeUri: (\S+)", code_uri, shorten_visibility(files["template.yaml"]))
    more = "".join(f"\n        {name}: {json.dumps(value)}" for name, value in variables)
    template = re.sub(r"\n      Variables:", lambda found: found[0] + more, template, count=1)
    return re.sub(
        r"DefinitionUri: (.*)",
        lambda found: f"DefinitionUri: {upload(found[1], limit_concurrency(files[found[1]]))}",
        template,
    )


def deploy(stack, graph, program, *variables):
    """Deploys a described project, and returns the stack's outputs."""
    zipped = bundle_program(program, graph)
    variables = [variable.split("=", 1) for variable in variables]
    return create_stack(stack, generate_files(program, graph), lambda _: zipped, variables)


def create_stack(stack, files, code, variables=(), **parameters):
    """Deploys generated files, and returns the stack's outputs."""
    s3 = client("s3")
    bucket = f"code-{stack}"
    s3.create_bucket(Bucket=bucket)
    template = package_template(files, s3, bucket, code, variables)
    s3.put_object(Bucket=bucket, Key="template.yaml", Body=template)
    cloudformation = client("cloudformation")
    cloudformation.create_stack(
        StackName=stack,
        TemplateURL=f"{os.environ['PRECIP_TEST_AWS_ENDPOINT']}/{bucket}/template.yaml",
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value} for name, value in {"Stage": "test", **parameters}.items()
        ],
    )
    waiter = cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 600})
    described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def update_functions(stack, graph, program):
    """Gives the functions of a stack another project, and returns their names."""
    zipped = bundle_program(program, graph)
    functions = client("lambda")
    pages = functions.get_paginator("list_functions").paginate()
    names = [found["FunctionName"] for page in pages for found in page["Functions"]]
    names = [name for name in names if name.startswith(f"{stack}-")]
    for name in names:
        functions.update_function_code(FunctionName=name, ZipFile=zipped)
    return names


if __name__ == "__main__":
    if sys.argv[1] == "--functions":
        print(json.dumps(update_functions(*sys.argv[2:])))
    else:
        print(json.dumps(deploy(*sys.argv[1:])))
