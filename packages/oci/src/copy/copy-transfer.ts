import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { Descriptor } from '../documents/descriptor.ts';
import { isIndexType } from '../documents/media-types.ts';
import type { ImageDestination, ImageSource } from '../places/place.ts';
import type { RepositoryName } from '../registry/repository-name.ts';
import { type BlobContent, type BlobReceipt, checkedContent } from '../registry/upload/upload.ts';
import type { CopyEvent } from './copy-events.ts';
import { encodedDescriptor, type LayerEncoder, type LayerEncoding } from './layer-encoder.ts';
import { type LedgerEntry, ledgerEntry, type PartRole, type PartState, secondsSince } from './ledger.ts';
import { Limiter } from './limiter.ts';
import { type BlobPart, type DocumentPart, mayBeAbsent, type Transfer } from './transfer.ts';
import { type EncodingCheck, verifiedContent } from './verified-content.ts';

/** What {@link CopyTransfer} works with. */
export interface CopyTransferOptions {
  readonly source: ImageSource;
  readonly destination: ImageDestination;
  readonly encoder?: LayerEncoder | undefined;
  /** More repositories to mount from, beside the source's own. */
  readonly mountFrom?: readonly RepositoryName[] | undefined;
  readonly onEvent?: ((event: CopyEvent) => void) | undefined;
  readonly signal: AbortSignal;
}

/** What became of a blob. */
interface BlobOutcome {
  readonly to: Descriptor;
  readonly state: PartState;
  readonly receipt?: BlobReceipt | undefined;
}

/** Repositories that are tried for one blob: each costs a request. */
const maxMountTries = 3;

/** Blocks of one layer keep all processors busy; a second one would only take memory. */
const encodedAtATime = 1;

