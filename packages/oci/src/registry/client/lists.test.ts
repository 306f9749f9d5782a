import { describe, expect, it, onTestFinished } from 'vitest';
import { startTestRegistry, type TestRegistryOptions } from '../testing/index.ts';
import { listRepositories } from './lists.ts';
import { openRepository } from './open-repository.ts';
import { nextLink } from './pages.ts';
import { startAnswers } from './testing/answers.ts';
import { directRegistries } from './testing/direct-registries.ts';

async function setUp(tags: readonly string[], options: TestRegistryOptions = {}) {
  const registry = await startTestRegistry(options);
  onTestFinished(() => registry.close());
  const content = registry.repository('team/app');
  for (const tag of tags) content.tags.set(tag, 'sha256:0');
  const registries = directRegistries(registry.url);
  const repository = openRepository(registries, { registry: registry.host, path: 'team/app' });
  return { registry, registries, repository };
}

async function all(names: AsyncIterable<string>): Promise<string[]> {
  const result: string[] = [];
  for await (const name of names) result.push(name);
  return result;
}

describe('tags', () => {
  const tags = Array.from({ length: 250 }, (_, index) => `v${1000 + index}`);

  it('come with one request where the registry gives all', async () => {
    const { repository, registries } = await setUp(tags);
    expect(await all(repository.tags())).toEqual(tags);
    expect(registries.sent).toEqual(['GET /v2/team/app/tags/list?n=1000']);
  });

  it('come page by page where it does not', async () => {
    const { repository, registries } = await setUp(tags, { pageSize: 100 });
    expect(await all(repository.tags())).toEqual(tags);
    expect(registries.sent).toHaveLength(3);
  });

  it('come after one, and as many as wanted at a time', async () => {
    const { repository, registries } = await setUp(tags);
    expect(await all(repository.tags({ last: 'v1199', pageSize: 20 }))).toEqual(tags.slice(200));
    expect(registries.sent[0]).toBe('GET /v2/team/app/tags/list?n=20&last=v1199');
    expect(registries.sent).toHaveLength(3);
  });

  it('are asked for no longer than wanted', async () => {
    const { repository, registries } = await setUp(tags, { pageSize: 10 });
    for await (const tag of repository.tags()) if (tag === 'v1012') break;
    expect(registries.sent).toHaveLength(2);
  });

  it('may be none: an empty array or null', async () => {
    const { repository } = await setUp([]);
    expect(await all(repository.tags())).toEqual([]);
    const server = await startAnswers(() => ({ body: '{"name":"team/app","tags":null}' }));
    expect(await all(server.repository.tags())).toEqual([]);
  });
});

describe('hostile lists (threats R3)', () => {
  const page = (tags: readonly unknown[]) => JSON.stringify({ name: 'team/app', tags });

  it.each([
    ['an HTML page', '<!doctype html>', /HTML page/],
    ['no JSON', '{"tags":[', /not valid JSON/],
    ['an array', '[]', /not a JSON object/],
    ['tags that are no array', '{"tags":{"length":3}}', /not an array/],
    ['a tag that is a number', '{"tags":[7]}', /something else/],
    ['a tag that is none', '{"tags":["a\\u001b[2J"]}', /\\x1b\[2J/],
  ])('%s is refused', async (_, body, message) => {
    const server = await startAnswers(() => ({ body }));
    await expect(all(server.repository.tags())).rejects.toMatchObject({
      code: 'REGISTRY_ANSWER_INVALID',
      message: expect.stringMatching(message),
    });
  });

  it.each([
    ['that names itself', () => '</v2/team/app/tags/list?n=1000>; rel="next"'],
    ['with the same last', () => '</v2/team/app/tags/list?n=1000&last=a>; rel="next"'],
  ])('a Link %s ends in an error', async (_, link) => {
    const server = await startAnswers(() => ({ body: page(['a']), headers: { link: link() } }));
    await expect(all(server.repository.tags())).rejects.toMatchObject({ code: 'REGISTRY_ANSWER_INVALID' });
    expect(server.registries.sent.length).toBeLessThan(4);
  });

  it('pages that bring nothing new do not go on for ever', async () => {
    let number = 0;
    const server = await startAnswers(() => ({
      body: page(['a']),
      headers: { link: `</v2/team/app/tags/list?last=${number++}>; rel="next"` },
    }));
    await expect(all(server.repository.tags())).rejects.toMatchObject({ code: 'REGISTRY_ANSWER_INVALID' });
    expect(server.registries.sent.length).toBeLessThan(30);
  });

  it.each([
    'http://169.254.169.254/latest/meta-data?last=a',
    '//elsewhere.test/v2/team/app/tags/list?last=a',
    '/v2/other/secrets/manifests/latest?last=a',
    'file:///etc/passwd?last=a',
    '?last=a',
  ])('of a Link to %s only the query is used', async (link) => {
    const server = await startAnswers((_request, url) =>
      url.search.includes('last')
        ? { body: page(['b']) }
        : { body: page(['a']), headers: { link: `<${link}>; rel="next"` } },
    );
    expect(await all(server.repository.tags())).toEqual(['a', 'b']);
    expect(server.registries.sent).toEqual(['GET /v2/team/app/tags/list?n=1000', 'GET /v2/team/app/tags/list?last=a']);
  });
});

describe('nextLink', () => {
  it.each<[readonly string[], string | undefined]>([
    [[], undefined],
    [['</a?last=1>; rel="next"'], '/a?last=1'],
    [['</a>;rel=next'], '/a'],
    [['</p>; rel="prev", </n?x=1,2>; title="a, b"; rel="last next"'], '/n?x=1,2'],
    [['</p>; rel="prev"', '</n>; REL="NEXT"'], '/n'],
    [['</a>; rel="nextish"'], undefined],
    [['</a>'], undefined],
    [['/a; rel="next"'], undefined],
    [[`<${'a'.repeat(8000)}`], undefined],
    [[`<a>${';'.repeat(8000)}`], undefined],
    [[`<a>${'; x=y'.repeat(3000)}!`], undefined],
  ])('%j', (headers, target) => {
    expect(nextLink(headers)).toBe(target);
  });
});

describe('listRepositories', () => {
  it('pages through the catalog', async () => {
    const { registry, registries } = await setUp([], { pageSize: 2 });
    for (const name of ['a', 'b/c', 'd']) registry.repository(name);
    expect(await all(listRepositories(registries, registry.host))).toEqual(['a', 'b/c', 'd', 'team/app']);
    expect(registries.sent).toHaveLength(2);
  });

  it('refuses names that are none', async () => {
    const server = await startAnswers(() => ({ body: '{"repositories":["a","../b"]}' }));
    await expect(all(listRepositories(server.registries, 'x'))).rejects.toMatchObject({
      code: 'REGISTRY_ANSWER_INVALID',
    });
  });
});
