import type { JsonObject, JsonValue } from '../documents/json.ts';
import { goJson, sortedObject } from '../documents/json-writer.ts';
import { type Digest, digestHex } from '../names/digest.ts';
import { familiarName, parseReference } from '../names/reference.ts';
import type { TarFile } from './tar-file.ts';

/** The file of a config in the docker-archives that we write. */
export function configFile(config: Digest): string {
  return `${digestHex(config)}.json`;
}

/** The file of a layer, which is plain. */
export function layerFile(diffId: Digest): string {
  return `${digestHex(diffId)}.tar`;
}

/** What a docker-archive says about its images at its end: `manifest.json`, and `repositories` for old readers. */
export class DockerArchiveIndex {
  readonly #rows: JsonObject[] = [];
  readonly #repositories = new Map<string, Map<string, JsonValue>>();

  /** Images so far. */
  get size(): number {
    return this.#rows.length;
  }

  /** @param names canonical @param diffIds of its layers, base first */
  add(names: readonly string[], config: Digest, diffIds: readonly Digest[]): void {
    const familiar = names
      .map((name) => parseReference(name))
      .map((reference) => ({ ...reference, name: familiarName(reference) }));
    this.#rows.push(
      new Map<string, JsonValue>([
        ['Config', configFile(config)],
        ['RepoTags', familiar.map(({ name }) => name)],
        ['Layers', diffIds.map(layerFile)],
      ]),
    );
    const top = diffIds.at(-1);
    for (const { name, tag } of familiar) {
      if (tag === undefined || top === undefined) continue;
      const repository = name.slice(0, -tag.length - 1);
      const tags = this.#repositories.get(repository) ?? new Map<string, JsonValue>();
      this.#repositories.set(repository, tags.set(tag, digestHex(top)));
    }
  }

  /** Adds both files to the archive. */
  write(tar: TarFile): void {
    tar.add('manifest.json', Buffer.from(goJson(this.#rows)));
    tar.add('repositories', Buffer.from(goJson(sortedObject(this.#repositories))));
  }
}
