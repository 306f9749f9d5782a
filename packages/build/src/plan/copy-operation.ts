import { posix } from 'node:path';
import { type AddInstruction, type CopyInstruction, hasWildcard } from '@boxwright/dockerfile';
import { BoxwrightError } from '@boxwright/errors';
import type { CopyOperation, FileSource, Transfer } from './operation.ts';
import { cleanAbsolute, resolveDestination } from './paths.ts';

/** COPY or ADD as an operation, with its history row less the `# buildkit` (BuildKit `dispatchCopy`). */
export function copyOperation(
  instruction: CopyInstruction | AddInstruction,
  workingDir: string,
  resolveSource: (name: string) => FileSource,
): { readonly operation: CopyOperation; readonly row: string } {
  const from = instruction.kind === 'copy' ? instruction.from : undefined;
  const parents = instruction.kind === 'copy' && instruction.parents;
  const unpack = instruction.kind === 'add' && (instruction.unpack ?? true);
  checkMode(instruction.chmod);
  if (instruction.kind === 'add' && instruction.checksum !== undefined && !instruction.sources.some(isRemote)) {
    throw new BoxwrightError('DOCKERFILE_CHECKSUM', 'ADD --checksum needs an HTTP(S) source', {
      hint: 'remove the flag',
    });
  }
  const source = from === undefined ? ({ kind: 'context' } as const) : resolveSource(from);
  const transfers: Transfer[] = instruction.sources.map((path) => {
    refuseRemote(instruction.kind, path);
    return parents ? parentsTransfer(source, path) : plainTransfer(source, path, unpack);
  });
  if (instruction.inline.length > 0) transfers.push(...instruction.inline.map(inlineTransfer));
  const operation: CopyOperation = {
    kind: 'copy',
    transfers,
    dest: resolveDestination(workingDir, instruction.dest),
    chown: instruction.chown === '' ? undefined : instruction.chown,
    chmod: instruction.chmod === '' ? undefined : instruction.chmod,
    exclude: instruction.exclude,
    // With --chmod BuildKit does not merge but copies as ever.
    link: instruction.link && (instruction.chmod ?? '') === '',
  };
  const words = [
    instruction.name,
    ...(parents ? ['--parents'] : []),
    ...(operation.chown === undefined ? [] : [`--chown=${operation.chown}`]),
    ...(operation.chmod === undefined ? [] : [`--chmod=${operation.chmod}`]),
    ...instruction.sources,
    ...instruction.inline.map(({ name }) => `<<${name}`),
    instruction.dest,
  ];
  return { operation, row: words.join(' ') };
}

function plainTransfer(from: FileSource, path: string, unpack: boolean): Transfer {
  const cleaned = cleanAbsolute(path, true);
  return {
    from,
    path: cleaned,
    wildcards: hasWildcard(cleaned),
    include: [],
    required: undefined,
    unpack,
    followLinks: true,
  };
}

/** `--parents`: everything before `/./` is the root the parents are counted from. */
function parentsTransfer(from: FileSource, path: string): Transfer {
  const pivot = path.indexOf('/./');
  const root = pivot === -1 ? '/' : cleanAbsolute(path.slice(0, pivot), false);
  const pattern = posix.resolve('/', pivot === -1 ? path : path.slice(pivot + '/./'.length)).slice(1);
  const required = hasWildcard(root) || hasWildcard(pattern) ? undefined : posix.join(root, pattern);
  return {
    from,
    path: root,
    wildcards: hasWildcard(root),
    include: [pattern],
    required,
    unpack: false,
    followLinks: true,
  };
}

function inlineTransfer(file: { readonly name: string; readonly content: string }): Transfer {
  return {
    from: { kind: 'inline', files: [{ name: file.name, content: file.content }] },
    path: `/${file.name}`,
    wildcards: false,
    include: [],
    required: undefined,
    unpack: false,
    followLinks: false,
  };
}

function checkMode(chmod: string | undefined): void {
  if (chmod === undefined || chmod === '') return;
  const octal = /^[0-7]+$/.test(chmod) && Number.parseInt(chmod, 8) <= 0o7777;
  const symbolic = /^[ugoa]*([-+=][rwxXstugo]*)+(,[ugoa]*([-+=][rwxXstugo]*)+)*$/.test(chmod);
  if (!octal && !symbolic) {
    throw new BoxwrightError('DOCKERFILE_CHMOD', `invalid --chmod value "${chmod}"`, {
      hint: 'give an octal number from 0 to 07777, or a symbolic mode such as u+x,go-w',
    });
  }
}

function isRemote(path: string): boolean {
  return /^(https?|git|ssh):\/\/|^git@/.test(path);
}

function refuseRemote(kind: 'copy' | 'add', path: string): void {
  if (!isRemote(path)) return;
  throw kind === 'copy'
    ? new BoxwrightError('DOCKERFILE_COPY_REMOTE', `COPY ${path}: a source cannot be a URL`, {
        hint: 'COPY takes files of the build context',
      })
    : new BoxwrightError('DOCKERFILE_UNSUPPORTED', `ADD ${path}: remote sources are not supported yet`, {
        hint: 'download the file before the build and COPY it',
      });
}
