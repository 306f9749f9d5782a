import { closeSync, constants, existsSync, fstatSync, readdirSync, readSync } from 'node:fs';
import { arch, constants as osConstants } from 'node:os';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { O_PATH, openInRoot } from '@boxwright/sys';
import { DEFAULT_PATH } from './docker-defaults.ts';
import { isErrno } from './root/locate.ts';

/** Where a command is looked for. */
export interface CommandPlace {
  /** Descriptor of the root file system's directory. */
  readonly root: number;
  readonly env: readonly string[];
  readonly cwd: string;
}

/**
 * The path of the executable that `name` means: itself when it has a `/`, else the first executable file of that name in
 * the directories of PATH, as execvp(3) and runc find it.
 *
 * @throws BoxwrightError `SANDBOX_COMMAND_NOT_FOUND`, `SANDBOX_COMMAND_NOT_EXECUTABLE`
 */
export function findCommand({ root, env, cwd }: CommandPlace, name: string): string {
  const path = env.findLast((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? DEFAULT_PATH;
  const candidates = name.includes('/')
    ? [name]
    : path.split(':').map((directory) => `${directory === '' ? '.' : directory}/${name}`);
  let found = false;
  for (const candidate of candidates) {
    const absolute = candidate.startsWith('/') ? candidate : `${cwd}/${candidate}`;
    const kind = executability(root, absolute);
    if (kind === 'executable') return absolute;
    if (kind === 'file') found = true;
  }
  if (found) throw notExecutable(name);
  throw notFound(name, path);
}

function executability(root: number, path: string): 'executable' | 'file' | 'missing' {
  let descriptor: number;
  try {
    descriptor = openInRoot(root, path, O_PATH);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG')) return 'missing';
    throw error;
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return stats.isDirectory() && path.endsWith('/') ? 'missing' : 'file';
    return (stats.mode & 0o111) === 0 ? 'file' : 'executable';
  } finally {
    closeSync(descriptor);
  }
}

function notFound(name: string, path: string): BoxwrightError {
  const shown = escapeForTerminal(name);
  const where = name.includes('/')
    ? `there is no ${shown} in the image`
    : `there is no ${shown} in the image's PATH (${escapeForTerminal(path)})`;
  const shell = name === '/bin/sh' || name.endsWith('/bash');
  return new BoxwrightError('SANDBOX_COMMAND_NOT_FOUND', `command not found: ${where}`, {
    hint: shell
      ? 'An image FROM scratch, or a "distroless" one, has no shell: use the exec form RUN ["/path/to/program"], or copy a shell in first.'
      : 'Check the spelling, or install the program in an earlier RUN.',
    details: { command: name },
  });
}

function notExecutable(name: string): BoxwrightError {
  return new BoxwrightError(
    'SANDBOX_COMMAND_NOT_EXECUTABLE',
    `permission denied: ${escapeForTerminal(name)} is not an executable file`,
    {
      hint: 'Set its execute bit: COPY --chmod=755, or RUN chmod +x.',
      details: { command: name },
    },
  );
}

/** e_machine of ELF headers and what we call it, for the processors that images are made for. */
const machines: Readonly<Record<number, string>> = {
  3: '386',
  8: 'mips',
  21: 'ppc64le',
  22: 's390x',
  40: 'arm',
  62: 'amd64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loong64',
};

const ownMachines: Readonly<Record<string, readonly number[]>> = { x64: [62, 3], arm64: [183, 40] };

/**
 * Why the kernel would not execute a file that is there: written for another processor, or its interpreter is missing.
 *
 * @param errno of the execve that failed; without it only what cannot work is explained
 * @returns undefined when nothing is wrong with it
 */
export function explainExecutable(
  { root }: Pick<CommandPlace, 'root'>,
  path: string,
  errno?: number,
): BoxwrightError | undefined {
  const head = readHead(root, path);
  const shown = escapeForTerminal(path);
  const details = { command: path };
  const machine = head.toString('latin1', 0, 4) === '\x7fELF' ? head.readUInt16LE(18) : undefined;
  const foreign = machine !== undefined && ownMachines[arch()]?.includes(machine) === false;
  if (foreign && (errno !== undefined || !emulationInstalled())) {
    return new BoxwrightError(
      'SANDBOX_COMMAND_FOREIGN',
      `${shown} is a program for ${machines[machine] ?? `processor ${machine}`}`,
      {
        hint: 'Build for the platform of this machine, or install emulation (qemu-user-static with binfmt_misc).',
        details,
      },
    );
  }
  const interpreter = machine === undefined ? scriptInterpreter(head) : elfInterpreter(head);
  if (interpreter !== undefined && executability(root, interpreter) !== 'executable') {
    return new BoxwrightError(
      'SANDBOX_COMMAND_NOT_FOUND',
      `${shown} needs ${escapeForTerminal(interpreter)}, which is not in the image`,
      {
        hint:
          machine === undefined
            ? 'Install that interpreter; a carriage return at the end of its name comes from Windows line ends in the script.'
            : 'The program is linked to a C library that the image does not have: use a base image with it (glibc or musl), or link statically.',
        details,
      },
    );
  }
  if (errno !== osConstants.errno.ENOEXEC) return undefined;
  return new BoxwrightError(
    'SANDBOX_COMMAND_NOT_EXECUTABLE',
    `exec format error: ${shown} is neither a program nor a script with #!`,
    {
      hint: 'Begin a script with #!/bin/sh.',
      details,
    },
  );
}

/** Emulators (binfmt_misc) run what looks foreign. */
function emulationInstalled(): boolean {
  const directory = '/proc/sys/fs/binfmt_misc';
  return existsSync(directory) && readdirSync(directory).some((name) => name !== 'register' && name !== 'status');
}

function readHead(root: number, path: string): Buffer {
  const head = Buffer.alloc(4096);
  const descriptor = openInRoot(root, path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const length = readSync(descriptor, head, 0, head.length, 0);
    return length < 64 ? Buffer.concat([head.subarray(0, length), Buffer.alloc(64)]) : head.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

function scriptInterpreter(head: Buffer): string | undefined {
  return /^#![ \t]*([^ \t\n\0]+)/.exec(head.toString('utf8'))?.[1];
}

/** The PT_INTERP of a 64-bit little-endian ELF file, when its header table and its name are within `head`. */
function elfInterpreter(head: Buffer): string | undefined {
  const PT_INTERP = 3;
  if (head[4] !== 2 || head[5] !== 1) return undefined;
  const table = Number(head.readBigUInt64LE(32));
  const count = head.readUInt16LE(56);
  for (let index = 0; index < count; index++) {
    const offset = table + index * 56;
    if (offset + 56 > head.length) return undefined;
    if (head.readUInt32LE(offset) !== PT_INTERP) continue;
    const start = Number(head.readBigUInt64LE(offset + 8));
    const end = head.indexOf(0, start);
    return end < 0 ? undefined : head.toString('utf8', start, end);
  }
  return undefined;
}
