import { createHash } from 'node:crypto';
import { digestOf, OCI_LAYER_GZIP, OCI_MANIFEST, parseImageConfig, toByteString } from '@boxwright/oci';
import { describe, expect, it } from 'vitest';
import { buildPage } from '../page/build-page.ts';
import type { ImagePage } from '../page/page.ts';
import { realImage, realImages } from '../page/testing/real-image.ts';
import { chinaTime } from '../page/time-zone.ts';
import type { PageExtras } from './page-extras.ts';
import { pageHtml, pageHtmlPolicy } from './page-html.ts';

/** Elements that have no end. */
const voidElements = new Set(['meta', 'wbr', 'rect']);

/** Elements that are put into long texts where they may be broken, or are quieter. */
const inTexts = new Set(['b', 'i', 'wbr']);

/** Reads HTML as strictly as we write it: throws at the first tag that does not fit. Returns tags with attributes. */
function readTags(document: string): { readonly name: string; readonly attributes: ReadonlyMap<string, string> }[] {
  const tags: { name: string; attributes: Map<string, string> }[] = [];
  const open: string[] = [];
  const withoutStyle = document.replace(/<style>[^<]*<\/style>/, '');
  for (const piece of withoutStyle.slice('<!DOCTYPE html>'.length).split('<').slice(1)) {
    const match = /^(\/?)([a-zA-Z][a-zA-Z0-9]*)((?: [a-zA-Z-]+(?:="[^"<>]*")?)*)(\/?)>[^>]*$/.exec(piece);
    if (match === null) throw new Error(`not HTML as we write it: <${piece.slice(0, 200)}`);
    const [, slash, name = '', attributes = '', selfClosing] = match;
    if (slash === '/') expect(open.pop()).toBe(name);
    else {
      if (selfClosing !== '/' && !(voidElements.has(name) && name !== 'rect')) open.push(name);
      const pairs = attributes.matchAll(/ ([a-zA-Z-]+)(?:="([^"]*)")?/g);
      tags.push({ name, attributes: new Map([...pairs].map(([, key = '', value = '']) => [key, value])) });
    }
  }
  expect(open).toEqual([]);
  return tags;
}

function page(source: Parameters<typeof buildPage>[0]): ImagePage {
  return buildPage(source, { timeZone: chinaTime, showSecrets: true });
}

const extras: PageExtras = {
  isLocal: true,
  tree: { name: '', size: 30, children: [{ name: 'usr', size: 30, children: [{ name: 'a<b>', size: 30 }] }] },
  waste: { score: 0.5, wastedBytes: 20, wasted: [{ path: toByteString('etc/<x>'), count: 2, bytes: 20 }] },
  dockerfile: {
    text: 'FROM a\nRUN x < y\n',
    notes: [{ zh: '说明', en: 'a note' }],
    base: { name: 'python:3.12-slim', rows: 10 },
  },
};

/** An image all of whose texts are hostile. */
function hostilePage(text: string): ImagePage {
  const config = {
    architecture: text,
    os: text,
    author: text,
    config: {
      Env: [`${text}=${text}`],
      Labels: { [text]: text, 'org.opencontainers.image.description': text, 'org.opencontainers.image.url': text },
      Cmd: [text],
      Entrypoint: [text],
      User: text,
      WorkingDir: text,
      ExposedPorts: { [text]: {} },
      Volumes: { [text]: {} },
      OnBuild: [text],
      StopSignal: text,
      Healthcheck: { Test: ['CMD', text] },
    },
    rootfs: { type: 'layers', diff_ids: [digestOf('a')] },
    history: [
      { created_by: text, comment: text, author: text },
      { created_by: `RUN |1 A=${text} /bin/sh -c ${text} # buildkit`, empty_layer: true },
      { created_by: `ENV ${text}=${text}`, empty_layer: true },
      { created_by: `COPY ${text} ${text} # buildkit`, empty_layer: true },
    ],
  };
  return page({
    digest: digestOf('manifest'),
    manifest: {
      mediaType: OCI_MANIFEST,
      config: { mediaType: text, digest: digestOf('config'), size: 2 },
      layers: [{ mediaType: OCI_LAYER_GZIP, digest: digestOf('blob'), size: 10 }],
    },
    config: parseImageConfig(Buffer.from(JSON.stringify(config))),
    repoTags: [text],
    repoDigests: [text],
    layerSizes: [10],
  });
}

describe('pageHtml', () => {
  it.each(realImages.flatMap((name) => (['zh', 'en'] as const).map((language) => [name, language] as const)))(
    'makes one self-contained document of %s in %s',
    (name, language) => {
      for (const shown of [{}, extras]) {
        const document = pageHtml(page(realImage(name)), language, shown);
        expect(document).toMatch(language === 'zh' ? /<html lang="zh-CN">/ : /<html lang="en">/);
        const tags = readTags(document);
        const names = new Set(tags.map((tag) => tag.name));
        for (const element of ['script', 'link', 'img', 'iframe', 'object', 'form', 'base', 'use', 'image']) {
          expect(names).not.toContain(element);
        }
        const ids = tags.flatMap(({ attributes }) => attributes.get('id') ?? []);
        expect(new Set(ids).size).toBe(ids.length);
        for (const { name: element, attributes } of tags) {
          // The policy allows no style attributes, and there are no scripts for handlers.
          expect([...attributes.keys()].filter((key) => key === 'style' || key.startsWith('on'))).toEqual([]);
          const href = attributes.get('href');
          if (href?.startsWith('#') === true) expect(ids).toContain(href.slice(1));
          else if (href !== undefined) expect([element, href]).toEqual(['a', expect.stringMatching(/^https?:\/\//)]);
          expect(attributes.has('src')).toBe(false);
        }
      }
    },
  );

  it('shows what the page model has', () => {
    const model = page(realImage('prefect'));
    const text = visibleText(pageHtml(model, 'zh'));
    for (const row of model.history) {
      expect(text).toContain(row.localTime);
      expect(text).toContain(row.label?.zh ?? '没有记录指令');
      if (row.layer !== undefined) expect(text).toContain(`${row.sizeText}`);
    }
    for (const { name, value = '' } of [...model.facts.environment, ...model.facts.labels]) {
      expect(text).toContain(name);
      expect(text).toContain(value);
    }
    expect(text).toContain('docker pull --platform linux/amd64 prefecthq/prefect:3.6.9-python3.12');
    expect(text).toContain('787.76MB');
    expect(text).toContain('uv pip install "./dist/prefect.tar.gz${PREFECT_EXTRAS:-""}" && rm -rf dist/');
    expect(text).toContain('"Architecture": "amd64"');
  });

  it('shows files, waste and Dockerfile when they are known, and where the base begins', () => {
    const document = pageHtml(page(realImage('prefect')), 'en', extras);
    const text = visibleText(document);
    for (const part of ['/usr/a<b>', '/etc/<x>', '50.0%', 'RUN x < y', 'a note', 'python:3.12-slim']) {
      expect(text).toContain(part);
    }
    expect(document.indexOf('id="row-10"')).toBeLessThan(document.indexOf('class="base"'));
    expect(document.indexOf('class="base"')).toBeLessThan(document.indexOf('id="row-9"'));
    const plain = visibleText(pageHtml(page(realImage('prefect')), 'en'));
    expect(plain).not.toContain('Waste');
    expect(plain).not.toContain('read locally');
    expect(text).toContain('read locally');
  });

  it('carries the policy that a server should send, with the hash of its style sheet', () => {
    const document = pageHtml(page(realImage('dify-api')), 'en');
    const style = /<style>([^<]*)<\/style>/.exec(document)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(style.length).toBeGreaterThan(1000);
    expect(pageHtmlPolicy()).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`,
    );
    const policies = readTags(document).flatMap(({ attributes }) =>
      attributes.get('http-equiv') === 'Content-Security-Policy' ? [attributes.get('content')] : [],
    );
    expect(policies).toEqual([pageHtmlPolicy().replaceAll("'", '&#39;')]);
  });

  it.each([
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    'javascript:alert(1)',
    '</style><script>alert(1)</script>',
    '</code></pre></li><svg onload=alert(1)>',
    '<!-- ]]> &lt;b&gt; \u202e\u001b[31m',
    '\u0000\ud800`${x}`',
  ])('stays the same document when all texts are %j', (text) => {
    for (const language of ['zh', 'en'] as const) {
      const tags = readTags(pageHtml(hostilePage(text), language));
      const plain = readTags(pageHtml(hostilePage('x'), language));
      const shape = (list: typeof tags): string[] => [...new Set(list.map(({ name }) => name))].sort();
      expect(shape(plain)).toEqual(expect.arrayContaining(shape(tags).filter((name) => !inTexts.has(name))));
      for (const { attributes } of tags) {
        expect([...attributes.keys()].filter((key) => key.startsWith('on'))).toEqual([]);
        expect(attributes.get('href') ?? '#').toMatch(/^(?:#|https?:\/\/)/);
      }
    }
  });

  it('leads from secrets to their rows', () => {
    const model = { ...page(realImage('prefect')), secretsShown: false };
    const secrets = [{ kind: 'password', place: 'history', entry: 3 } as const];
    const document = pageHtml({ ...model, secrets }, 'en');
    expect(document).toContain('<a href="#row-3">history entry 4 seems to hold a');
    expect(visibleText(document)).toContain('shown as ******; --show-secrets shows them');
  });

  it('takes the longest history that a config may have', () => {
    const history = Array.from({ length: 10_000 }, (_, index) => ({
      created_by: `ENV A${index}=1`,
      empty_layer: true,
    }));
    const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] }, history };
    const source = realImage('prefect');
    const { manifest } = source;
    const model = page({
      ...source,
      manifest: { ...manifest, layers: [] },
      config: parseImageConfig(Buffer.from(JSON.stringify(config))),
      layerSizes: [],
    });
    const document = pageHtml(model, 'en');
    expect(document.match(/<li id="row-/g)).toHaveLength(10_000);
  });
});

function visibleText(document: string): string {
  const entities = new Map([
    ['amp', '&'],
    ['lt', '<'],
    ['gt', '>'],
    ['quot', '"'],
    ['#39', "'"],
  ]);
  return document
    .replace(/<[^>]*>/g, '')
    .replace(/&([a-z0-9#]+);/g, (whole, name: string) => entities.get(name) ?? whole);
}
