import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import {
  type FaultProxy,
  type FaultProxyOptions,
  startFaultProxy,
  startTestRegistry,
  type TestRegistry,
  type TestRegistryOptions,
} from '../../packages/oci/src/registry/testing/index.ts';
import { type DockerRegistry, type DockerRegistryOptions, startDockerRegistry } from '../components/docker-registry.ts';

/** Where to register what runs after a test. Tests that run beside others pass their own, the others need not. */
export type AfterTest = (run: () => Promise<void> | void) => void;

/** A docker-registry for one test. */
export async function dockerRegistry(
  options: Omit<DockerRegistryOptions, 'directory'> = {},
  after: AfterTest = onTestFinished,
): Promise<DockerRegistry> {
  const directory = mkdtempSync(join(inject('workDirectory'), 'registry-'));
  const registry = await startDockerRegistry({ directory, ...options });
  after(() => registry.stop());
  return registry;
}

/** A registry in this process for one test. */
export async function testRegistry(
  options: TestRegistryOptions = {},
  after: AfterTest = onTestFinished,
): Promise<TestRegistry> {
  const registry = await startTestRegistry(options);
  after(() => registry.close());
  return registry;
}

/** A fault proxy for one test. */
export async function faultProxy(options: FaultProxyOptions, after: AfterTest = onTestFinished): Promise<FaultProxy> {
  const proxy = await startFaultProxy(options);
  after(() => proxy.close());
  return proxy;
}
