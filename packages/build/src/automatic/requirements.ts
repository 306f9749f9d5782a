import { posix } from 'node:path';
import type { ProjectFiles } from './project-files.ts';

const mostFiles = 50;

/**
 * The files that `pip install -r` reads, the first one included; undefined when something in them is in the project itself
 * (`-e .`, `./package`, `wheels/x.whl`, `file:`, `--find-links wheels`) or outside of it: then everything has to be there
 * before pip runs.
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

/** https://pip.pypa.io/en/stable/reference/requirements-file-format/ */
function isLocal(line: string): boolean {
  if (/^(?:-e|--editable)\b/.test(line) || /@\s*file:/.test(line)) return true;
  const place = /^(?:-f|--find-links|-i|--index-url|--extra-index-url)[\s=]*(\S+)$/.exec(line)?.[1];
  if (place !== undefined) return !isRemote(place);
  // Before a marker or an option; pip takes what has a separator, or ends like an archive, for a path.
  const [requirement = ''] = line.split(/[\s;]/, 1);
  if (requirement.startsWith('-') || isRemote(requirement)) return false;
  return /[/\\]/.test(requirement) || /^(?:\.|file:)|\.(?:whl|zip|tar(?:\.\w+)?|tgz|tbz|txz)$/i.test(requirement);
}

function isRemote(place: string): boolean {
  return /^[a-z][a-z+]*:\/\//i.test(place) && !/^file:/i.test(place);
}
