import { boxwrightOk } from '../support/boxwright.ts';
import { type ExplainedRow, withoutHost } from './engine-view.ts';

/** How our commands are run: their store, and where their engine is. */
export interface OurSide {
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
}

/** What `boxwright history --format json` prints of a row. */
interface OurRow {
  readonly id?: string;
  readonly created?: string;
  readonly createdBy: string;
  readonly size: number;
  readonly comment: string;
}

/** `boxwright history` of an image at any place, in the words of `docker history`. */
export async function ourHistory({ home, env }: OurSide, image: string): Promise<ExplainedRow[]> {
  const flags = ['--sizes', '--show-secrets', '--format', 'json'];
  const { stdout } = await boxwrightOk(home, ['history', ...flags, image], { env });
  // The published schema says so.
  const rows = JSON.parse(stdout.toString()) as readonly OurRow[];
  return rows.map(({ id, created, createdBy, size, comment }) => ({
    id: id ?? '<missing>',
    created: wholeSeconds(created ?? noTime),
    // docker prints tabs as blanks.
    createdBy: createdBy.replaceAll('\t', ' '),
    size,
    comment,
  }));
}

/** What an engine makes of a row without a time. */
const noTime = '1970-01-01T00:00:00Z';

function wholeSeconds(time: string): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}

/** `boxwright inspect` of images at any places, in the form of one version of Docker. */
export async function ourInspect(
  { home, env }: OurSide,
  form: string,
  images: readonly string[],
): Promise<Readonly<Record<string, unknown>>[]> {
  const args = ['inspect', '--sizes', '--show-secrets', '--format', form, ...images];
  return withoutHost((await boxwrightOk(home, args, { env })).stdout);
}
