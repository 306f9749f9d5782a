import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HistoryRow } from '../plan/image-state.ts';
import { completeHistory } from './history.ts';

/** A row of a published image: its time, whether it has a layer, and how its text begins. */
type PublishedRow = readonly [created: string, kind: 'base' | 'layer' | 'empty', start: string];

// The histories of three images that BuildKit built, oldest row first, times of the first day shortened to seconds.
// `base`: rows of the base image, timed before the build. `layer`: RUN, COPY, WORKDIR, timed by their layer. `empty`: the rest.

const PREFECT: readonly PublishedRow[] = [
  ['2025-12-29T08:00:00+08:00', 'base', '# debian.sh'],
  ['2025-12-30T08:36:16+08:00', 'base', 'ENV PATH=/usr/local/bin:/usr/local/sbin:'],
  ['2025-12-30T08:36:16+08:00', 'base', 'ENV LANG=C.UTF-8'],
  ['2025-12-30T08:36:16+08:00', 'base', 'RUN /bin/sh'],
  ['2025-12-30T08:36:16+08:00', 'base', 'ENV GPG_KEY=7169605F62C751356D054A26A821'],
  ['2025-12-30T08:36:16+08:00', 'base', 'ENV PYTHON_VERSION=3.12.12'],
  ['2025-12-30T08:36:16+08:00', 'base', 'ENV PYTHON_SHA256=fb85a13414b028c49ba18b'],
  ['2025-12-30T08:46:11+08:00', 'base', 'RUN /bin/sh'],
  ['2025-12-30T08:46:11+08:00', 'base', 'RUN /bin/sh'],
  ['2025-12-30T08:46:11+08:00', 'base', 'CMD ["python3"]'],
  ['2026-01-01T06:17:33+08:00', 'empty', 'ARG PYTHON_VERSION=3.12'],
  ['2026-01-01T06:17:33+08:00', 'empty', 'ARG SQLITE_VERSION=3.50.4'],
  ['2026-01-01T06:17:33+08:00', 'empty', 'ARG SQLITE_YEAR=2025'],
  ['2026-01-01T06:17:33+08:00', 'empty', 'ARG SQLITE_FILE_VERSION=3500400'],
  ['2026-01-01T06:17:33+08:00', 'empty', 'ENV LC_ALL=C.UTF-8'],
  ['2026-01-01T06:17:33+08:00', 'empty', 'ENV LANG=C.UTF-8'],
  ['2026-01-01T06:17:33+08:00', 'empty', 'ENV UV_COMPILE_BYTECODE=1'],
  ['2026-01-01T06:17:33+08:00', 'empty', 'ENV UV_LINK_MODE=copy'],
  ['2026-01-01T06:17:33+08:00', 'empty', 'ENV UV_SYSTEM_PYTHON=1'],
  ['2026-01-01T06:17:33+08:00', 'empty', 'ENV LD_LIBRARY_PATH=/usr/local/lib'],
  ['2026-01-01T06:17:33+08:00', 'empty', 'LABEL maintainer=help@prefect.io'],
  ['2026-01-01T06:17:33+08:00', 'layer', 'WORKDIR /opt/prefect'],
  ['2026-01-01T06:18:09+08:00', 'layer', 'RUN |4'],
  ['2026-01-01T06:20:08+08:00', 'layer', 'COPY /usr/local/lib/libsqlite3*'],
  ['2026-01-01T06:20:08+08:00', 'layer', 'COPY /usr/local/include/sqlite3*.h'],
  ['2026-01-01T06:20:08+08:00', 'layer', 'COPY /usr/local/bin/sqlite3'],
  ['2026-01-01T06:20:08+08:00', 'layer', 'COPY /usr/local/lib/pkgconfig/sqlite3.pc'],
  ['2026-01-01T06:20:09+08:00', 'layer', 'RUN |4'],
  ['2026-01-01T06:20:09+08:00', 'layer', 'COPY /uv'],
  ['2026-01-01T06:21:41+08:00', 'layer', 'COPY /opt/prefect/dist'],
  ['2026-01-01T06:21:41+08:00', 'empty', 'ARG PREFECT_EXTRAS=[redis,client,otel]'],
  ['2026-01-01T06:22:06+08:00', 'layer', 'RUN |5'],
  ['2026-01-01T06:22:06+08:00', 'layer', 'RUN |5'],
  ['2026-01-01T06:22:06+08:00', 'empty', 'ARG EXTRA_PIP_PACKAGES='],
  ['2026-01-01T06:22:06+08:00', 'layer', 'RUN |6'],
  ['2026-01-01T06:22:10+08:00', 'layer', 'RUN |6'],
  ['2026-01-01T06:22:10+08:00', 'layer', 'COPY scripts/entrypoint.sh'],
  ['2026-01-01T06:22:10+08:00', 'empty', 'ENTRYPOINT ["/usr/bin/tini"'],
];

