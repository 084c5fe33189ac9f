// A CDK app of the sample project: `tsx test/app.ts SCENARIO`, with CDK_OUTDIR.

import { App } from 'aws-cdk-lib';
import { flights, newStack } from './flights';
import { scenario } from './scenarios';

const app = new App({ analyticsReporting: false });
const stack = newStack(app);
flights(scenario(stack, process.argv[2] ?? 'defaults'), stack);
app.synth();
