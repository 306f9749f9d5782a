import { spawnSync } from 'node:child_process';
import { DemoError } from './demo-error.mjs';

/**
 * Checks beforehand what the demo's RUN steps need of this machine, with `boxwright doctor`.
 *
 * @param {string[]} command how boxwright is started
 * @param {NodeJS.ProcessEnv} env
 * @throws DemoError that says what is missing and what to do
 */
export function checkMachine([program = '', ...args], env) {
  const { stdout, stderr } = spawnSync(program, [...args, 'doctor', '--format', 'json'], { encoding: 'utf8', env });
  const report = parse(stdout);
  if (report === undefined) throw new DemoError(`\`boxwright doctor\` failed:\n${stderr}`);
  const missing = report.findings.filter(({ state }) => state === 'missing');
  if (missing.length > 0) {
    const hints = missing.flatMap(({ hint }) => (hint === undefined ? [] : [hint]));
    throw new DemoError(missing.map(({ message }) => message).join('\n'), hints.join('\n'));
  }
  const namespace = report.sandbox.userNamespace;
  if (namespace?.map === 'single') {
    throw new DemoError(
      `The service has a user of its own, and without root that needs a range of user ids: ${namespace.reason}`,
      'Or run the demo as root.',
    );
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
