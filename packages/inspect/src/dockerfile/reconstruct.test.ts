import { parseDockerfile } from '@boxwright/dockerfile';
import { buildImageConfig, digestOf, type HistoryEntry, type ImageConfig, parseImageConfig } from '@boxwright/oci';
import { describe, expect, it } from 'vitest';
import { realImage } from '../page/testing/real-image.ts';
import { dockerfileText } from './dockerfile-text.ts';
import type { BaseCandidate } from './find-base.ts';
import { reconstructDockerfile } from './reconstruct.ts';

/** The base of a published image: its first layers, and the rows up to and with `CMD ["python3"]`. */
function pythonBase(image: ImageConfig): BaseCandidate {
  const rows = image.history.findIndex(({ createdBy }) => createdBy === 'CMD ["python3"]') + 1;
  const config = parseImageConfig(
    buildImageConfig({
      base: image,
      config: {
        Env: image.config.Env.slice(0, 5),
        Cmd: ['python3'],
        Entrypoint: [],
        User: '',
        WorkingDir: '/',
        Labels: new Map(),
        ExposedPorts: [],
      },
      rootfs: { diffIds: image.rootfs.diffIds.slice(0, 4) },
      history: image.history.slice(0, rows),
    }),
  );
  return { name: 'python:3.12-slim', config };
}

function textOf(config: ImageConfig, candidates: readonly BaseCandidate[] = []): string {
  return dockerfileText(reconstructDockerfile(config, { candidates }), { title: 'x' });
}

function image(
  history: readonly HistoryEntry[],
  config: Parameters<typeof buildImageConfig>[0]['config'] = {},
): ImageConfig {
  const layers = history.filter(({ emptyLayer }) => emptyLayer !== true);
  return parseImageConfig(
    buildImageConfig({
      architecture: 'amd64',
      os: 'linux',
      config,
      rootfs: { diffIds: layers.map((_, index) => digestOf(`layer ${index}`)) },
      history,
    }),
  );
}

/** The steps as one text, without comments. */
function instructionsOf(config: ImageConfig): string {
  return reconstructDockerfile(config)
    .steps.map(({ text }) => text)
    .join('\n');
}

describe('the published Dockerfiles', () => {
  // Facts of prefect's Dockerfile at 3.6.9, final stage: 4 ARG, 6 ENV, LABEL, WORKDIR, RUN, 4 COPY --from, RUN, 2 COPY --from ...
  it("prefect's comes out with its instructions, and what is lost is marked", () => {
    const { config } = realImage('prefect');
    const { base, steps, buildLabels } = reconstructDockerfile(config, { candidates: [pythonBase(config)] });
    expect(base).toMatchObject({ kind: 'known', name: 'python:3.12-slim', layers: 4, rows: 10 });
    expect(steps.map(({ kind }) => kind).join(' ')).toBe(
      'ARG ARG ARG ARG ENV ENV ENV ENV ENV ENV LABEL WORKDIR RUN COPY COPY COPY COPY RUN COPY COPY ARG RUN RUN ARG RUN RUN COPY ENTRYPOINT',
    );
    expect(steps.filter(({ losses }) => losses.length > 0).map(({ losses, text }) => [losses[0]?.kind, text])).toEqual([
      ['copy-from', 'COPY --from=lost-1 /usr/local/lib/libsqlite3* /usr/local/lib/'],
      ['copy-from', 'COPY --from=lost-2 /usr/local/include/sqlite3*.h /usr/local/include/'],
      ['copy-from', 'COPY --from=lost-3 /usr/local/bin/sqlite3 /usr/local/bin/'],
      ['copy-from', 'COPY --from=lost-4 /usr/local/lib/pkgconfig/sqlite3.pc /usr/local/lib/pkgconfig/'],
      ['copy-from', 'COPY --from=lost-5 /uv /bin/uv'],
      ['copy-from', 'COPY --from=lost-6 /opt/prefect/dist ./dist'],
    ]);
    expect(buildLabels).toEqual([]);
    const text = textOf(config, [pythonBase(config)]);
    for (const part of [
      '\nFROM python:3.12-slim\n',
      '\nLABEL maintainer=help@prefect.io \\\n      io.prefect.python-version=3.12 \\\n',
      '\nRUN apt-get update \\\n    && apt-get install --no-install-recommends -y tini=0.19.* build-essential git>=1:2.47.3 \\\n',
      '\nARG PREFECT_EXTRAS="[redis,client,otel]"\n',
      '\nRUN uv pip install "./dist/prefect.tar.gz${PREFECT_EXTRAS:-""}" \\\n    && rm -rf dist/\n',
      '\nARG EXTRA_PIP_PACKAGES=""\n',
      '\nRUN [ -z "${EXTRA_PIP_PACKAGES:-""}" ] || uv pip install "${EXTRA_PIP_PACKAGES}"\nRUN prefect version\n',
      '\nCOPY scripts/entrypoint.sh ./entrypoint.sh\n',
      '\nENTRYPOINT ["/usr/bin/tini", "-g", "--", "/opt/prefect/entrypoint.sh"]\n',
    ]) {
      expect(text).toContain(part);
    }
    // The arguments that each RUN repeats in its row are those of the ARG lines.
    expect(text).not.toContain('|4');
  });

  it("poco-agent's comes out, with the labels of its build apart", () => {
    const { config } = realImage('poco-backend');
    const { steps, buildLabels } = reconstructDockerfile(config, { candidates: [pythonBase(config)] });
    expect(steps.map(({ text }) => text)).toEqual([
      'COPY --from=lost-1 /uv /uvx /bin/',
      'ARG APP_UID=1000',
      'RUN useradd -m -u "${APP_UID}" app \\\n    && mkdir -p /app \\\n    && chown -R app:app /app',
      'WORKDIR /app',
      'COPY --chown=app:app backend/pyproject.toml /app/pyproject.toml',
      'USER app',
      'RUN uv sync --no-dev',
      'USER root',
      'COPY --chown=app:app backend/app /app/app',
      'COPY --chown=app:app backend/alembic /app/alembic',
      'COPY --chown=app:app backend/alembic.ini /app/alembic.ini',
      'COPY --chown=app:app docker/backend/start.sh /app/start.sh',
      'RUN chmod +x /app/start.sh',
      'EXPOSE 8000',
      'USER app',
      'ENTRYPOINT []',
      'CMD ["/app/start.sh"]',
    ]);
    expect(buildLabels.map(({ name }) => name.replace('org.opencontainers.image.', ''))).toEqual([
      'created',
      'description',
      'licenses',
      'revision',
      'source',
      'title',
      'url',
      'version',
    ]);
  });

  it.each(['prefect', 'poco-backend', 'dify-api'])(
    '%s: without known images the base is guessed, and said so',
    (name) => {
      const { config } = realImage(name);
      expect(reconstructDockerfile(config).base).toMatchObject({
        kind: 'unknown',
        name: 'lost-base',
        layers: 4,
        rows: 10,
      });
      expect(textOf(config)).toContain('# lost: the base; none of the 0 images that were compared has its layers.');
    },
  );
});

