import { existsSync, readFileSync } from 'fs';
import { dirname, resolve } from 'path';

/** The version of the deployment manifest that this library reads. */
const VERSION = 1;

/** Permissions on rows of the table, by the beginning of their partition keys. */
export interface Access {
  readonly sid: string;
  readonly actions: string[];
  readonly keys: string[];
}

export interface Variable {
  readonly name: string;
  readonly description: string;
  readonly optional: boolean;
  readonly secret: boolean;
  readonly bucket: boolean;
  readonly default: string | null;
}

export interface Materializer {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly binary: string;
  readonly memory_mib: number;
  readonly timeout_seconds: number;
  readonly ephemeral_storage_mib: number;
}

export interface Reactor {
  readonly description: string;
  readonly batching_seconds: number;
  readonly reacts: boolean;
  readonly requests_runs: boolean;
  readonly ticks: boolean;
  readonly freshness: boolean;
  readonly resources: boolean;
  readonly stream_filters: string[];
  readonly access: Access[];
}

/** The bucket of a sensor: by name, by the variable that holds its name, or the project's own. */
export type WatchedBucket = { name: string } | { variable: string } | 'own';

export interface ObjectSource {
  readonly id: string;
  readonly name: string;
  readonly source_name: string;
  readonly bucket: WatchedBucket;
  readonly prefix: string;
  readonly detail_types: string[];
  readonly object: unknown | null;
}

export interface Schedule {
  readonly id: string;
  readonly description: string;
  readonly expression: string;
  readonly timezone: string;
  readonly input: string;
}

export interface Sensor {
  readonly timeout_seconds: number;
  readonly visibility_seconds: number;
  readonly access: Access[];
  readonly sensors: ObjectSource[];
  readonly schedules: Schedule[];
}

export interface Machine {
  readonly definition: string;
  readonly substitutions: { [placeholder: string]: string };
  readonly functions: string[];
}

/** The deployment manifest of a project, as `synth --cdk` writes it. */
export interface Deployment {
  readonly deployment_version: number;
  readonly project: string;
  readonly description: string;
  readonly environment: string | null;
  readonly architecture: 'x86_64' | 'arm64';
  readonly variables: Variable[];
  readonly secrets: string[];
  readonly planner: { readonly timeout_seconds: number; readonly access: Access[] };
  readonly materializers: Materializer[];
  readonly materializer_access: Access[];
  readonly reactor: Reactor;
  readonly sensor: Sensor | null;
  readonly run: Machine;
  readonly backfill: Machine;
}

/** Reads a deployment manifest, and makes the paths in it absolute. */
export function readDeployment(path: string): Deployment {
  if (!existsSync(path)) {
    throw new Error(`There is no deployment manifest ${path}: run \`synth --cdk\` in the folder of the project`);
  }
  const deployment: Deployment = JSON.parse(readFileSync(path, 'utf8'));
  if (deployment.deployment_version !== VERSION) {
    throw new Error(
      `${path} has version ${deployment.deployment_version ?? 'none'} of the deployment manifest, and this version of ` +
        `precip-cdk reads ${VERSION}: use the precip-cdk of the same release as the project's crate \`precip\``,
    );
  }
  const beside = (machine: Machine) => ({ ...machine, definition: resolve(dirname(path), machine.definition) });
  return { ...deployment, run: beside(deployment.run), backfill: beside(deployment.backfill) };
}

/** Returns an error's list of names. */
export function listNames(names: string[]): string {
  return names.length === 0 ? 'none' : names.map(name => `\`${name}\``).join(', ');
}
