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

/** A docker-registry for one test. */
export async function dockerRegistry(options: Omit<DockerRegistryOptions, 'directory'> = {}): Promise<DockerRegistry> {
  const directory = mkdtempSync(join(inject('workDirectory'), 'registry-'));
  const registry = await startDockerRegistry({ directory, ...options });
  onTestFinished(() => registry.stop());
  return registry;
}

/** A registry in this process for one test. */
export async function testRegistry(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const registry = await startTestRegistry(options);
  onTestFinished(() => registry.close());
  return registry;
}

/** A fault proxy for one test. */
export async function faultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const proxy = await startFaultProxy(options);
  onTestFinished(() => proxy.close());
  return proxy;
}
