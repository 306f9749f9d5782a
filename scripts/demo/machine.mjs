import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { DemoError } from './demo-error.mjs';

/**
 * Checks beforehand what the demo's RUN steps need of this machine: root, or a user who may make user namespaces and
 * has further user ids in them, since the image has a user of its own.
 *
 * @throws DemoError that says what is missing
 */
export function checkMachine() {
  if (process.platform !== 'linux') {
    throw new DemoError('The demo has RUN steps, and these need Linux.', 'A Dockerfile without RUN builds anywhere.');
  }
  if (process.getuid?.() === 0) return;
  const names = [userName(), String(process.getuid?.())];
  if (!isInstalled('newuidmap')) {
    throw new DemoError(
      'Without root, RUN steps need newuidmap, which is not installed.',
      'As root: apt-get install uidmap. Or run the demo as root.',
    );
  }
  if (!['/etc/subuid', '/etc/subgid'].every((file) => hasRange(file, names))) {
    throw new DemoError(
      `Without root, RUN steps need further user ids, and /etc/subuid and /etc/subgid have none for ${names[0]}.`,
      `As root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${names[0]}. Or run the demo as root.`,
    );
  }
}

/** A user without an entry in the passwd file, as in many containers, has no name. */
function userName() {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.());
  }
}

function isInstalled(program) {
  return spawnSync(program, ['--help'], { stdio: 'ignore' }).error === undefined;
}

function hasRange(file, names) {
  return (
    existsSync(file) &&
    readFileSync(file, 'utf8')
      .split('\n')
      .some((line) => names.includes(line.split(':')[0] ?? ''))
  );
}