describe('the base', () => {
  const debian = image([{ createdBy: '# debian.sh' }]);
  const python = image([
    { createdBy: '# debian.sh' },
    { createdBy: 'RUN b # buildkit' },
    { createdBy: 'CMD ["p"]', emptyLayer: true },
  ]);
  const app = image(
    [...python.history, { createdBy: 'COPY a /a # buildkit' }, { createdBy: 'ENV A=1', emptyLayer: true }],
    { Env: ['A=1'] },
  );

  it('is the known image with the longest common prefix of layers', () => {
    const candidates = [
      { name: 'debian', config: debian },
      { name: 'python', config: python },
      { name: 'app', config: app },
      { name: 'python:again', config: python },
    ];
    expect(reconstructDockerfile(app, { candidates }).base).toMatchObject({
      kind: 'known',
      name: 'python',
      otherNames: ['python:again'],
      layers: 2,
      rows: 3,
    });
  });

  it('may have all layers, if it has fewer rows', () => {
    const metadata = image([...python.history, { createdBy: 'ENV A=1', emptyLayer: true }], { Env: ['A=1'] });
    const { base, steps } = reconstructDockerfile(metadata, { candidates: [{ name: 'python', config: python }] });
    expect(base).toMatchObject({ kind: 'known', name: 'python', rows: 3 });
    expect(steps.map(({ text }) => text)).toEqual(['ENV A=1']);
  });

  it('is told from the nearest other image', () => {
    const diffIds = [...python.rootfs.diffIds, digestOf('another')];
    const other = parseImageConfig(buildImageConfig({ base: python, rootfs: { diffIds } }));
    const text = textOf(image([{ createdBy: '# debian.sh' }]), [{ name: 'other', config: other }]);
    expect(text).toContain('# lost: the base; none of the 1 image that were compared');
    const shared = reconstructDockerfile(app, { candidates: [{ name: 'other', config: other }] }).base;
    expect(shared).toMatchObject({ kind: 'unknown', nearest: { name: 'other', layers: 2 } });
  });

  it('is scratch where the first layer is no root file system', () => {
    const text = textOf(image([{ createdBy: 'COPY /app /app # buildkit' }], { Entrypoint: ['/app'] }));
    expect(text).toContain('FROM scratch\n');
    expect(text).toContain('COPY --from=lost-1 /app /app\n');
    expect(text).toContain('# lost: where it was set: no row says so\nENTRYPOINT ["/app"]\n');
  });

  it('is what buildah says', () => {
    const config = image([
      { createdBy: '/bin/sh -c #(nop) ADD file:x in / ' },
      { createdBy: '/bin/sh -c make', comment: 'FROM docker.io/library/debian:12' },
      { createdBy: '/bin/sh -c #(nop) USER a', comment: 'FROM 0123456789ab', emptyLayer: true },
    ]);
    expect(reconstructDockerfile(config).base).toMatchObject({
      kind: 'claimed',
      name: 'docker.io/library/debian:12',
      rows: 1,
      layers: 1,
    });
  });

  it('is what the image claims, if that can be a name', () => {
    const config = image([{ createdBy: '# debian.sh' }, { createdBy: 'COPY a /a # buildkit' }]);
    const base = (claimed: string): unknown => reconstructDockerfile(config, { candidates: [], claimed }).base;
    expect(base('docker.io/library/debian:12')).toMatchObject({ kind: 'claimed', name: 'docker.io/library/debian:12' });
    expect(base('x\nRUN evil')).toMatchObject({ kind: 'unknown', name: 'lost-base' });
    expect(base('\u001b[2J')).toMatchObject({ kind: 'unknown' });
  });

  it('repeats its triggers by itself', () => {
    const base = parseImageConfig(buildImageConfig({ base: python, config: { OnBuild: ['COPY . /src'] } }));
    const built = image([
      ...python.history,
      { createdBy: 'COPY . /src # buildkit' },
      { createdBy: 'RUN make # buildkit' },
    ]);
    const { steps } = reconstructDockerfile(built, { candidates: [{ name: 'onbuild', config: base }] });
    expect(steps.map(({ text, losses }) => [text, losses[0]?.kind])).toEqual([
      ['', 'trigger'],
      ['RUN ["make"]', 'words'],
    ]);
  });
});

