import { createHash } from 'node:crypto';

/** What {@link findProblems} may be told. */
export interface FindProblemsOptions {
  /** Authorization header to send. */
  readonly authorization?: string;
  /** Children of an index that need not be there (sparse copies). */
  readonly partialIndexes?: boolean;
}

const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/**
 * Reads an image or index with all it names from a registry, over plain HTTP with Node's own fetch, and hashes every
 * byte. Returns what is wrong, one line each: nothing when it is whole.
 *
 * @param url `http://HOST`
 * @param reference tag or digest
 */
export async function findProblems(
  url: string,
  repository: string,
  reference: string,
  options: FindProblemsOptions = {},
): Promise<string[]> {
  const walk = new Walk(`${url}/v2/${repository}`, options);
  await walk.manifest(reference, undefined);
  return walk.problems;
}

/** A descriptor, as far as it is looked at. */
interface Named {
  readonly digest: string;
  readonly size: number;
  readonly urls?: readonly string[];
}

class Walk {
  readonly problems: string[] = [];
  readonly #base: string;
  readonly #options: FindProblemsOptions;
  readonly #seen = new Set<string>();

  constructor(base: string, options: FindProblemsOptions) {
    this.#base = base;
    this.#options = options;
  }

  async manifest(reference: string, expected: Named | undefined): Promise<void> {
    if (this.#seen.has(reference)) return;
    this.#seen.add(reference);
    const answer = await this.#get(`manifests/${reference}`);
    if (answer.status !== 200) {
      await answer.body?.cancel();
      this.problems.push(`manifest ${reference}: status ${answer.status}`);
      return;
    }
    const bytes = Buffer.from(await answer.arrayBuffer());
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    const wanted = reference.includes(':') ? reference : answer.headers.get('docker-content-digest');
    if (wanted !== digest) this.problems.push(`manifest ${reference}: digest is ${digest}`);
    if (expected !== undefined && expected.size !== bytes.length) {
      this.problems.push(`manifest ${reference}: ${bytes.length} bytes instead of ${expected.size}`);
    }
    const document: {
      readonly config?: Named;
      readonly layers?: readonly Named[];
      readonly manifests?: readonly Named[];
    } = JSON.parse(bytes.toString());
    for (const child of document.manifests ?? []) {
      if (this.#options.partialIndexes === true && !(await this.#exists(`manifests/${child.digest}`))) continue;
      await this.manifest(child.digest, child);
    }
    for (const blob of [...(document.config === undefined ? [] : [document.config]), ...(document.layers ?? [])]) {
      if ((blob.urls ?? []).length === 0) await this.#blob(blob);
    }
  }

  async #blob({ digest, size }: Named): Promise<void> {
    if (this.#seen.has(digest)) return;
    this.#seen.add(digest);
    const answer = await this.#get(`blobs/${digest}`);
    if (answer.status !== 200 || answer.body === null) {
      await answer.body?.cancel();
      this.problems.push(`blob ${digest}: status ${answer.status}`);
      return;
    }
    const hash = createHash(digest.split(':')[0] ?? 'sha256');
    let count = 0;
    for await (const piece of answer.body) {
      hash.update(piece);
      count += piece.length;
    }
    if (count !== size) this.problems.push(`blob ${digest}: ${count} bytes instead of ${size}`);
    const found = hash.digest('hex');
    if (found !== digest.split(':')[1]) this.problems.push(`blob ${digest}: content is ${found}`);
  }

  async #exists(path: string): Promise<boolean> {
    const answer = await this.#get(path);
    await answer.body?.cancel();
    return answer.status === 200;
  }

  #get(path: string): Promise<Response> {
    const { authorization } = this.#options;
    const headers = { accept: ACCEPT, ...(authorization === undefined ? {} : { authorization }) };
    return fetch(`${this.#base}/${path}`, { headers });
  }
}