const POCO_BACKEND: readonly PublishedRow[] = [
  ['2026-02-23T08:00:00+08:00', 'base', '# debian.sh'],
  ['2026-02-25T03:44:28+08:00', 'base', 'ENV PATH=/usr/local/bin:/usr/local/sbin:'],
  ['2026-02-25T03:44:28+08:00', 'base', 'ENV LANG=C.UTF-8'],
  ['2026-02-25T03:44:28+08:00', 'base', 'RUN /bin/sh'],
  ['2026-02-25T03:44:28+08:00', 'base', 'ENV GPG_KEY=7169605F62C751356D054A26A821'],
  ['2026-02-25T03:44:28+08:00', 'base', 'ENV PYTHON_VERSION=3.12.12'],
  ['2026-02-25T03:44:28+08:00', 'base', 'ENV PYTHON_SHA256=fb85a13414b028c49ba18b'],
  ['2026-02-25T03:56:01+08:00', 'base', 'RUN /bin/sh'],
  ['2026-02-25T03:56:01+08:00', 'base', 'RUN /bin/sh'],
  ['2026-02-25T03:56:01+08:00', 'base', 'CMD ["python3"]'],
  ['2026-03-02T18:29:46+08:00', 'layer', 'COPY /uv'],
  ['2026-03-02T18:29:46+08:00', 'empty', 'ARG APP_UID=1000'],
  ['2026-03-02T18:29:46+08:00', 'layer', 'RUN |1'],
  ['2026-03-02T18:29:46+08:00', 'layer', 'WORKDIR /app'],
  ['2026-03-02T18:29:46+08:00', 'layer', 'COPY --chown=app:app'],
  ['2026-03-02T18:29:46+08:00', 'empty', 'USER app'],
  ['2026-03-02T18:30:20+08:00', 'layer', 'RUN |1'],
  ['2026-03-02T18:30:20+08:00', 'empty', 'USER root'],
  ['2026-03-02T18:30:20+08:00', 'layer', 'COPY --chown=app:app'],
  ['2026-03-02T18:30:20+08:00', 'layer', 'COPY --chown=app:app'],
  ['2026-03-02T18:30:20+08:00', 'layer', 'COPY --chown=app:app'],
  ['2026-03-02T18:30:20+08:00', 'layer', 'COPY --chown=app:app'],
  ['2026-03-02T18:30:20+08:00', 'layer', 'RUN |1'],
  ['2026-03-02T18:30:20+08:00', 'empty', 'EXPOSE [8000/tcp]'],
  ['2026-03-02T18:30:20+08:00', 'empty', 'USER app'],
  ['2026-03-02T18:30:20+08:00', 'empty', 'ENTRYPOINT []'],
  ['2026-03-02T18:30:20+08:00', 'empty', 'CMD ["/app/start.sh"]'],
];