describe('rows of other writers', () => {
  it('the classic builder names no sources', () => {
    const hash = 'a'.repeat(64);
    const config = image(
      [
        { createdBy: `/bin/sh -c #(nop) COPY file:${hash} in /etc/app.conf ` },
        { createdBy: '|1 V=1 2 /bin/sh -c echo $V' },
        { createdBy: '/bin/sh -c #(nop)  CMD ["/bin/sh" "-c" "exec app"]', emptyLayer: true },
        { createdBy: '/bin/sh -c #(nop)  ONBUILD RUN x', emptyLayer: true },
      ],
      { Cmd: ['/bin/sh', '-c', 'exec app'], OnBuild: ['RUN x', 'RUN y'] },
    );
    expect(instructionsOf(config)).toBe(
      [
        'COPY file-aaaaaaaaaaaa /etc/app.conf',
        'ARG V="1 2"',
        'RUN echo $V',
        'CMD exec app',
        'ONBUILD RUN x',
        'ONBUILD RUN y',
      ].join('\n'),
    );
  });

  it('what is no instruction, and layers without a row, are comments', () => {
    const config = image([{ createdBy: 'bazel build ...\nFROM evil' }, { createdBy: 'COPY a /a # buildkit' }]);
    const more = parseImageConfig(
      buildImageConfig({ base: config, rootfs: { diffIds: [...config.rootfs.diffIds, digestOf('more')] } }),
    );
    const text = textOf(more);
    expect(text).toContain('# lost: how this layer was made: no row speaks of it\n');
    expect(text.split('\n').filter((line) => line.startsWith('FROM'))).toHaveLength(1);
  });
});

describe('hostile images', () => {
  it('cannot add instructions, directives or escape sequences', () => {
    const nasty = ['x\nRUN evil', '\u001b[2J', '# escape=`', '\u202e', '\'"$(x)\\', 'a\\', '<<EOF', '["x"]'];
    const history = nasty.flatMap((text): HistoryEntry[] => [
      { createdBy: `RUN /bin/sh -c ${text} # buildkit`, comment: 'buildkit.dockerfile.v0' },
      { createdBy: `ENV A=${text}`, emptyLayer: true },
      { createdBy: `LABEL ${text}=${text}`, emptyLayer: true },
      { createdBy: `COPY ${text} ${text} # buildkit` },
      { createdBy: `WORKDIR /${text}` },
      { createdBy: text },
    ]);
    const config = image(history, {
      Env: [`A=${nasty.at(-1)}`, 'X=a\nRUN evil'],
      Labels: new Map([['a\nRUN evil', 'b']]),
    });
    const text = textOf(config);
    const { stages, directives } = parseDockerfile(text);
    expect(directives.escape).toBe('\\');
    expect(stages).toHaveLength(1);
    const { steps } = reconstructDockerfile(config);
    const written = steps.filter((step) => step.text !== '');
    expect(stages[0]?.instructions.map(({ name }) => name)).toEqual(written.map(({ kind }) => kind));
    expect(stages[0]?.instructions.map(({ original }) => original)).not.toContain('RUN evil');
    const comments = text.split('\n').filter((line) => line.startsWith('# '));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what is searched for
    expect(comments.join('')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });

  it('costs what it is long', () => {
    const history = Array.from({ length: 10_000 }, (_, index) => ({
      createdBy: `ENV A${index % 500}=${index}`,
      emptyLayer: true,
    }));
    const started = performance.now();
    expect(reconstructDockerfile(image(history)).steps.length).toBeGreaterThan(9_999);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});
