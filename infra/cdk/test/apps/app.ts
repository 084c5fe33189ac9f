// An app as a user writes it, in TypeScript. `app.py` is the same in Python.

import { App, Stack } from 'aws-cdk-lib';
import { PrecipProject } from '../../lib';

const app = new App();
const stack = new Stack(app, 'flights-dev');
const project = new PrecipProject(stack, 'Flights', {
  manifest: process.env.PRECIP_MANIFEST!,
  code: process.env.PRECIP_CODE!,
  environment: 'prod',
  variables: { FLIGHTS_LANDING: 'my-landing-bucket' },
  functionOptions: { planner: { memorySize: 2048 } },
});
project.metricFailedRuns().createAlarm(stack, 'FailedRuns', { threshold: 1, evaluationPeriods: 1 });
app.synth();
