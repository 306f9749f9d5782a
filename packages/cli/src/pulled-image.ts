import { BoxwrightError, isBoxwrightError } from '@boxwright/errors';
import { type ImageStore, type Platform, parseReference, withDefaultTag } from '@boxwright/oci';
import { type Command, Option } from 'commander';
import type { CommandContext } from './command-context.ts';
import { CommandPlaces } from './command-places.ts';
import type { CommonFlags } from './commander.ts';
import { type FoundImage, findImage } from './find-image.ts';
import type { ProgressMode } from './progress/create-renderer.ts';
import { looksLikeId, nowhere } from './shown-image.ts';
import { createTransferRenderer } from './transfer/create-transfer-renderer.ts';
import { pullJob } from './transfer/pull-job.ts';
import { runTransfer } from './transfer/run-transfers.ts';
import type { TransferRenderer } from './transfer/transfer-event.ts';
import { insecureOption, progressOption } from './transfer/transfer-flags.ts';

/** When the registry is asked for an image that a command uses, as `docker run --pull` calls it. */
type PullWhen = 'always' | 'missing' | 'never';

/** What commands that use an image were given for getting it. */
export interface PulledImageFlags extends CommonFlags {
  readonly pull: PullWhen;
  readonly insecure: boolean;
  readonly progress: Exclude<ProgressMode, 'quiet'>;
  readonly quiet: boolean;
}

/** Declares them. */
export function addPullFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--pull <when>', 'ask the registry for the image: missing asks when the local store has it not')
        .choices(['always', 'missing', 'never'])
        .default('missing'),
    )
    .addOption(insecureOption())
    .addOption(progressOption())
    .option('-q, --quiet', 'show no progress of a pull', false);
}

/** An image in the store, and the store, which stays open until this is disposed of. */
export interface PulledImage extends FoundImage, Disposable {
  readonly store: ImageStore;
}

/**
 * Finds an image in the store as `findImage` does. One that is not there, or not with all that its platform needs, is
 * pulled first, with progress on standard error.
 *
 * @param platform of an index; default: this machine's
 * @throws BoxwrightError IMAGE_NOT_FOUND, IMAGE_AMBIGUOUS, REFERENCE_INVALID, PLATFORM_MISSING, and those of asking registries
 */
export async function openPulledImage(
  text: string,
  platform: Platform | undefined,
  flags: PulledImageFlags,
  context: CommandContext,
): Promise<PulledImage> {
  let renderer: TransferRenderer | undefined;
  const places = new CommandPlaces(context, {
    store: flags.store,
    insecure: flags.insecure,
    onNote: (note) => renderer?.onEvent(note),
  });
  try {
    const store = places.store();
    const present = lookUp(store, text, platform);
    const isEnough = flags.pull === 'never' || (flags.pull === 'missing' && present.problem === undefined);
    if (!isEnough && !looksLikeId(text)) {
      renderer = await createTransferRenderer(flags.quiet ? 'quiet' : flags.progress, context.stderr, context.colors);
      try {
        await pull(text, platform, places, renderer);
      } catch (error) {
        throw flags.pull === 'always' || present.problem === undefined ? error : neither(present.problem, error);
      } finally {
        renderer.finish();
      }
      present.found = undefined;
    }
    const found = present.found ?? findImage(store, text);
    return { ...found, store, [Symbol.dispose]: () => places[Symbol.dispose]() };
  } catch (error) {
    places[Symbol.dispose]();
    throw error;
  }
}

interface Present {
  found: FoundImage | undefined;
  /** Why what is in the store is not enough. */
  readonly problem: BoxwrightError | undefined;
}

function lookUp(store: ImageStore, text: string, platform: Platform | undefined): Present {
  let found: FoundImage | undefined;
  try {
    found = findImage(store, text);
    const { config, layers } = store.image(found.descriptor, platform).manifest();
    const lacking = [config, ...layers].find(({ digest }) => !store.hasBlob(digest));
    if (lacking === undefined) return { found, problem: undefined };
    return {
      found,
      problem: new BoxwrightError('BLOB_MISSING', `the store lacks the blob ${lacking.digest} of ${text}`),
    };
  } catch (error) {
    if (!isBoxwrightError(error) || !pullable.has(error.code)) throw error;
    return { found, problem: error };
  }
}

/** What a pull mends. */
const pullable: ReadonlySet<string> = new Set(['IMAGE_NOT_FOUND', 'PLATFORM_MISSING', 'BLOB_MISSING']);

async function pull(
  text: string,
  platform: Platform | undefined,
  places: CommandPlaces,
  renderer: TransferRenderer,
): Promise<void> {
  const job = pullJob(withDefaultTag(parseReference(text)));
  const options = { policy: 'sparse' as const, ...(platform === undefined ? {} : { platforms: [platform] }) };
  await runTransfer(job, { options, dryRun: false }, places, renderer);
}

/** An image that is here, but not for that platform, is not unknown: that it is not elsewhere either is no news. */
function neither(problem: BoxwrightError, error: unknown): unknown {
  if (isBoxwrightError(error) && error.code === 'INTERRUPTED') return error;
  return problem.code === 'IMAGE_NOT_FOUND' ? nowhere(problem, error) : problem;
}
