// What cdk-nag finds in the sample project: nothing but what `nag.json` lists with reasons.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { flights, newStack } from './flights';

interface Exception {
  readonly rule: string;
  readonly reason: string;
}

/** Returns the names of the rules that have findings. */
function findings(): string[] {
  const outdir = mkdtempSync(join(tmpdir(), 'precip-cdk-nag-'));
  const app = new App({ outdir, analyticsReporting: false });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  Validations.of(app).addPlugins(new ServerlessChecks(app));
  flights({}, newStack(app));
  // Any finding is an error to the CDK; those that are listed are allowed below.
  assert.throws(() => app.synth(), { name: 'ValidationFailed' });
  const report = JSON.parse(readFileSync(join(outdir, 'validation-report.json'), 'utf8'));
  const violations = report.pluginReports.flatMap((plugin: { violations: { ruleName: string }[] }) => plugin.violations);
  return violations.map((violation: { ruleName: string }) => violation.ruleName);
}

test('cdk-nag finds nothing but what is listed with a reason', () => {
  const { exceptions }: { exceptions: Exception[] } = JSON.parse(readFileSync(join(__dirname, 'nag.json'), 'utf8'));
  const found = findings();
  const matches = (exception: Exception, rule: string) => new RegExp(`^(${exception.rule})$`).test(rule);
  const unexpected = found.filter(rule => !exceptions.some(exception => matches(exception, rule)));
  assert.deepEqual([...new Set(unexpected)].sort(), []);
  const unused = exceptions.filter(exception => !found.some(rule => matches(exception, rule)));
  assert.deepEqual(unused, []);
  assert.ok(exceptions.every(exception => exception.reason));
});
