import { escapeForTerminal } from '@boxwright/errors';
import { formatSize } from '../size.ts';
import type { FileDifference, FileDifferences } from './model.ts';

/** A difference, or a directory that one image has with all that is in it. */
interface Group {
  readonly first: FileDifference;
  files: number;
  bytes: number;
}

/** A line for each difference; a directory that is new or gone is one line with all that is in it. */
export function fileLines(files: FileDifferences, limit: number): string[] {
  const groups = grouped(files.list);
  const lines = groups.slice(0, limit).map(groupLine);
  const rest = groups.length - lines.length;
  if (rest > 0 || files.truncated) lines.push(`    … ${rest > 0 ? `${rest} more` : 'and more'}`);
  return lines;
}

/** Paths come in order, so that what is in a directory follows it. */
function grouped(list: readonly FileDifference[]): Group[] {
  const groups: Group[] = [];
  let open: Group | undefined;
  for (const difference of list) {
    const file = difference.after ?? difference.before;
    const isInside =
      open !== undefined &&
      difference.change === open.first.change &&
      difference.path.startsWith(`${open.first.path}/`);
    if (open !== undefined && isInside) {
      open.files += file?.type === 'directory' ? 0 : 1;
      open.bytes += file?.size ?? 0;
      continue;
    }
    const group = { first: difference, files: 0, bytes: file?.size ?? 0 };
    groups.push(group);
    open = difference.change !== 'changed' && file?.type === 'directory' ? group : undefined;
  }
  return groups;
}

function groupLine({ first, files, bytes }: Group): string {
  const { change, before, after } = first;
  const path = escapeForTerminal(first.path);
  const file = after ?? before;
  if (change === 'changed') return `  ~ ${path}  ${changes(first)}`;
  const mark = change === 'added' ? '+' : '-';
  if (file?.type === 'directory') {
    return `  ${mark} ${path}/${files === 0 ? '' : `  ${files} ${files === 1 ? 'file' : 'files'}, ${formatSize(bytes)}`}`;
  }
  const target = file?.link === undefined ? '' : ` -> ${escapeForTerminal(file.link)}`;
  return `  ${mark} ${path}${target}${file?.type === 'file' ? `  ${formatSize(file.size)}` : ''}`;
}

function changes({ aspects, before, after }: FileDifference): string {
  if (before === undefined || after === undefined) return '';
  return aspects
    .map((aspect) => {
      switch (aspect) {
        case 'type':
          return `${before.type} -> ${after.type}`;
        case 'content':
          return before.size === after.size ? 'content' : `${formatSize(before.size)} -> ${formatSize(after.size)}`;
        case 'mode':
          return `mode ${before.mode} -> ${after.mode}`;
        case 'owner':
          return `owner ${before.uid}:${before.gid} -> ${after.uid}:${after.gid}`;
        case 'link':
          return `${escapeForTerminal(before.link ?? '')} -> ${escapeForTerminal(after.link ?? '')}`;
        case 'time':
          return `time ${before.time} -> ${after.time}`;
        case 'device':
        case 'xattrs':
        default:
          return aspect;
      }
    })
    .join(', ');
}
