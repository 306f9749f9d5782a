import { describe, expect, it } from 'vitest';
import { DockerfileError } from './dockerfile-error.ts';
import { parseDockerfile } from './parse-dockerfile.ts';

/** All rows of this file were checked against Docker Engine 28.5 (BuildKit), errors included. */
function parse(text: string): Record<string, unknown> {
  const [instruction] = parseDockerfile(`FROM x\n${text}`).stages[0]?.instructions ?? [];
  if (instruction === undefined) throw new Error('no instruction');
  const { name, range, original, ...rest } = instruction;
  expect(name).toBe(text.trim().split(/\s/)[0]?.toUpperCase());
  expect(original).toBe(text.trimStart());
  expect(range.start.line).toBe(2);
  return rest;
}

function refused(text: string): void {
  expect(() => parseDockerfile(text)).toThrow(DockerfileError);
}

describe('FROM', () => {
  it.each([
    ['FROM scratch', { image: 'scratch' }],
    ['from a:1 as B-1.x_y', { image: 'a:1', as: 'B-1.x_y' }],
    ['FROM --platform=linux/amd64 a', { image: 'a', platform: 'linux/amd64' }],
    ['FROM --platform= a', { image: 'a' }],
    ['FROM "a"', { image: '"a"' }],
    ['FROM ${x:-a}', { image: '${x:-a}' }],
  ])('%s', (text, expected) => {
    const { image, platform, as } = parseDockerfile(text).stages[0]?.from ?? {};
    expect({ image, platform, as }).toEqual({ platform: undefined, as: undefined, ...expected });
  });

  it.each([
    'FROM',
    'FROM a b',
    'FROM a AS',
    'FROM a AS 1a',
    'FROM a AS a!b',
    'FROM a AS a b',
    'FROM a # comment',
    'FROM --foo=1 a',
    'FROM --platform a',
    'FROM ${x:- a}',
  ])('refuses %s', refused);
});

describe('ENV and LABEL', () => {
  it.each([
    ['a b c', { a: 'b c' }, true],
    ['a  b   c  ', { a: 'b   c' }, true],
    ['a "b c" d', { a: '"b c" d' }, true],
    ['a\tb', { a: 'b' }, true],
    ['a b=1', { a: 'b=1' }, true],
    ['a= b=', { a: '', b: '' }, false],
    ['"a b"=c', { '"a b"': 'c' }, false],
    ['a=b=c', { a: 'b=c' }, false],
    ['a=b\\ c d=e', { a: 'b\\ c', d: 'e' }, false],
    ['a="x y" b=\'z "\'', { a: '"x y"', b: "'z \"'" }, false],
    ['a="x\\" y" b=1', { a: '"x\\" y"', b: '1' }, false],
    ["a='x\\' b=1", { a: "'x\\'", b: '1' }, false],
    ['a=\\', { a: '' }, false],
    ['a="b', { a: '"b' }, false],
    ['-- a=1', { a: '1' }, false],
    ['caf\u00e9=\u4e2d', { 'caf\u00e9': '\u4e2d' }, false],
  ])('%j', (text, pairs, legacy) => {
    const expected = { pairs: Object.entries(pairs).map(([key, value]) => ({ key, value })), legacy };
    expect(parse(`ENV ${text}`)).toEqual({ kind: 'env', ...expected });
    expect(parse(`LABEL ${text}`)).toEqual({ kind: 'label', ...expected });
  });

  it('keeps names that objects know', () => {
    expect(parse('ENV __proto__=a constructor=b')).toMatchObject({
      pairs: [
        { key: '__proto__', value: 'a' },
        { key: 'constructor', value: 'b' },
      ],
    });
  });

  it.each(['', 'a', '=x', 'a=1 b', 'a=1 =2', '--x=1 a=b', 'a=\u00a0b', 'a=1\rENV b=2'])('refuses %j', (text) => {
    refused(`FROM x\nENV ${text}`);
    refused(`FROM x\nLABEL ${text}`);
  });
});

describe('ARG', () => {
  it.each([
    ['a', [{ key: 'a' }]],
    ['a=1 b=$a c', [{ key: 'a', value: '1' }, { key: 'b', value: '$a' }, { key: 'c' }]],
    [
      'a="x y" b=',
      [
        { key: 'a', value: '"x y"' },
        { key: 'b', value: '' },
      ],
    ],
    ['--foo=1 a=2', [{ key: 'a', value: '2' }]],
  ])('%s', (text, args) => {
    expect(parse(`ARG ${text}`)).toEqual({ kind: 'arg', args });
  });

  it.each(['', '=1', 'a =1'])('refuses %j', (text) => refused(`FROM x\nARG ${text}`));
});

