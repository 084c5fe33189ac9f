// The CDK app that `tests/suites/cloud-cdk` deploys on an emulator of AWS.

import { App, Stack } from 'aws-cdk-lib';
import { PrecipProject } from '../src';
import { MANIFEST } from './flights';

const app = new App({ analyticsReporting: false });
const stack = new Stack(app, 'flights-cdk', { env: { account: '000000000000', region: 'us-east-1' } });
new PrecipProject(stack, 'Flights', {
  manifest: MANIFEST,
  code: process.env.PRECIP_CODE!,
  stage: 'test',
  variables: { FLIGHTS_LANDING: process.env.PRECIP_LANDING! },
});
app.synth();
