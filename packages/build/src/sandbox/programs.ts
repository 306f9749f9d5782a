import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Looked at beside PATH, which often lacks them for users who are not root. */
const systemDirectories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** The path of a host program given by name or by absolute path; undefined when it is not installed. */
export function findProgram(nameOrPath: string, path: string = process.env['PATH'] ?? ''): string | undefined {
  const directories = [...path.split(delimiter).filter((directory) => directory.startsWith('/')), ...systemDirectories];
  const candidates = nameOrPath.startsWith('/')
    ? [nameOrPath]
    : directories.map((directory) => join(directory, nameOrPath));
  return candidates.find((candidate) => {
    try {
      accessSync(candidate, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