describe('RUN, CMD, ENTRYPOINT', () => {
  const shell = (command: string): object => ({ form: 'shell', command, args: [] });
  const exec = (...args: string[]): object => ({ form: 'exec', command: '', args });
  it.each([
    ['', shell('')],
    ['[]', exec()],
    ['[ ]', exec()],
    ['["a","b c"]', exec('a', 'b c')],
    ['  [ "a" , "b" ]  ', exec('a', 'b')],
    ['[ "a", \\\n  "b" ]', exec('a', 'b')],
    ['["a\\u0041\\"\\n\\ud800"]', exec('aA"\n\ufffd')],
    ["['a']", shell("['a']")],
    ['["a"', shell('["a"')],
    ['["a",]', shell('["a",]')],
    ['["a"] x', shell('["a"] x')],
    ['[ -d / ] && x', shell('[ -d / ] && x')],
    ['{"a":1}', shell('{"a":1}')],
    ['  echo $x "a"  ', shell('echo $x "a"')],
    ['-x', shell('-x')],
    ['-- --foo', shell('--foo')],
    ['a # b', shell('a # b')],
  ])('%j', (text, expected) => {
    expect(parse(`CMD ${text}`)).toEqual({ kind: 'cmd', ...expected });
    expect(parse(`ENTRYPOINT ${text}`)).toEqual({ kind: 'entrypoint', ...expected });
    expect(parse(`RUN ${text}`)).toMatchObject({ kind: 'run', ...expected });
  });

  it.each(['["a",1]', '[1]', '[["a"]]', '[null]', '["a",true]', '--help', '--x=1 a'])('refuses %j', (text) => {
    for (const name of ['CMD', 'ENTRYPOINT', 'RUN', 'SHELL']) refused(`FROM x\n${name} ${text}`);
  });

  it('knows the flags of RUN', () => {
    expect(parse('RUN --network=none --security=insecure --device=a --mount=type=tmpfs,target=/t a')).toEqual({
      kind: 'run',
      ...shell('a'),
      heredocs: [],
      network: 'none',
      security: 'insecure',
      devices: ['a'],
      mounts: [{ type: 'tmpfs', target: '/t', readonly: false }],
      mountTexts: ['type=tmpfs,target=/t'],
    });
    for (const flag of ['network=foo', 'network=', 'security=x', 'network=none --network=none', 'mount', 'mount=']) {
      refused(`FROM x\nRUN --${flag} a`);
    }
    refused('FROM x\nRUN --mount=target=/r,from=$x a');
  });
});

describe('SHELL', () => {
  it('needs a JSON array', () => {
    expect(parse('SHELL ["/bin/bash", "-c"]')).toEqual({ kind: 'shell', args: ['/bin/bash', '-c'] });
    for (const text of ['', '[]', 'a b', '["a"] b']) refused(`FROM x\nSHELL ${text}`);
  });
});

describe('COPY and ADD', () => {
  const none = { sources: ['a'], inline: [], dest: '/b', link: false, exclude: [] };
  it.each([
    ['COPY a /b', {}],
    ['COPY a b c/ /d/', { sources: ['a', 'b', 'c/'], dest: '/d/' }],
    ['COPY ["a b", "c", "/d e"]', { sources: ['a b', 'c'], dest: '/d e' }],
    ['COPY "a b" /c', { sources: ['"a', 'b"'], dest: '/c' }],
    ['COPY a /b # c', { sources: ['a', '/b', '#'], dest: 'c' }],
    [
      'COPY --chown=1:2 --chmod=u+x --from=f --link --parents --exclude=x --exclude=y a /b',
      { chown: '1:2', chmod: 'u+x', from: 'f', link: true, parents: true, exclude: ['x', 'y'] },
    ],
    ['COPY --link=false --parents=TRUE a /b', { parents: true }],
    ['COPY --chown="1:2" --from=\'f\' a /b', { chown: '1:2', from: 'f' }],
    ['COPY --chown=1\\:2 a /b', { chown: '1:2' }],
    ['COPY --from= --chown= --chmod= a /b', {}],
    ['COPY --chown=1 -- a /b', { chown: '1' }],
    ['COPY -- --a /b', { sources: ['--a'] }],
    ['COPY a --chown=1 /b', { sources: ['a', '--chown=1'] }],
    ['COPY --ch\\\nown=1 a /b', { chown: '1' }],
    ['COPY --chown=\u00e0 a /b', { chown: '\u00e0' }],
  ])('%j', (text, expected) => {
    expect(parse(text)).toEqual({ kind: 'copy', parents: false, ...none, ...expected });
  });

  it.each([
    ['ADD a /b', {}],
    [
      'ADD --checksum=sha256:1 --keep-git-dir --unpack=false --link a /b',
      { checksum: 'sha256:1', keepGitDir: true, unpack: false, link: true },
    ],
    ['ADD --keep-git-dir=false --unpack --exclude=z a /b', { keepGitDir: false, unpack: true, exclude: ['z'] }],
  ])('%s', (text, expected) => {
    expect(parse(text)).toEqual({ kind: 'add', ...none, ...expected });
  });

  it.each([
    'COPY',
    'COPY a',
    'COPY []',
    'COPY ["a"]',
    'COPY [1, 2]',
    'COPY --link=x a /b',
    'COPY --link= a /b',
    'COPY --chown 1:2 a /b',
    'COPY --foo a /b',
    'COPY --checksum=x a /b',
    'ADD --from=x a /b',
    'ADD --parents a /b',
  ])('refuses %s', (text) => refused(`FROM x\n${text}`));
});