const DIFY_API: readonly PublishedRow[] = [
  ['2026-02-02T08:00:00+08:00', 'base', '# debian.sh'],
  ['2026-02-03T11:08:39+08:00', 'base', 'ENV PATH=/usr/local/bin:/usr/local/sbin:'],
  ['2026-02-03T11:08:39+08:00', 'base', 'ENV LANG=C.UTF-8'],
  ['2026-02-03T11:08:39+08:00', 'base', 'RUN /bin/sh'],
  ['2026-02-03T11:08:39+08:00', 'base', 'ENV GPG_KEY=7169605F62C751356D054A26A821'],
  ['2026-02-03T11:08:39+08:00', 'base', 'ENV PYTHON_VERSION=3.12.12'],
  ['2026-02-03T11:08:39+08:00', 'base', 'ENV PYTHON_SHA256=fb85a13414b028c49ba18b'],
  ['2026-02-03T11:38:06+08:00', 'base', 'RUN /bin/sh'],
  ['2026-02-03T11:38:06+08:00', 'base', 'RUN /bin/sh'],
  ['2026-02-03T11:38:06+08:00', 'base', 'CMD ["python3"]'],
  ['2026-02-03T17:44:29+08:00', 'layer', 'WORKDIR /app/api'],
  ['2026-02-03T17:44:32+08:00', 'empty', 'ENV UV_VERSION=0.8.9'],
  ['2026-02-03T17:44:32+08:00', 'layer', 'RUN /bin/sh'],
  ['2026-02-03T17:44:32+08:00', 'empty', 'ENV FLASK_APP=app.py'],
  ['2026-02-03T17:44:32+08:00', 'empty', 'ENV EDITION=SELF_HOSTED'],
  ['2026-02-03T17:44:32+08:00', 'empty', 'ENV DEPLOY_ENV=PRODUCTION'],
  ['2026-02-03T17:44:32+08:00', 'empty', 'ENV CONSOLE_API_URL=http://127.0.0.1:500'],
  ['2026-02-03T17:44:32+08:00', 'empty', 'ENV CONSOLE_WEB_URL=http://127.0.0.1:300'],
  ['2026-02-03T17:44:32+08:00', 'empty', 'ENV SERVICE_API_URL=http://127.0.0.1:500'],
  ['2026-02-03T17:44:32+08:00', 'empty', 'ENV APP_WEB_URL=http://127.0.0.1:3000'],
  ['2026-02-03T17:44:32+08:00', 'empty', 'EXPOSE [5001/tcp]'],
  ['2026-02-03T17:44:32+08:00', 'empty', 'ENV TZ=UTC'],
  ['2026-02-03T17:44:32+08:00', 'empty', 'ENV LANG=en_US.UTF-8'],
  ['2026-02-03T17:44:32+08:00', 'empty', 'ENV LC_ALL=en_US.UTF-8'],
  ['2026-02-03T17:44:32+08:00', 'empty', 'ENV PYTHONIOENCODING=utf-8'],
  ['2026-02-03T17:44:32+08:00', 'layer', 'WORKDIR /app/api'],
  ['2026-02-03T17:44:32+08:00', 'empty', 'ARG dify_uid=1001'],
  ['2026-02-03T17:44:32+08:00', 'empty', 'ARG NODE_MAJOR=22'],
  ['2026-02-03T17:44:32+08:00', 'empty', 'ARG NODE_PACKAGE_VERSION=22.21.0-1nodeso'],
  ['2026-02-03T17:44:32+08:00', 'empty', 'ARG NODESOURCE_KEY_FPR=6F71F525282841EED'],
  ['2026-02-03T17:44:32+08:00', 'layer', 'RUN |4'],
  ['2026-02-03T17:45:00+08:00', 'layer', 'RUN |4'],
  ['2026-02-03T17:45:00+08:00', 'empty', 'ENV VIRTUAL_ENV=/app/api/.venv'],
  ['2026-02-04T19:35:57+08:00', 'layer', 'COPY --chown=dify:dify'],
  ['2026-02-04T19:35:57+08:00', 'empty', 'ENV PATH=/app/api/.venv/bin:/usr/local/b'],
  ['2026-02-04T19:35:59+08:00', 'layer', 'RUN |4'],
  ['2026-02-04T19:35:59+08:00', 'empty', 'ENV TIKTOKEN_CACHE_DIR=/app/api/.tiktoke'],
  ['2026-02-04T19:36:00+08:00', 'layer', 'RUN |4'],
  ['2026-02-04T20:16:33+08:00', 'layer', 'COPY --chown=dify:dify'],
  ['2026-02-04T20:16:33+08:00', 'layer', 'COPY --chown=dify:dify'],
  ['2026-02-04T20:16:33+08:00', 'empty', 'ARG COMMIT_SHA=cd03e0a9ef7f2383853ace444'],
  ['2026-02-04T20:16:33+08:00', 'empty', 'ENV COMMIT_SHA=cd03e0a9ef7f2383853ace444'],
  ['2026-02-04T20:16:33+08:00', 'empty', 'ENV NLTK_DATA=/usr/local/share/nltk_data'],
  ['2026-02-04T20:16:33+08:00', 'empty', 'USER dify'],
  ['2026-02-04T20:16:33+08:00', 'empty', 'ENTRYPOINT ["/bin/bash"'],
];

