import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../e2e/support/free-port.ts';

/**
 * Debian's docker-registry on loopback, open to everybody, with its data below the work directory.
 *
 * @param {string} work
 * @param {string} name
 */
export async function startRegistry(work, name) {
  const port = await freePort();
  const data = join(work, name);
  const config = join(work, `${name}.yml`);
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: ${data}}}\nhttp: {addr: "127.0.0.1:${port}"}\n`,
  );
  const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  for (let tries = 0; tries < 100; tries++) {
    const answers = await fetch(`http://127.0.0.1:${port}/v2/`).then(
      () => true,
      () => false,
    );
    if (answers) break;
    await new Promise((fulfil) => setTimeout(fulfil, 50));
  }
  return { host: `127.0.0.1:${port}`, data, stop: () => child.kill() };
}
