import { readFileSync } from 'node:fs';
import { digestOf, OCI_LAYER_GZIP, OCI_MANIFEST, parseImageConfig } from '@boxwright/oci';
import { schemaErrors } from '@boxwright/testing';
import { describe, expect, it } from 'vitest';
import { buildPage } from './build-page.ts';
import type { ImagePage } from './page.ts';
import { pageJson } from './page-json.ts';
import type { PageSource } from './page-source.ts';
import { pageText } from './page-text.ts';
import { publishedPage, realImage, realImages } from './testing/real-image.ts';
import { chinaTime, parseTimeZone } from './time-zone.ts';

const schema: unknown = JSON.parse(
  readFileSync(new URL('../../../../docs/schema/page.schema.json', import.meta.url), 'utf8'),
);

function page(source: PageSource): ImagePage {
  return buildPage(source, { timeZone: chinaTime });
}

/** A page's source from a config document; sizes of layers are 1, 2, 3, … */
function source(document: object, parts: Partial<PageSource> = {}): PageSource {
  const config = parseImageConfig(Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', ...document })));
  const { diffIds } = config.rootfs;
  return {
    digest: digestOf('manifest'),
    manifest: {
      mediaType: OCI_MANIFEST,
      config: { mediaType: 'config', digest: digestOf('config'), size: 2 },
      layers: diffIds.map((diffId) => ({ mediaType: OCI_LAYER_GZIP, digest: digestOf(`blob ${diffId}`), size: 10 })),
    },
    config,
    repoTags: [],
    repoDigests: [],
    layerSizes: diffIds.map((_, index) => index + 1),
    ...parts,
  };
}

function layers(count: number): { type: string; diff_ids: string[] } {
  return { type: 'layers', diff_ids: Array.from({ length: count }, (_, index) => digestOf(`layer ${index}`)) };
}

describe.each(realImages)('the published page of %s', (name) => {
  /** What depends on the host in place of what the site's host had. */
  const expected = publishedPage(name)
    .replace(
      /"GraphDriver": \{\n"Data": \{\n[^}]*\},\n"Name": "overlay2"\n\}/,
      '"GraphDriver": "（与主机有关，不属于镜像）"',
    )
    .replace(/"LastTagTime": "[^"]*"/, '"LastTagTime": "（与主机有关，不属于镜像）"');

  it('comes out character for character, but for what belongs to the host', () => {
    const text = pageText(page(realImage(name)), 'zh');
    expect(text).toBe(expected);
    expect(text.split('（与主机有关')).toHaveLength(3);
    expect(text).not.toContain('overlay2');
  });

  it('has the same rows in English, in another zone', () => {
    const text = pageText(buildPage(realImage(name), { timeZone: parseTimeZone('UTC') }), 'en');
    expect(text.split('\n')).toHaveLength(expected.split('\n').length);
    // Han characters are in labels only.
    expect(text).not.toMatch(/\p{Script=Han}/u);
    expect(text).toMatch(/^# \S+ 00:00:00 \d+\.\d\dMB\n# debian\.sh /m);
  });

  it('has JSON that its schema describes', () => {
    expect(schemaErrors(schema, JSON.parse(pageJson(page(realImage(name)))))).toEqual([]);
  });

  it('is the same info, key by key, as the published one', () => {
    const { info } = page(realImage(name));
    const published: unknown = JSON.parse(publishedPage(name).split('\n镜像信息\n')[1] ?? '');
    expect({ ...info, GraphDriver: 0, Metadata: 0 }).toEqual(
      Object.assign({}, published, { GraphDriver: 0, Metadata: 0 }),
    );
  });
});

describe('the real pages', () => {
  it('are read instruction by instruction', () => {
    const { history } = page(realImage('prefect'));
    expect(history[2]).toMatchObject({
      writer: 'buildkit',
      instruction: {
        kind: 'RUN',
        buildArguments: [
          { name: 'PYTHON_VERSION', value: '3.12' },
          { name: 'SQLITE_VERSION', value: '3.50.4' },
          { name: 'SQLITE_YEAR', value: '2025' },
          { name: 'SQLITE_FILE_VERSION', value: '3500400' },
          { name: 'PREFECT_EXTRAS', value: '[redis,client,otel]' },
          { name: 'EXTRA_PIP_PACKAGES', value: '' },
        ],
        shell: '/bin/sh -c',
        command: 'prefect version',
      },
    });
    expect(history.find((row) => row.instruction?.kind === 'LABEL')?.instruction).toMatchObject({
      pairs: [
        { name: 'maintainer', value: 'help@prefect.io' },
        { name: 'io.prefect.python-version', value: '3.12' },
        { name: 'io.prefect.sqlite-version', value: '3.50.4' },
        { name: 'org.label-schema.schema-version', value: '1.0' },
        { name: 'org.label-schema.name', value: 'prefect' },
        { name: 'org.label-schema.url', value: 'https://www.prefect.io/' },
      ],
    });
    expect(history.at(-1)).toMatchObject({ writer: 'debuerreotype', layer: { index: 0 }, entry: 0 });
  });
});

describe('a page', () => {
  it('pairs rows with layers, and says what it does not know', () => {
    const { layerSizes: _, ...unread } = source({
      rootfs: layers(1),
      history: [{ created_by: 'COPY a b # buildkit' }, { created_by: 'ENV A=1 B=2', empty_layer: true }],
      config: { Env: ['A=1', 'B=2'] },
    });
    const built = page(unread);
    expect(built.facts).not.toHaveProperty('size');
    expect(built.info).not.toHaveProperty('Size');
    expect(built.facts).toMatchObject({ transferSize: 10, transferSizeText: '10.00B', layers: 1 });
    expect(pageText(built, 'zh').split('\n').slice(0, 5)).toEqual([
      '镜像构建历史',
      '# 时间未记录 0.00B 设置环境变量 A、B',
      'ENV A=1 B=2',
      '# 时间未记录 大小未知 复制新文件或目录到容器中',
      'COPY a b # buildkit',
    ]);
    expect(pageText(built, 'en').split('\n')[1]).toBe('# time not recorded 0.00B set environment variables A, B');
    expect(schemaErrors(schema, JSON.parse(pageJson(built)))).toEqual([]);
  });

  it('says when entries are missing', () => {
    const built = page(source({ rootfs: layers(3), history: [{ created_by: 'bazel build ...', author: 'Bazel' }] }));
    expect(built.findings).toEqual([{ code: 'layers-without-row', count: 2, layers: [1, 2] }]);
    expect(built.history.map((row) => [row.layer?.index, row.entry, row.size])).toEqual([
      [2, undefined, 3],
      [1, undefined, 2],
      [0, 0, 1],
    ]);
    expect(pageText(built, 'zh')).toMatch(
      /^镜像构建历史\n# 时间未记录 3\.00B 没有构建记录的镜像层\n\n[^]*\n\}\n注意\n# 构建历史缺少记录：有 2 个层没有对应的构建指令（#2、#3）。$/,
    );
    expect(schemaErrors(schema, JSON.parse(pageJson(built)))).toEqual([]);
  });

  it('says when there is no history, too much of it, or another number of layers in the manifest', () => {
    expect(page(source({ rootfs: layers(1) })).findings).toEqual([{ code: 'no-history' }]);
    const many = Array.from({ length: 200 }, () => ({ created_by: 'RUN /bin/sh -c x # buildkit' }));
    const built = page(source({ rootfs: layers(1), history: many }));
    expect(built.findings).toEqual([
      { code: 'rows-without-layer', count: 199, entries: Array.from({ length: 100 }, (_, index) => index + 1) },
    ]);
    expect(built.history[0]).toMatchObject({ size: 0, sizeText: '0.00B', emptyLayer: false });
    const { manifest, ...rest } = source({ rootfs: layers(2), history: [{}, {}] });
    const odd = page({ ...rest, manifest: { ...manifest, layers: manifest.layers.slice(1) } });
    expect(odd.findings).toEqual([{ code: 'layer-counts-differ', manifest: 1, config: 2 }]);
    expect(odd.history[0]?.layer).toEqual({ index: 1, diffId: digestOf('layer 1') });
    for (const finding of [built, odd]) {
      expect(schemaErrors(schema, JSON.parse(pageJson(finding)))).toEqual([]);
      expect(pageText(finding, 'en')).toMatch(/\nNote\n# .+$/);
    }
  });

  it('has a label for every kind of instruction, in the words that the schema knows', () => {
    const rows = [
      'ADD a /b # buildkit',
      'VOLUME [/data]',
      `HEALTHCHECK &{["CMD" "true"] "30s" "0s" "0s" "0s" '\\x03'}`,
      'STOPSIGNAL SIGINT',
      'SHELL [/bin/bash -c]',
      'ONBUILD RUN x',
      'MAINTAINER me',
      'ENV',
    ];
    const history = rows.map((created_by) => ({ created_by, comment: 'buildkit.dockerfile.v0', empty_layer: true }));
    const built = page(source({ rootfs: layers(0), history }));
    expect(built.history.map((row) => row.label?.zh).reverse()).toEqual([
      '添加文件、目录或远程文件到容器中',
      '声明数据卷挂载点',
      '设置容器健康检查命令',
      '设置停止容器时发送的信号',
      '指定默认使用的 shell',
      '添加供后续构建触发的指令',
      '指定镜像维护者',
      '设置环境变量',
    ]);
    expect(built.history.every((row) => row.label?.en !== undefined)).toBe(true);
    expect(schemaErrors(schema, JSON.parse(pageJson(built)))).toEqual([]);
  });
});

describe('secrets', () => {
  const leaky = source(
    {
      rootfs: layers(1),
      config: { Env: ['DB_PASSWORD=hunter22', 'PATH=/bin'], Labels: { token: 'hunter33' } },
      history: [
        { created_by: 'ENV DB_PASSWORD=hunter22', empty_layer: true },
        { created_by: 'RUN /bin/sh -c login --password hunter44 # buildkit' },
      ],
    },
    { secretFiles: [{ kind: 'key-file', place: 'file', layer: 0, path: '/root/.ssh/id_rsa\u001b' }] },
  );

  it('are flagged with row and kind, and are not in the page', () => {
    const built = page(leaky);
    expect(built.secrets).toEqual([
      { kind: 'password', place: 'history', entry: 0, name: 'DB_PASSWORD' },
      { kind: 'password', place: 'history', entry: 1 },
      { kind: 'password', place: 'environment', name: 'DB_PASSWORD' },
      { kind: 'token', place: 'label', name: 'token' },
      { kind: 'key-file', place: 'file', layer: 0, path: '/root/.ssh/id_rsa\u001b' },
    ]);
    for (const text of [pageText(built, 'zh'), pageText(built, 'en'), pageJson(built)]) {
      expect(text).not.toMatch(/hunter|\u001b/);
    }
    expect(pageText(built, 'en')).toContain('ENV DB_PASSWORD=******\n');
    expect(pageText(built, 'zh').split('\n').slice(-6)).toEqual([
      '可能泄露的机密（已显示为 ******；--show-secrets 显示原文）',
      '# 构建历史第 1 条 (DB_PASSWORD) 可能含有密码',
      '# 构建历史第 2 条可能含有密码',
      '# 环境变量 DB_PASSWORD 可能含有密码',
      '# 标签 token 可能含有令牌',
      '# 第 1 层中的 /root/.ssh/id_rsa\\x1b 可能是私钥文件',
    ]);
    expect(schemaErrors(schema, JSON.parse(pageJson(built)))).toEqual([]);
  });

  it('are shown when asked for', () => {
    const built = buildPage(leaky, { timeZone: chinaTime, showSecrets: true });
    expect(pageText(built, 'en')).toContain('ENV DB_PASSWORD=hunter22\n');
    expect(pageText(built, 'en')).toContain(
      '\nPossible secrets\n# history entry 1 (DB_PASSWORD) seems to hold a password\n',
    );
    expect(built.secretsShown).toBe(true);
  });
});

describe('hostile images', () => {
  const evil = '\u001b]52;c;x\u0007 \u009b2J \u202e\u2066';

  it('U10: cannot steer a terminal', () => {
    const built = page(
      source(
        {
          rootfs: layers(1),
          author: evil,
          config: { Env: [`${evil}=${evil}`], Labels: { [evil]: evil }, WorkingDir: evil, User: evil },
          history: [
            { created_by: `ENV ${evil}=1\r\n# 2026-01-01 00:00:00 0.00B`, empty_layer: true, comment: evil },
            { created_by: `WORKDIR /${evil}` },
          ],
        },
        { repoTags: [evil] },
      ),
    );
    for (const text of [pageText(built, 'zh'), pageText(built, 'en'), pageJson(built)]) {
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    }
    // One pair of lines per row, whatever a row holds.
    expect(
      pageText(built, 'zh')
        .split('\n')
        .slice(0, 6)
        .filter((line) => line.startsWith('# ')),
    ).toHaveLength(2);
    expect(JSON.parse(pageJson(built))).toMatchObject({ facts: { author: evil, user: evil } });
  });

  it('__proto__ is a label, a variable and a port like any other', () => {
    const built = page(
      source({
        rootfs: layers(0),
        config: JSON.parse('{"Env":["__proto__=1"],"Labels":{"__proto__":"x"},"ExposedPorts":{"__proto__":{}}}'),
      }),
    );
    expect(built.facts.labels).toEqual([{ name: '__proto__', value: 'x' }]);
    expect(built.facts.environment).toEqual([{ name: '__proto__', value: '1' }]);
    const text = pageText(built, 'zh');
    expect(text).toContain('"Labels": {\n"__proto__": "x"\n}');
    expect(text).toContain('"ExposedPorts": {\n"__proto__": {}\n}');
    expect(JSON.stringify(JSON.parse(pageJson(built)))).toContain('"Labels":{"__proto__":"x"}');
  });

  it('takes 100,000 rows quickly', () => {
    const { config, ...rest } = source({ rootfs: layers(1) });
    const history = Array.from({ length: 100_000 }, (_, index) => ({
      created: new Date(1.7e12 + index * 1000).toISOString(),
      createdBy: index % 2 === 0 ? `ARG A${index}=x y` : `RUN |1 A${index - 1}=x y /bin/sh -c x${index} # buildkit`,
      comment: 'buildkit.dockerfile.v0',
    }));
    const started = performance.now();
    const built = buildPage({ ...rest, config: { ...config, history } }, { timeZone: parseTimeZone('Europe/Berlin') });
    expect(built.history).toHaveLength(100_000);
    expect(pageText(built, 'zh').split('\n').length).toBeGreaterThan(200_000);
    expect(pageJson(built).length).toBeGreaterThan(1e7);
    expect(performance.now() - started).toBeLessThan(30_000);
  });
});
