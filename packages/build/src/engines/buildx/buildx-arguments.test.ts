import { describe, expect, it } from 'vitest';
import type { BuildRequest } from '../../engine/engine.ts';
import { buildxArguments } from './buildx-arguments.ts';
import type { BuildxOptions } from './buildx-options.ts';

function words(request: Partial<BuildRequest> = {}, options: Partial<BuildxOptions> = {}): readonly string[] {
  // The cast: the store is not looked at.
  const complete = {
    contextDir: '/ctx',
    dockerfilePath: '/ctx/Dockerfile',
    tags: [],
    buildArgs: new Map(),
    labels: new Map(),
    noCache: false,
    secrets: [],
    namedContexts: new Map(),
    network: 'default',
    extraHosts: [],
    outputs: [],
    ...request,
  } as unknown as BuildRequest;
  const files = { metadata: '/m', secrets: new Map([['s', 'id=s,src=/s']]) };
  return buildxArguments(complete, { env: {}, home: '/', ...options }, files).slice(2);
}

describe('buildxArguments', () => {
  it('keeps the image where nothing else is said', () => {
    expect(words()).toEqual([
      '--progress=rawjson',
      '--metadata-file=/m',
      '--file=/ctx/Dockerfile',
      '--secret=id=s,src=/s',
      '--load',
      '--',
      '/ctx',
    ]);
  });

  it('hands on everything, each value in one word', () => {
    const found = words(
      {
        dockerfileText: 'FROM a',
        tags: ['a:1', '--load'],
        buildArgs: new Map([['A', '1 "x" $Y\n']]),
        namedContexts: new Map<string, never>([
          ['d', { kind: 'directory', path: '/d' } as never],
          ['l', { kind: 'oci-layout', path: '/l', tag: '1' } as never],
          ['i', { kind: 'image', reference: 'i:1' } as never],
        ]),
        noCache: ['one', 'two'],
        network: 'none',
        extraHosts: [{ host: 'h', address: '::1' }],
        outputs: [{ type: 'image', push: { compression: { compression: 'gzip' } } }],
      },
      { builder: 'far', platforms: ['linux/amd64', 'linux/arm64'], cacheTo: ['type=inline'], ssh: ['default'] },
    );
    for (const word of [
      '--file=-',
      '--tag=a:1',
      '--tag=--load',
      '--build-arg=A=1 "x" $Y\n',
      '--build-context=d=/d',
      '--build-context=l=oci-layout:///l:1',
      '--build-context=i=docker-image://i:1',
      '--no-cache-filter=two',
      '--network=none',
      '--add-host=h:::1',
      '--builder=far',
      '--platform=linux/amd64,linux/arm64',
      '--cache-to=type=inline',
      '--ssh=default',
      '--push',
    ]) {
      expect(found).toContain(word);
    }
    expect(found).not.toContain('--load');
    expect(words({}, { load: false })).not.toContain('--load');
  });

  it('quotes what Docker reads as CSV', () => {
    const outputs = [
      { type: 'oci', dest: '/a,"b"', tar: false },
      { type: 'image', push: { compression: { compression: 'zstd', level: 3 } } },
    ] as const;
    expect(words({ outputs })).toContain('--output=type=oci,"dest=/a,""b""",tar=false');
    expect(words({ outputs })).toContain('--output=type=registry,compression=zstd,compression-level=3');
  });

  it.each(['-', 'https://example.com/x.git'])('takes %s for no context', (contextDir) => {
    expect(() => words({ contextDir })).toThrowError(expect.objectContaining({ code: 'ENGINE_UNSUPPORTED' }));
  });
});
