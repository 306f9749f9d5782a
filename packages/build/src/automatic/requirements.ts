import { posix } from 'node:path';
import type { ProjectFiles } from './project-files.ts';

const mostFiles = 50;

/**
 * The files that `pip install -r` reads, the first one included; undefined when something in them is in the project itself
 * (`-e .`, `./package`, `file:`) or outside of it: then everything has to be there before pip runs.
 */
export function requirementFiles(files: ProjectFiles, first: string): readonly string[] | undefined {
  const found = [first];
  for (let index = 0; index < found.length && found.length <= mostFiles; index++) {
    const name = found[index] ?? '';
    const text = files.text(name);
    if (text === undefined) return undefined;
    for (const raw of text.replace(/\\\r?\n/g, ' ').split('\n')) {
      const line = raw.replace(/(?:^|\s)#.*$/, '').trim();
      const other = /^(?:-r|-c|--requirement|--constraint)[\s=]*(\S+)$/.exec(line)?.[1];
      if (other !== undefined) {
        const path = posix.join(posix.dirname(name), other);
        if (/^[a-z+]+:\/\//i.test(other)) continue;
        if (path.startsWith('..') || posix.isAbsolute(path)) return undefined;
        if (!found.includes(path)) found.push(path);
      } else if (isLocal(line)) {
        return undefined;
      }
    }
  }
  return found.length > mostFiles ? undefined : found;
}

function isLocal(line: string): boolean {
  return /^(?:-e|--editable)\b/.test(line) || /^(?:\.|\/|file:)/.test(line) || /@\s*file:/.test(line);
}
