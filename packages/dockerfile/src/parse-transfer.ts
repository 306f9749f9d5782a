import { type Flags, parseFlags } from './flags.ts';
import { chompTabs, tryHeredocStart } from './heredoc.ts';
import type { AddInstruction, CopyInstruction, InlineFile } from './instructions.ts';
import { listArguments } from './parse-arguments.ts';
import { baseOf, fault, placeOf, type Statement } from './statement.ts';

const sharedFlags = { chown: 'string', chmod: 'string', link: 'boolean', exclude: 'strings' } as const;

/** COPY: https://docs.docker.com/reference/dockerfile/#copy */
export function parseCopy(statement: Statement): CopyInstruction {
  const flags = parseFlags(statement, { ...sharedFlags, from: 'string', parents: 'boolean' });
  const from = flags.string('from');
  return {
    kind: 'copy',
    ...baseOf(statement),
    ...transferFields(statement, flags),
    // `--from=` counts as no --from.
    ...(from ? { from } : {}),
    parents: flags.boolean('parents') ?? false,
  };
}

/** ADD: https://docs.docker.com/reference/dockerfile/#add */
export function parseAdd(statement: Statement): AddInstruction {
  const flags = parseFlags(statement, {
    ...sharedFlags,
    'keep-git-dir': 'boolean',
    checksum: 'string',
    unpack: 'boolean',
  });
  const keepGitDir = flags.boolean('keep-git-dir');
  const checksum = flags.string('checksum');
  const unpack = flags.boolean('unpack');
  return {
    kind: 'add',
    ...baseOf(statement),
    ...transferFields(statement, flags),
    ...(keepGitDir === undefined ? {} : { keepGitDir }),
    ...(checksum ? { checksum } : {}),
    ...(unpack === undefined ? {} : { unpack }),
  };
}

function transferFields(
  statement: Statement,
  flags: Flags,
): Pick<CopyInstruction, 'sources' | 'inline' | 'dest' | 'chown' | 'chmod' | 'link' | 'exclude'> {
  const name = statement.word.toUpperCase();
  const words = listArguments(statement).words;
  const last = words.at(-1);
  if (last === undefined || words.length < 2) {
    throw fault(statement, `${name} needs at least one source and a destination`, last && placeOf(statement, last), {
      hint: `Write \`${name} SOURCE... DESTINATION\`.`,
    });
  }
  if (tryHeredocStart(last.text)) {
    throw fault(statement, `the destination of ${name} cannot be a heredoc`, placeOf(statement, last));
  }
  const sources: string[] = [];
  const inline: InlineFile[] = [];
  for (const word of words.slice(0, -1)) {
    const start = tryHeredocStart(word.text);
    // Of several heredocs with one name the last one's content counts.
    const heredoc = start && statement.heredocs.findLast((candidate) => candidate.name === start.name);
    if (start === undefined) {
      sources.push(word.text);
    } else {
      const content = heredoc?.content ?? '';
      inline.push({ name: start.name, content: start.chomp ? chompTabs(content) : content, expand: start.expand });
    }
  }
  const chown = flags.string('chown');
  const chmod = flags.string('chmod');
  return {
    sources,
    inline,
    dest: last.text,
    ...(chown ? { chown } : {}),
    ...(chmod ? { chmod } : {}),
    link: flags.boolean('link') ?? false,
    exclude: flags.strings('exclude'),
  };
}
