import type { HistoryEntry } from '@boxwright/oci';
import { describe, expect, it } from 'vitest';
import { type HistoryContext, readHistory } from './read-history.ts';

/** Rows by their `created_by`, as BuildKit writes them. */
function buildkit(...rows: string[]): HistoryEntry[] {
  return rows.map((createdBy) => ({ createdBy, comment: 'buildkit.dockerfile.v0' }));
}

/** The instructions of rows, oldest first. */
function instructions(history: readonly HistoryEntry[], context: HistoryContext = {}) {
  return readHistory(history, context).map((row) => row.instruction);
}

function config(parts: { Env?: string[]; Labels?: [string, string][]; Cmd?: string[]; Shell?: string[] }) {
  return { config: { Env: [], Cmd: [], Shell: [], ...parts, Labels: new Map(parts.Labels) } };
}

describe('BuildKit', () => {
  it('strips the arguments of RUN by the rows that declared them', () => {
    const history = buildkit(
      'ARG A=two words B=',
      'ARG C',
      'ENV B=from env',
      'RUN |3 A=two words B=from env C= /bin/sh -c make A=1 # buildkit',
      'RUN |2 X=1 Y=a b=c /bin/sh -c true # buildkit',
      'RUN /bin/sh -c echo # buildkit',
      'RUN /usr/bin/true -x # buildkit',
    );
    expect(instructions(history).slice(3)).toEqual([
      {
        kind: 'RUN',
        buildArguments: [
          { name: 'A', value: 'two words' },
          { name: 'B', value: 'from env' },
          { name: 'C', value: '' },
        ],
        shell: '/bin/sh -c',
        command: 'make A=1',
      },
      {
        kind: 'RUN',
        buildArguments: [
          { name: 'X', value: '1' },
          { name: 'Y', value: 'a b=c' },
        ],
        shell: '/bin/sh -c',
        command: 'true',
      },
      { kind: 'RUN', buildArguments: [], shell: '/bin/sh -c', command: 'echo' },
      { kind: 'RUN', buildArguments: [], command: '/usr/bin/true -x' },
    ]);
  });

  it('knows the shell that SHELL has set', () => {
    const [shell, run] = instructions(
      buildkit('SHELL [/bin/my bash -c]', 'RUN /bin/my bash -c set -o pipefail\n\tx # buildkit'),
      config({ Shell: ['/bin/my bash', '-c'] }),
    );
    expect(shell).toEqual({ kind: 'SHELL', words: ['/bin/my bash', '-c'], exact: true });
    expect(run).toMatchObject({ shell: '/bin/my bash -c', command: 'set -o pipefail\n\tx' });
    expect(instructions(buildkit('SHELL [/bin/my bash -c]'))).toEqual([
      { kind: 'SHELL', words: ['/bin/my', 'bash', '-c'], exact: false },
    ]);
  });

  it('ends values of ENV and LABEL where the config says', () => {
    const [env, label, again] = instructions(
      buildkit(
        'ENV GIT_SSH=ssh -o User=git PATH=/a:/b',
        'LABEL a=b=c d e f=g with space=x',
        'ENV GIT_SSH=an older value X=1 PATH=/bin',
      ),
      config({
        Env: ['PATH=/bin', 'GIT_SSH=ssh -o User=git'],
        Labels: [
          ['a', 'b=c d e'],
          ['f', 'g'],
          ['with space', 'x'],
        ],
      }),
    );
    expect(env).toMatchObject({
      pairs: [
        { name: 'GIT_SSH', value: 'ssh -o User=git' },
        { name: 'PATH', value: '/a:/b' },
      ],
    });
    expect(label).toMatchObject({
      pairs: [
        { name: 'a', value: 'b=c d e' },
        { name: 'f', value: 'g' },
        { name: 'with space', value: 'x' },
      ],
    });
    expect(again).toMatchObject({
      pairs: [
        { name: 'GIT_SSH', value: 'an older value X=1' },
        { name: 'PATH', value: '/bin' },
      ],
    });
    expect(instructions(buildkit('ENV A=1 B=two words'))).toMatchObject([
      {
        pairs: [
          { name: 'A', value: '1' },
          { name: 'B', value: 'two words' },
        ],
      },
    ]);
  });

  it('reads lists in the forms of Go', () => {
    expect(
      instructions(
        buildkit(
          'CMD ["python3" "-c" "print(\\"\\u4e2d\\xe4\\xb8\\xad\\t\\")"]',
          'ENTRYPOINT []',
          'EXPOSE [5001/tcp 80/tcp]',
          'EXPOSE map[80/tcp:{} 90/udp:{}]',
          'VOLUME [/data /x]',
          'VOLUME [/data]',
          `HEALTHCHECK &{["CMD-SHELL" "test -f \\"/x\\""] "1m30s" "0s" "0s" "0s" '\\x04'}`,
          `HEALTHCHECK &{["NONE"] "0s" "0s" "0s" '\\x00'}`,
          'HEALTHCHECK &{Test:[CMD true] Interval:30s}',
        ),
      ),
    ).toEqual([
      { kind: 'CMD', words: ['python3', '-c', 'print("中中\t")'], exact: true },
      { kind: 'ENTRYPOINT', words: [], exact: true },
      { kind: 'EXPOSE', words: ['5001/tcp', '80/tcp'], exact: true },
      { kind: 'EXPOSE', words: ['80/tcp', '90/udp'], exact: true },
      { kind: 'VOLUME', words: ['/data', '/x'], exact: false },
      { kind: 'VOLUME', words: ['/data'], exact: true },
      expect.objectContaining({
        test: ['CMD-SHELL', 'test -f "/x"'],
        interval: '1m30s',
        timeout: '0s',
        startPeriod: '0s',
        startInterval: '0s',
        retries: 4,
      }),
      expect.objectContaining({ test: ['NONE'], retries: 0 }),
      { kind: 'HEALTHCHECK', value: '&{Test:[CMD true] Interval:30s}' },
    ]);
  });

  it('reads copies, directories and single values', () => {
    expect(
      instructions(
        buildkit(
          'COPY --chown=dify:dify --chmod=755 docker/entrypoint.sh /entrypoint.sh # buildkit',
          'ADD a b ./c/ # buildkit',
          'WORKDIR /app',
          'USER app',
          'STOPSIGNAL SIGINT',
          'MAINTAINER me <me@x>',
        ),
      ),
    ).toEqual([
      {
        kind: 'COPY',
        flags: ['--chown=dify:dify', '--chmod=755'],
        sources: ['docker/entrypoint.sh'],
        destination: '/entrypoint.sh',
      },
      { kind: 'ADD', flags: [], sources: ['a', 'b'], destination: './c/' },
      { kind: 'WORKDIR', value: '/app' },
      { kind: 'USER', value: 'app' },
      { kind: 'STOPSIGNAL', value: 'SIGINT' },
      { kind: 'MAINTAINER', value: 'me <me@x>' },
    ]);
  });

  it('shows the row with single blanks', () => {
    expect(readHistory(buildkit('RUN /bin/sh -c set -eux; \t\tx;\n\n  y # buildkit'))[0]).toMatchObject({
      writer: 'buildkit',
      text: 'RUN /bin/sh -c set -eux; x; y # buildkit',
    });
  });

  it('has no instruction for layers that the exporter found without one', () => {
    expect(readHistory([{ comment: 'buildkit.exporter.image.v0' }])).toEqual([{ writer: 'buildkit', text: '' }]);
  });
});

