import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { plannedImage } from '@boxwright/build';
import { compareConfigs, dockerfileText, reconstructDockerfile } from '@boxwright/inspect';
import { buildImageConfig, digestOf, type ImageConfig, parseImageConfig } from '@boxwright/oci';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const baseLayer = digestOf('base');
const base = parseImageConfig(
  buildImageConfig({
    architecture: 'amd64',
    os: 'linux',
    config: {
      Env: ['PATH=/bin', 'BASE=a b'],
      Cmd: ['sh'],
      WorkingDir: '/srv',
      Labels: new Map([['of.base', '1']]),
      Shell: [],
    },
    rootfs: { diffIds: [baseLayer] },
    history: [
      { createdBy: 'ADD root.tar / # buildkit', created: '2026-01-01T00:00:00Z' },
      { createdBy: 'CMD ["sh"]', created: '2026-01-01T00:00:00Z', emptyLayer: true },
    ],
  }),
);
const platform = { os: 'linux', architecture: 'amd64' };

async function build(dockerfileText: string, labels: ReadonlyMap<string, string> = new Map()): Promise<ImageConfig> {
  const planned = await plannedImage({
    dockerfileText,
    labels,
    platform,
    contexts: Array.from({ length: 20 }, (_, index) => `lost-${index}`),
    image: () => base,
  });
  // A layer for each row that makes one, as a build would have it.
  const layers = planned.history.filter(({ emptyLayer }) => emptyLayer !== true).length;
  const made = Array.from({ length: layers - 1 }, (_, index) => digestOf(`layer ${index}`));
  return parseImageConfig(buildImageConfig({ base: planned, rootfs: { diffIds: [baseLayer, ...made] } }));
}

/** Builds, reads back, builds again: what differs. */
async function again(text: string): Promise<{ readonly written: string; readonly differences: unknown[] }> {
  const first = await build(text);
  const dockerfile = reconstructDockerfile(first, { candidates: [{ name: 'base:1', config: base }] });
  const written = dockerfileText(dockerfile, { title: 'test' });
  expect(dockerfile.base).toMatchObject({ kind: 'known', rows: 2, layers: 1 });
  const labels = new Map(dockerfile.buildLabels.map(({ name, value = '' }) => [name, value]));
  const second = await build(written, labels);
  const compared = compareConfigs(first, second, { built: false, lostRows: new Set() });
  return { written, differences: compared.filter(({ status }) => status === 'differs') };
}

