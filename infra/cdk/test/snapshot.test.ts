// The template of the sample project, without the hashes of files. `UPDATE_SNAPSHOTS=1 npm test` accepts changes.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { flights } from './flights';

const SNAPSHOT = join(__dirname, 'snapshot.json');

test('the template is the recorded one', () => {
  const template = Template.fromStack(Stack.of(flights())).toJSON();
  const text = JSON.stringify(template, null, 2).replace(/[0-9a-f]{64}/g, 'HASH') + '\n';
  if (process.env.UPDATE_SNAPSHOTS) {
    writeFileSync(SNAPSHOT, text);
  }
  assert.deepEqual(JSON.parse(text), JSON.parse(readFileSync(SNAPSHOT, 'utf8')));
});