/** What Docker 20.10 wrote for a Dockerfile with most instructions, DOCKER_BUILDKIT=0. */
const classic: readonly HistoryEntry[] = [
  { createdBy: '/bin/sh -c #(nop)  MAINTAINER me <me@x>' },
  { createdBy: '/bin/sh -c #(nop)  ARG V=1' },
  { createdBy: '/bin/sh -c #(nop)  ARG W' },
  { createdBy: '/bin/sh -c #(nop)  ENV A=1 B=two words C=x' },
  { createdBy: '/bin/sh -c #(nop)  LABEL a=b k v=x y q=a"b' },
  { createdBy: `/bin/sh -c #(nop) COPY file:${'7'.repeat(64)} in /bin/busybox ` },
  { createdBy: `/bin/sh -c #(nop) COPY --chown=1:2multi:${'5'.repeat(64)} in /x/ ` },
  { createdBy: '|1 V=1 /bin/busybox true' },
  { createdBy: '|1 V=1 /bin/sh -c echo "$A  $V" &&    echo done' },
  { createdBy: '/bin/sh -e -c #(nop)  SHELL [/bin/sh -e -c]' },
  { createdBy: '|1 V=1 /bin/sh -e -c true' },
  { createdBy: '/bin/sh -e -c #(nop) WORKDIR /app/sub' },
  { createdBy: '/bin/sh -e -c #(nop)  EXPOSE 100-102 80 90/udp' },
  { createdBy: '/bin/sh -e -c #(nop)  VOLUME [/d2]' },
  {
    createdBy: '/bin/sh -e -c #(nop)  HEALTHCHECK &{["CMD-SHELL" "test -f \\"/x\\""] "1m30s" "0s" "0s" \'\\x04\'}',
  },
  { createdBy: '/bin/sh -e -c #(nop)  CMD ["/bin/sh" "-e" "-c" "echo \\"hi there\\""]' },
];

