import { dockerOk, type EngineAccess } from '../components/docker-engine.ts';

/** What both sides say about one row of a history. */
export interface ExplainedRow {
  /** Digest of the image's config on the newest row, `<missing>` on the others. */
  readonly id: string;
  /** RFC 3339, UTC, whole seconds. */
  readonly created: string;
  readonly createdBy: string;
  readonly size: number;
  readonly comment: string;
}

/** `docker history` of an image that the engine has loaded. */
export async function engineHistory(access: EngineAccess, name: string): Promise<ExplainedRow[]> {
  const { stdout } = await dockerOk(
    access,
    ['history', '--no-trunc', '--human=false', '--format', '{{json .}}', name],
    { env: { ...process.env, TZ: 'UTC' } },
  );
  return stdout
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      // What docker prints.
      const row = JSON.parse(line) as Readonly<Record<'ID' | 'CreatedAt' | 'CreatedBy' | 'Size' | 'Comment', string>>;
      const { ID: id, CreatedAt: created, CreatedBy: createdBy, Comment: comment } = row;
      return { id, created, createdBy, size: Number(row.Size), comment };
    });
}

/** `docker image inspect` of images that the engine has loaded, in the order of the names, without what is the host's. */
export async function engineInspect(
  access: EngineAccess,
  names: readonly string[],
): Promise<Readonly<Record<string, unknown>>[]> {
  const { stdout } = await dockerOk(access, ['image', 'inspect', ...names]);
  return withoutHost(stdout);
}

/**
 * What follows from the image alone. `GraphDriver`, `Parent` and the tag time are about one host's storage; digests of
 * repositories come from a registry, and none of these images has been in one.
 */
export function withoutHost(json: Uint8Array): Readonly<Record<string, unknown>>[] {
  // What docker and we print.
  const images = JSON.parse(Buffer.from(json).toString()) as Readonly<Record<string, unknown>>[];
  return images.map(
    ({ GraphDriver: _driver, Parent: _parent, Metadata: _metadata, RepoDigests: _digests, ...rest }) => rest,
  );
}

/** The form of `boxwright inspect` for this engine. */
export function inspectFormOf(access: EngineAccess): 'docker-28' | 'docker-29' {
  return / 2[0-8]\./.test(` ${access.version.replace(/^\S+-[0-9a-f]{8} /, '')}`) ? 'docker-28' : 'docker-29';
}