describe('a Dockerfile that is built, read out of the image and built again', () => {
  it.each([
    'ENV A=1 B="two words" C="a\\"b" D=\'$x\' E=\\$y F=#1 G="" H="tail "',
    'ENV A="B=c d" B=2',
    'LABEL a.b="x y" "c d"=e f=\'"\'\nLABEL a.b="x y" z=',
    'ARG A=1\nARG B\nARG C="x y"\nRUN echo $A\nARG A=2 D=$A\nRUN echo "|2 A=1 B=2"',
    'ARG TARGETARCH\nARG TARGETVARIANT\nARG BUILDARCH\nRUN echo $TARGETARCH',
    'SHELL ["/bin/bash", "-o", "pipefail", "-c"]\nRUN a | b\nCMD a b\nENTRYPOINT x "y"',
    'SHELL ["/my shell", "-c"]\nRUN a',
    'RUN ["/bin/sh", "-c", "echo hi"]\nRUN ["a", "b c"]\nRUN ["only"]',
    'RUN <<EOF\nset -e\n  echo "a"\n\nENV X=1\nEOF\nRUN <<E1 cat > /a && cat <<E2 > /b\none\nE1\ntwo\nE2',
    'RUN <<EOF\n#!/bin/sh\necho\nEOF',
    'RUN set -eux; \\\n\tapt-get update; \\\n# comment\n\techo "a   b" \\\n    && \'c   d\' e\\  \\\n  #f',
    'RUN [ -z "$a" ] || echo x\\\\\nRUN echo a # buildkit',
    'RUN --mount=type=cache,target=/x --network=none make',
    'COPY a /b\nCOPY --chown=a:b --chmod=755 a b* c/ /d/\nCOPY --parents x/y /z\nADD x.tar /\nCOPY --from=lost-3 /a /b',
    'COPY a$x "b\\$c" /d\nCOPY <<A <<B /dir/\nA\nb\nB\n',
    'WORKDIR rel\nWORKDIR /a b/c\nCOPY x .\nWORKDIR /with$$\\$dollar',
    'USER 1:2\nSTOPSIGNAL SIGUSR1\nEXPOSE 80 81/udp 90-92\nVOLUME /a /b\nVOLUME ["/c d", "/e"]',
    'HEALTHCHECK --interval=90s --timeout=1500ms --retries=10 CMD curl "x"\nHEALTHCHECK CMD ["a", "b c"]',
    'HEALTHCHECK NONE',
    'ENTRYPOINT ["a", "b\\n", "\\u0001"]\nCMD []',
    'CMD ["a"]\nENTRYPOINT []',
    'ONBUILD RUN make\nONBUILD COPY . /x\nMAINTAINER Some One <a@b.c>',
    'ENV PATH=$PATH:/x BASE=\nRUN true',
  ])('%#: has the same settings and rows: %s', async (instructions) => {
    const { written, differences } = await again(`FROM base:1\n${instructions}\n`);
    expect(differences, written).toEqual([]);
  });

  it('has them also for values that look like anything else', async () => {
    const value = fc
      .string({ unit: fc.constantFrom(...' \t$"\'\\#=[]{}|&<>;,`!%-/aB1\u00e9\u4e2d'.split('')) })
      .filter((text) => text.trim() === text);
    const quoted = value.map((text) => `"${text.replace(/[\\"$]/g, '\\$&')}"`);
    const word = fc.stringMatching(/^[a-z$"'\\*./][a-z$"'\\*./-]{0,8}$/);
    const instruction = fc.oneof(
      fc.tuple(fc.constantFrom('ENV', 'LABEL', 'ARG'), quoted).map(([kind, text]) => `${kind} K=${text} L=x`),
      value.filter((text) => text !== '').map((text) => `RUN ${JSON.stringify(['/bin/sh', '-c', text])}`),
      fc.array(value).map((words) => `CMD ${JSON.stringify(words)}`),
      fc.array(value).map((words) => `ENTRYPOINT ${JSON.stringify(words)}`),
      fc.tuple(word, word).map(([from, to]) => `COPY ${JSON.stringify([from, to].map(escaped))}`),
      word.map((text) => `WORKDIR ${escaped(text)}`),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(instruction, { minLength: 1, maxLength: 6 }), async (instructions) => {
        const text = `FROM base:1\n${instructions.join('\n')}\n`;
        const { written, differences } = await again(text);
        expect(differences, `${text}\n---\n${written}`).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  // The corpus is built with Docker and with Boxwright; here only what its Dockerfiles set is looked at.
  it('has them for every Dockerfile of the corpus', async () => {
    const corpus = new URL('../../../../e2e/corpus/', import.meta.url).pathname;
    const failures: string[] = [];
    let tried = 0;
    for (const name of readdirSync(corpus)) {
      const text = readText(join(corpus, name, 'Dockerfile')) ?? readText(join(corpus, name, 'context/Dockerfile'));
      if (text === undefined || text.includes('escape=')) continue;
      try {
        await build(text);
      } catch {
        continue;
      }
      const first = await build(text);
      const dockerfile = reconstructDockerfile(first, { candidates: [{ name: 'base:1', config: base }] });
      if (dockerfile.base.kind !== 'known' || dockerfile.base.rows !== 2) continue;
      tried++;
      const { differences, written } = await again(text);
      if (differences.length > 0) failures.push(`${name}\n${written}\n${JSON.stringify(differences, undefined, 1)}`);
    }
    expect(failures.join('\n\n')).toBe('');
    expect(tried).toBeGreaterThan(40);
  });
});

function escaped(text: string): string {
  return text.replace(/[\\"'$]/g, '\\$&');
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