describe('HEALTHCHECK', () => {
  const cmd = { kind: 'healthcheck', none: false, form: 'shell', test: ['CMD-SHELL', 'x'] };
  it.each([
    ['NONE', { none: true, form: 'exec', test: ['NONE'] }],
    ['none', { none: true, form: 'exec', test: ['NONE'] }],
    ['--interval=5s NONE', { none: true, form: 'exec', test: ['NONE'] }],
    ['cmd x', {}],
    ['CMD curl -f "http://x/$y" || exit 1', { test: ['CMD-SHELL', 'curl -f "http://x/$y" || exit 1'] }],
    ['CMD ["a","b"]', { form: 'exec', test: ['CMD', 'a', 'b'] }],
    [
      '--interval=1m30s --timeout=1.5s --start-period=0s --start-interval=2ms --retries=3 CMD x',
      { intervalNs: 90e9, timeoutNs: 1.5e9, startPeriodNs: 0, startIntervalNs: 2e6, retries: 3 },
    ],
    ['--interval= --retries=0 CMD x', { retries: 0 }],
    ['--interval=1h.5m CMD x', { intervalNs: 3630e9 }],
    ['--interval=+5.s CMD x', { intervalNs: 5e9 }],
  ])('%s', (text, expected) => {
    expect(parse(`HEALTHCHECK ${text}`)).toEqual({ ...cmd, ...expected });
  });

  it.each([
    '',
    'NONE x',
    'CMD',
    'CMD []',
    'CMD [1]',
    'FOO a',
    '--interval=1us CMD x',
    '--interval=-1s CMD x',
    '--interval=5 CMD x',
    '--interval=$x CMD x',
    '--interval=. CMD x',
    '--interval=1d CMD x',
    '--interval CMD x',
    '--retries=-1 CMD x',
    '--retries=x CMD x',
    '--retries=99999999999 CMD x',
    '--retries=1 --retries=2 CMD x',
    '--foo CMD x',
  ])('refuses %j', (text) => refused(`FROM x\nHEALTHCHECK ${text}`));
});

describe('the rest', () => {
  it.each([
    ['EXPOSE 443 80 8000-8002/UDP', { kind: 'expose', ports: ['443', '80', '8000-8002/UDP'] }],
    ['EXPOSE 9 $p 1', { kind: 'expose', ports: ['$p', '1', '9'] }],
    ['VOLUME /a /b', { kind: 'volume', paths: ['/a', '/b'] }],
    ['VOLUME [" /a b ","/c"]', { kind: 'volume', paths: ['/a b', '/c'] }],
    ['USER a b', { kind: 'user', user: 'a b' }],
    ['WORKDIR  /a b ', { kind: 'workdir', path: '/a b' }],
    ['STOPSIGNAL --x 9', { kind: 'stopsignal', signal: '9' }],
    ['MAINTAINER a <b> $x', { kind: 'maintainer', author: 'a <b> $x' }],
  ])('%s', (text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it.each([
    'EXPOSE',
    'VOLUME',
    'VOLUME []',
    'VOLUME ["  "]',
    'USER',
    'WORKDIR',
    'STOPSIGNAL',
    'MAINTAINER',
    'USER --x a',
  ])('refuses %s', (text) => refused(`FROM x\n${text}`));
});

describe('ONBUILD', () => {
  it('keeps the text as the config stores it', () => {
    expect(parse('ONBUILD   RUN  a  \\\n  b ')).toMatchObject({
      kind: 'onbuild',
      text: 'RUN  a    b ',
      instruction: {
        kind: 'run',
        name: 'RUN',
        command: 'a    b',
        original: 'RUN  a  \\\n  b ',
        range: { start: { line: 2, column: 11 } },
      },
    });
    expect(parse('ONBUILD \\\n COPY --link a /b')).toMatchObject({
      text: 'COPY --link a /b',
      instruction: { link: true, original: 'COPY --link a /b', range: { start: { line: 3, column: 2 } } },
    });
  });

  it.each(['', 'ONBUILD RUN x', 'onbuild x', 'FROM x', 'from x', 'MAINTAINER x', '--x RUN a', 'ENV a', 'CMD [1]'])(
    'refuses %j',
    (text) => refused(`FROM x\nONBUILD ${text}`),
  );

  // BuildKit lets these through and fails in every image built on the result.
  it.each(['RNU x', 'COPY a', 'COPY --foo a /b', 'HEALTHCHECK FOO'])('refuses %j early', (text) =>
    refused(`FROM x\nONBUILD ${text}`),
  );
});