describe('the classic builder', () => {
  const context = {
    ...config({
      Env: ['A=1', 'B=two words', 'C=x'],
      Labels: [
        ['a', 'b'],
        ['k v', 'x y'],
        ['q', 'a"b'],
      ],
    }),
    dockerVersion: '20.10.24',
  };

  it('is recognised in every row', () => {
    expect(new Set(readHistory(classic, context).map((row) => row.writer))).toEqual(new Set(['classic']));
  });

  it('is read instruction by instruction', () => {
    expect(instructions(classic, context)).toEqual([
      { kind: 'MAINTAINER', value: 'me <me@x>' },
      { kind: 'ARG', pairs: [{ name: 'V', value: '1' }] },
      { kind: 'ARG', pairs: [{ name: 'W' }] },
      {
        kind: 'ENV',
        pairs: [
          { name: 'A', value: '1' },
          { name: 'B', value: 'two words' },
          { name: 'C', value: 'x' },
        ],
      },
      {
        kind: 'LABEL',
        pairs: [
          { name: 'a', value: 'b' },
          { name: 'k v', value: 'x y' },
          { name: 'q', value: 'a"b' },
        ],
      },
      { kind: 'COPY', flags: [], sources: [], destination: '/bin/busybox', contentId: `file:${'7'.repeat(64)}` },
      { kind: 'COPY', flags: ['--chown=1:2'], sources: [], destination: '/x/', contentId: `multi:${'5'.repeat(64)}` },
      { kind: 'RUN', buildArguments: [{ name: 'V', value: '1' }], command: '/bin/busybox true' },
      {
        kind: 'RUN',
        buildArguments: [{ name: 'V', value: '1' }],
        shell: '/bin/sh -c',
        command: 'echo "$A  $V" &&    echo done',
      },
      { kind: 'SHELL', words: ['/bin/sh', '-e', '-c'], exact: false },
      { kind: 'RUN', buildArguments: [{ name: 'V', value: '1' }], shell: '/bin/sh -e -c', command: 'true' },
      { kind: 'WORKDIR', value: '/app/sub' },
      { kind: 'EXPOSE', words: ['100-102', '80', '90/udp'], exact: true },
      { kind: 'VOLUME', words: ['/d2'], exact: true },
      expect.objectContaining({ kind: 'HEALTHCHECK', interval: '1m30s', retries: 4 }),
      { kind: 'CMD', words: ['/bin/sh', '-e', '-c', 'echo "hi there"'], exact: true },
    ]);
  });

  it('keeps its name beside a maintainer who is called like a tool', () => {
    expect(readHistory([{ createdBy: '/bin/sh -c #(nop)  USER x', author: 'kaniko' }])[0]?.writer).toBe('classic');
  });
});

