import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** CNCF Distribution in a process of its own. */
export interface Distribution {
  readonly url: string;
  readonly host: string;
  /** Holds nothing but its files. */
  readonly directory: string;
  stop(): Promise<void>;
}

/** True when there is a `docker-registry` (Debian's package of that name, 2.8). */
export const hasDistribution: boolean = spawnSync('docker-registry', ['--version']).status === 0;

/** Starts it on a free loopback port, with its files in a temporary directory. */
export async function startDistribution(): Promise<Distribution> {
  const directory = mkdtempSync(join(tmpdir(), 'boxwright-registry-'));
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const file = join(directory, 'config.yml');
  const config = [
    'version: 0.1',
    'log: { level: error, accesslog: { disabled: true } }',
    `storage: { filesystem: { rootdirectory: "${join(directory, 'root')}" }, delete: { enabled: true } }`,
    `http: { addr: "${host}", secret: none }`,
  ];
  writeFileSync(file, `${config.join('\n')}\n`);
  const child = spawn('docker-registry', ['serve', file], { stdio: 'ignore' });
  const gone = once(child, 'close');
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
    rmSync(directory, { recursive: true, force: true });
  };
  const url = `http://${host}`;
  for (let tries = 0; !(await answers(url)); tries++) {
    if (child.exitCode !== null || tries > 500) {
      await stop();
      throw new Error('docker-registry does not start');
    }
    await sleep(20);
  }
  return { url, host, directory, stop };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/v2/`)).ok;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
