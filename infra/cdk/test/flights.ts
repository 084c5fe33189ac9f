// The sample project in a stack, with placeholders in place of its functions.

import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { PrecipProject, PrecipProjectProps } from '../src';

export const MANIFEST = resolve(__dirname, '../../generated/deployment.json');

/** Writes a zip in place of each function, and returns their folder. */
export function placeholders(manifest = MANIFEST): string {
  const folder = mkdtempSync(join(tmpdir(), 'precip-cdk-'));
  const { materializers } = JSON.parse(readFileSync(manifest, 'utf8'));
  const binaries: string[] = materializers.map((materializer: { binary: string }) => materializer.binary);
  for (const binary of ['planner', 'reactor', 'sensor', ...binaries]) {
    mkdirSync(join(folder, binary), { recursive: true });
    writeFileSync(join(folder, binary, 'bootstrap.zip'), binary);
  }
  return folder;
}

const CODE = placeholders();

/** Returns the properties of the sample project. */
export function flightsProps(props: Partial<PrecipProjectProps> = {}): PrecipProjectProps {
  return {
    manifest: MANIFEST,
    code: CODE,
    stage: 'test',
    variables: { FLIGHTS_LANDING: 'landing-flights-test' },
    ...props,
  };
}

export function newStack(app = new App()): Stack {
  return new Stack(app, 'flights-test');
}

export function flights(props: Partial<PrecipProjectProps> = {}, stack = newStack()): PrecipProject {
  return new PrecipProject(stack, 'Precip', flightsProps(props));
}