/** Brings parts to the destination, as many blobs at a time as it takes, each once. */
export class CopyTransfer implements Transfer {
  readonly entries: LedgerEntry[] = [];
  readonly #options: CopyTransferOptions;
  readonly #limiter: Limiter;
  readonly #encoders: Limiter = new Limiter(encodedAtATime);
  readonly #blobs = new Map<string, Promise<Descriptor>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(options: CopyTransferOptions) {
    this.#options = options;
    this.#limiter = new Limiter(options.destination.concurrency);
  }

  async holds(descriptor: Descriptor): Promise<boolean> {
    const start = performance.now();
    const held = await this.#options.destination.has(descriptor);
    if (held) this.standing(descriptor, start);
    return held;
  }

  /** Notes that a document is there. */
  standing(descriptor: Descriptor, start: number = performance.now()): void {
    this.#note(roleOf(descriptor), descriptor, { to: descriptor, state: 'exists' }, start);
  }

  blob(part: BlobPart): Promise<Descriptor> {
    // A layer may be named by several images, and under types of both families.
    const key = `${part.descriptor.mediaType} ${part.descriptor.digest}`;
    let copying = this.#blobs.get(key);
    if (copying === undefined) {
      this.#options.onEvent?.({ kind: 'found', role: part.role, descriptor: part.descriptor });
      copying = this.#limiter.run(() => this.#unlessFailed(part));
      this.#blobs.set(key, copying);
    }
    return copying;
  }

  /** The slot of a blob that failed goes to the next one before anybody hears of the failure: nothing new begins then. */
  async #unlessFailed(part: BlobPart): Promise<Descriptor> {
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      return await this.#blob(part);
    } catch (error) {
      this.#failure ??= { error };
      throw error;
    }
  }

  async document({ role, from, to, bytes }: DocumentPart): Promise<void> {
    const start = performance.now();
    await this.#options.destination.writeManifest(to, bytes);
    this.written(role, from, to, start);
  }

  /** Notes that a document was written. */
  written(role: PartRole, from: Descriptor, to: Descriptor, start: number): void {
    this.#note(role, from, { to, state: 'copied' }, start);
  }

  absent(role: PartRole, descriptor: Descriptor): void {
    this.#note(role, descriptor, { to: descriptor, state: 'absent' }, performance.now());
  }

  async #blob({ descriptor, role }: BlobPart): Promise<Descriptor> {
    const { signal, onEvent, encoder, source } = this.#options;
    signal.throwIfAborted();
    const start = performance.now();
    const encoding = role === 'layer' ? encoder?.(descriptor) : undefined;
    let outcome = encoding === undefined ? await this.#existing(descriptor) : undefined;
    if (outcome === undefined && mayBeAbsent(descriptor) && !(await source.has(descriptor))) {
      outcome = { to: descriptor, state: 'absent' };
    }
    if (outcome === undefined) {
      onEvent?.({ kind: 'started', role, descriptor });
      outcome =
        encoding === undefined
          ? await this.#plain(descriptor)
          : await this.#encoders.run(() => this.#encoded(descriptor, encoding));
    }
    this.#note(role, descriptor, outcome, start);
    if (outcome.state !== 'absent' && role === 'layer') this.#noteRepositories(descriptor, outcome.to);
    return outcome.to;
  }

  /** Both sides have the layer now: who takes notes learns where it could be mounted from. */
  #noteRepositories(from: Descriptor, to: Descriptor): void {
    const { source, destination } = this.#options;
    if (source.repository !== undefined) destination.noteRepository?.(from, source.repository);
    if (destination.repository !== undefined) source.noteRepository?.(to, destination.repository);
  }

  async #existing(to: Descriptor): Promise<BlobOutcome | undefined> {
    return (await this.#options.destination.has(to)) ? { to, state: 'exists' } : undefined;
  }

  async #mounted(to: Descriptor): Promise<BlobOutcome | undefined> {
    const { destination, source, mountFrom } = this.#options;
    if (destination.mountBlob === undefined) return undefined;
    for (const from of mountCandidates(to, source, mountFrom, destination)) {
      if (await destination.mountBlob(to, from)) return { to, state: 'mounted' };
    }
    return undefined;
  }

  async #plain(descriptor: Descriptor): Promise<BlobOutcome> {
    const mounted = await this.#mounted(descriptor);
    return mounted ?? { to: descriptor, state: 'copied', receipt: await this.#writeAgain(descriptor) };
  }

  /** What came damaged from a registry may have been a mirror's, which is not asked again: it is read once more. */
  async #writeAgain(descriptor: Descriptor): Promise<BlobReceipt | undefined> {
    const { source, destination, onEvent, signal } = this.#options;
    let counted = 0;
    const count = this.#counter(descriptor);
    const counter = (bytes: number): void => {
      counted += bytes;
      count?.(bytes);
    };
    try {
      return await this.#write(descriptor, descriptor, this.#read(descriptor), counter);
    } catch (error) {
      // Where everything goes into one file the wrong bytes are in it already.
      const mayTryAgain = source.repository !== undefined && destination.concurrency > 1;
      if (!mayTryAgain || signal.aborted || !(error instanceof BoxwrightError) || error.code !== 'BLOB_MISMATCH') {
        throw error;
      }
      if (counted > 0) onEvent?.({ kind: 'bytes', descriptor, bytes: -counted });
      return await this.#write(descriptor, descriptor, this.#read(descriptor));
    }
  }

  async #encoded(layer: Descriptor, encoding: LayerEncoding): Promise<BlobOutcome> {
    const content = encoding.content(this.#read(layer));
    const recalled = encoding.recall();
    if (recalled !== undefined) {
      const to = encodedDescriptor(layer, encoding, recalled);
      const standing = (await this.#existing(to)) ?? (await this.#mounted(to));
      if (standing !== undefined) return standing;
      const check: EncodingCheck = { differs: false };
      try {
        const receipt = await this.#write(layer, to, verifiedContent(content, recalled, check));
        return { to, state: 'copied', receipt };
      } catch (error) {
        if (!check.differs) throw error;
        encoding.remember(undefined);
      }
    }
    const { destination, signal } = this.#options;
    if (destination.writeStream !== undefined) {
      const receipt = await destination.writeStream(encoding.key, content, this.#counter(layer), signal);
      encoding.remember(receipt);
      return { to: encodedDescriptor(layer, encoding, receipt), state: 'copied', receipt };
    }
    const spooled = await encoding.spool(this.#read(layer));
    try {
      encoding.remember(spooled);
      const to = encodedDescriptor(layer, encoding, spooled);
      const standing = await this.#existing(to);
      return standing ?? { to, state: 'copied', receipt: await this.#write(layer, to, spooled.content) };
    } finally {
      spooled.release();
    }
  }

  /** The source's bytes; ends when the copy does. */
  #read(descriptor: Descriptor): BlobContent {
    const { source, signal } = this.#options;
    return checkedContent((offset, ownSignal) =>
      source.readBlob(descriptor, {
        offset,
        signal: ownSignal === undefined ? signal : AbortSignal.any([ownSignal, signal]),
      }),
    );
  }

  async #write(
    from: Descriptor,
    to: Descriptor,
    content: BlobContent,
    counter: ((count: number) => void) | undefined = this.#counter(from),
  ): Promise<BlobReceipt | undefined> {
    try {
      const { destination, signal } = this.#options;
      return await destination.writeBlob(to, content, counter, signal);
    } catch (error) {
      if (!(error instanceof BoxwrightError) || error.code !== 'BLOB_MISMATCH') throw error;
      // Name the place: the descriptor alone does not say where the wrong bytes came from.
      const { description } = this.#options.source;
      const message = error.message.includes(description)
        ? error.message
        : `${escapeForTerminal(description)}: ${error.message}`;
      throw new BoxwrightError(error.code, message, { hint: error.hint, cause: error, details: error.details });
    }
  }

  #counter(descriptor: Descriptor): ((count: number) => void) | undefined {
    const { onEvent } = this.#options;
    return onEvent === undefined ? undefined : (bytes) => onEvent({ kind: 'bytes', descriptor, bytes });
  }

  #note(role: PartRole, from: Descriptor, { to, state, receipt }: BlobOutcome, start: number): void {
    const written = state === 'copied';
    const entry = ledgerEntry(from, to, {
      role,
      state,
      sent: receipt?.sent ?? (written ? to.size : 0),
      resumedAt: receipt?.resumedAt ?? 0,
      tries: receipt?.tries ?? (written ? 1 : 0),
      seconds: secondsSince(start),
    });
    this.entries.push(entry);
    this.#options.onEvent?.({ kind: 'finished', descriptor: from, entry });
  }
}

/** What a document below an index is. */
export function roleOf({ mediaType }: Descriptor): 'manifest' | 'index' {
  return isIndexType(mediaType) ? 'index' : 'manifest';
}

/** Repositories of the same registry that should have a blob, each once, without the destination itself. */
export function mountCandidates(
  blob: Descriptor,
  source: ImageSource,
  more: readonly RepositoryName[] = [],
  { repository }: ImageDestination,
): RepositoryName[] {
  const candidates = new Map<string, RepositoryName>();
  const own = source.repository === undefined ? [] : [source.repository];
  for (const candidate of [...own, ...more, ...(source.repositoriesOf?.(blob) ?? [])]) {
    if (repository !== undefined && candidate.registry !== repository.registry) continue;
    if (candidate.path === repository?.path) continue;
    candidates.set(candidate.path, candidate);
  }
  return [...candidates.values()].slice(0, maxMountTries);
}