describe('buildah', () => {
  /** What buildah 1.28 wrote with --layers; without it there is no comment, and all rows but the last are empty. */
  const rows = [
    'ARG V',
    'ENV A=1 B="two words" C=x',
    'ENV D hello world',
    'LABEL a=b "k v"="x y" q="a\\"b"',
    `COPY file:${'0'.repeat(64)} in /bin/busybox `,
  ].map((text) => `/bin/sh -c #(nop) ${text}`);
  const layered: readonly HistoryEntry[] = [
    ...rows,
    '|1 V=1 /bin/sh -c ["/bin/busybox", "true"]',
    '/bin/sh -c #(nop) SHELL ["/bin/sh", "-e", "-c"]',
    '/bin/sh -c #(nop) CMD echo "hi there"',
    '/bin/sh -c #(nop) ENTRYPOINT ["/bin/a b", "c\\"d"]',
    '/bin/sh -c #(nop) HEALTHCHECK --interval=1m30s CMD test -f "/x"',
    '/bin/sh',
  ].map((createdBy) => ({ createdBy, comment: 'FROM 6837bd73a5b3' }));

  it('is told from the classic builder by one blank, also in rows that leave it open', () => {
    for (const history of [layered, layered.slice(0, -1).map(({ createdBy }) => ({ createdBy: createdBy ?? '' }))]) {
      expect(new Set(readHistory(history).map((row) => row.writer))).toEqual(new Set(['buildah']));
    }
    const mixed = [...classic, ...layered.slice(4)];
    expect(readHistory(mixed).map((row) => row.writer)).toEqual([
      ...classic.map(() => 'classic'),
      ...layered.slice(4).map(() => 'buildah'),
    ]);
  });

  it('keeps the words of the Dockerfile', () => {
    expect(instructions(layered).slice(1)).toEqual([
      {
        kind: 'ENV',
        pairs: [
          { name: 'A', value: '1' },
          { name: 'B', value: 'two words' },
          { name: 'C', value: 'x' },
        ],
      },
      { kind: 'ENV', pairs: [{ name: 'D', value: 'hello world' }] },
      {
        kind: 'LABEL',
        pairs: [
          { name: 'a', value: 'b' },
          { name: 'k v', value: 'x y' },
          { name: 'q', value: 'a"b' },
        ],
      },
      { kind: 'COPY', flags: [], sources: [], destination: '/bin/busybox', contentId: `file:${'0'.repeat(64)}` },
      {
        kind: 'RUN',
        buildArguments: [{ name: 'V', value: '1' }],
        command: '/bin/busybox true',
        words: ['/bin/busybox', 'true'],
      },
      { kind: 'SHELL', words: ['/bin/sh', '-e', '-c'], exact: true },
      { kind: 'CMD', words: ['/bin/sh', '-e', '-c', 'echo "hi there"'], exact: true },
      { kind: 'ENTRYPOINT', words: ['/bin/a b', 'c"d'], exact: true },
      { kind: 'HEALTHCHECK', value: '--interval=1m30s CMD test -f "/x"' },
      undefined,
    ]);
  });
});

describe('other writers', () => {
  it.each<[string, HistoryEntry, string, string | undefined]>([
    ['kaniko', { author: 'kaniko', createdBy: 'COPY manager .' }, 'kaniko', 'COPY'],
    ['kaniko, as typed', { author: 'kaniko', createdBy: 'run make  all' }, 'kaniko', 'RUN'],
    [
      'ko',
      { author: 'ko', createdBy: 'ko build ko://x/cmd', comment: 'go build output, at /ko-app/x' },
      'ko',
      undefined,
    ],
    ['ko, older', { createdBy: 'ko publish x' }, 'ko', undefined],
    ['jib', { author: 'Jib', createdBy: 'jib-maven-plugin:3.4.1', comment: 'dependencies' }, 'jib', undefined],
    ['jib, base layer', { comment: 'auto-generated by Jib' }, 'jib', undefined],
    ['apko', { author: 'apko', createdBy: 'apko', comment: 'This is an apko single-layer image' }, 'apko', undefined],
    ['bazel', { author: 'Bazel', createdBy: 'bazel build ...' }, 'bazel', undefined],
    [
      'debuerreotype',
      { createdBy: "# debian.sh --arch 'arm64' out/ 'trixie' '@1771804800'" },
      'debuerreotype',
      undefined,
    ],
    ['docker import', { comment: 'Imported from -' }, 'docker-import', undefined],
    ['docker commit of a shell', { createdBy: '/bin/bash' }, 'docker-commit', undefined],
    ['a keyword of nobody', { createdBy: 'LABEL a=b' }, 'unknown', 'LABEL'],
    ['something else', { createdBy: 'crane append x' }, 'unknown', undefined],
    ['nothing', {}, 'unknown', undefined],
    ['a prototype member', { createdBy: 'constructor x' }, 'unknown', undefined],
  ])('%s', (_name, entry, writer, kind) => {
    const [row] = readHistory([entry]);
    expect(row?.writer).toBe(writer);
    expect(row?.instruction?.kind).toBe(kind);
  });

  it('docker commit is told from a RUN in exec form by message or command', () => {
    const commit = { createdBy: 'sh -c echo x > /k' };
    const context = { ...config({ Cmd: ['sh', '-c', 'echo x > /k'] }), dockerVersion: '20.10.24' };
    const writer = (history: HistoryEntry[]) => readHistory(history, context).at(-1)?.writer;
    expect(writer([commit])).toBe('docker-commit');
    expect(writer([{ ...commit, comment: 'my message' }])).toBe('docker-commit');
    expect(writer([{ createdBy: 'make all' }])).toBe('classic');
  });
});
