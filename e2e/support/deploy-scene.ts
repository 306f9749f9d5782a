import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DockerRegistry, REGISTRY_USER } from '../components/docker-registry.ts';
import { dockerRegistry } from './registries.ts';
import type { RunOptions, RunResult } from './run.ts';
import { basicAuth, testUser, type User, writeDockerConfig } from './user.ts';

/** A user with a project that needs no base image, and a registry that wants a login, which the user has. */
export interface DeployScene {
  readonly user: User;
  /** Directory of the project: a Dockerfile and one file. */
  readonly project: string;
  readonly registry: DockerRegistry;
  /** Writes the project file, in which HOST stands for the registry, and deploys it. */
  readonly deploy: (yaml: string, args?: readonly string[], options?: RunOptions) => Promise<RunResult>;
  /** All that the registry has, as `repository:tag`. */
  readonly pushed: () => Promise<readonly string[]>;
}

/** A new scene for one test, with a project file of this name. */
export async function deployScene(
  variables: Readonly<Record<string, string>> = {},
  file: 'boxwright.yaml' | 'prefect.yaml' = 'boxwright.yaml',
): Promise<DeployScene> {
  const registry = await dockerRegistry({ auth: { kind: 'htpasswd' } });
  const user = testUser(variables);
  writeDockerConfig(user, {
    auths: { [registry.host]: { auth: basicAuth(REGISTRY_USER.name, REGISTRY_USER.password) } },
  });
  const project = join(user.directory, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'Dockerfile'), 'FROM scratch\nARG TEXT\nLABEL text=$TEXT\nCOPY flow.py /\n');
  writeFileSync(join(project, 'flow.py'), 'def my_flow(): pass\n');
  return {
    user,
    project,
    registry,
    deploy(yaml, args = [], options = {}) {
      writeFileSync(join(project, file), yaml.replaceAll('HOST', registry.host));
      return user.run(['deploy', ...args], { cwd: project, ...options });
    },
    async pushed() {
      const { repositories } = await ask(registry, '_catalog');
      const lists = (repositories ?? []).map(async (name) => {
        const { tags } = await ask(registry, `${name}/tags/list`);
        return (tags ?? []).map((tag) => `${name}:${tag}`);
      });
      return (await Promise.all(lists)).flat().toSorted();
    },
  };
}

interface Listing {
  readonly repositories?: readonly string[] | null;
  readonly tags?: readonly string[] | null;
}

async function ask({ url }: DockerRegistry, path: string): Promise<Listing> {
  const headers = { Authorization: `Basic ${basicAuth(REGISTRY_USER.name, REGISTRY_USER.password)}` };
  const response = await fetch(`${url}/v2/${path}`, { headers });
  return JSON.parse(await response.text());
}
