import { parseJsonList } from './go-text.ts';
import type { CopyInstruction } from './instruction.ts';

/** What the classic builder and buildah write instead of the sources. Docker forgets the blank after `--chown=1:2`. */
const contentPattern = /^((?:--\S+ )*)(--\S+?)?((?:file|dir|multi):[0-9a-f]{64}) in ([\s\S]*)$/;

/** Reads the text of a COPY or ADD row, without keyword and `# buildkit`: `--chown=1:2 a b /dir/`. */
export function parseCopy(kind: CopyInstruction['kind'], text: string): CopyInstruction {
  const content = contentPattern.exec(text);
  if (content !== null) {
    const [, flags = '', glued, contentId = '', destination = ''] = content;
    return {
      kind,
      flags: [...flags.split(' ').filter((flag) => flag !== ''), ...(glued === undefined ? [] : [glued])],
      sources: [],
      destination: destination.trim(),
      contentId,
    };
  }
  const flags: string[] = [];
  let rest = text;
  for (let match = /^(--\S+)\s+/.exec(rest); match !== null; match = /^(--\S+)\s+/.exec(rest)) {
    flags.push(match[1] ?? '');
    rest = rest.slice(match[0].length);
  }
  // kaniko keeps the JSON form.
  const words = parseJsonList(rest) ?? rest.split(/\s+/).filter((word) => word !== '');
  return { kind, flags, sources: words.slice(0, -1), destination: words.at(-1) ?? '' };
}