describe('completeHistory', () => {
  it.each([
    ['prefect', PREFECT],
    ['poco-backend', POCO_BACKEND],
    ['dify-api', DIFY_API],
  ])('gives the rows of %s the times they were published with', (_, published) => {
    const rows = published.map(([created, kind, createdBy]): HistoryRow => {
      const isEmpty = kind === 'empty' || (kind === 'base' && !/^(RUN|COPY|# )/.test(createdBy));
      return { createdBy, emptyLayer: isEmpty, ...(kind === 'empty' ? {} : { created }) };
    });
    const layers = rows.filter(({ emptyLayer }) => !emptyLayer).length;
    expect(completeHistory(rows, layers).map(({ created }) => created)).toEqual(published.map(([created]) => created));
  });

  const row = (createdBy: string, created?: string): HistoryRow => ({
    createdBy,
    emptyLayer: false,
    ...(created === undefined ? {} : { created }),
  });
  const empty = (createdBy: string, created?: string): HistoryRow => ({ ...row(createdBy, created), emptyLayer: true });
  const times = (rows: readonly HistoryRow[]): readonly (string | undefined)[] => rows.map(({ created }) => created);

  it('takes the time of the base when nothing new has a layer', () => {
    const rows = [row('base', '1'), empty('base', '2'), empty('ENV'), empty('CMD')];
    expect(times(completeHistory(rows, 1))).toEqual(['1', '2', '2', '2']);
  });

  it('leaves rows without a time when no row has one', () => {
    expect(times(completeHistory([empty('ENV'), empty('CMD')], 0))).toEqual([undefined, undefined]);
  });

  it('takes the first layer for the rows before it, not the base', () => {
    const rows = [row('base', '1'), empty('ENV'), row('COPY', '5'), empty('ENV'), row('RUN', '6'), empty('CMD')];
    expect(times(completeHistory(rows, 3))).toEqual(['1', '5', '5', '5', '6', '6']);
  });

  it('adds rows for layers that no row stands for', () => {
    const rows = completeHistory([row('base', '1'), empty('CMD', '1')], 3);
    expect(rows.slice(2)).toEqual([
      { createdBy: 'created by buildkit', comment: 'buildkit.exporter.image.v0', emptyLayer: false, created: '1' },
      { createdBy: 'created by buildkit', comment: 'buildkit.exporter.image.v0', emptyLayer: false, created: '1' },
    ]);
  });

  it('empties the newest rows when there are fewer layers than rows', () => {
    const rows = completeHistory([row('a', '1'), empty('b', '1'), row('c', '2'), row('d', '3')], 1);
    expect(rows.map(({ emptyLayer }) => emptyLayer)).toEqual([false, true, true, true]);
    expect(times(rows)).toEqual(['1', '1', '2', '3']);
  });

  it('always ends with as many rows with a layer as there are layers, and changes no time or text', () => {
    const anyRow = fc.record({
      createdBy: fc.string(),
      emptyLayer: fc.boolean(),
      created: fc.option(fc.constantFrom('1', '2', '3'), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(anyRow), fc.nat(12), (generated, layers) => {
        const rows = generated.map(
          ({ created, ...rest }): HistoryRow => (created === undefined ? rest : { ...rest, created }),
        );
        const completed = completeHistory(rows, layers);
        expect(completed.filter(({ emptyLayer }) => !emptyLayer)).toHaveLength(layers);
        for (const [at, before] of rows.entries()) {
          expect(completed[at]?.createdBy).toBe(before.createdBy);
          if (before.created !== undefined) expect(completed[at]?.created).toBe(before.created);
        }
        // With one time known every row has one.
        const isTimed = rows.some(({ created }) => created !== undefined);
        expect(completed.every(({ created }) => (created !== undefined) === isTimed)).toBe(true);
      }),
    );
  });
});
