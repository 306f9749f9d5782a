import type { Descriptor } from '../documents/descriptor.ts';
import type { Digest } from '../names/digest.ts';
import { formatPlatform } from '../names/platform.ts';
import type { ImageDestination, ImageSource, PlacedImage } from '../places/place.ts';
import { CopyJob, type CopyTop } from './copy-job.ts';
import type { CopyOptions } from './copy-options.ts';
import { mountCandidates, roleOf } from './copy-transfer.ts';
import { encodedDescriptor } from './layer-encoder.ts';
import type { PartRole } from './ledger.ts';
import { Limiter } from './limiter.ts';
import type { PlatformPolicy } from './platform-policy.ts';
import { type BlobPart, type DocumentPart, mayBeAbsent, type Transfer } from './transfer.ts';

/** What a copy would do with a part. Whether a mount succeeds is for the registry to say; else it would be an upload. */
export type PlannedAction = 'exists' | 'mount' | 'upload' | 'absent';

/** One part of an image and what a copy would do with it. Plain JSON. */
export interface PlannedPart {
  readonly role: PartRole;
  readonly action: PlannedAction;
  readonly mediaType: string;
  /** At the destination; absent where only encoding it would tell. */
  readonly digest?: Digest;
  readonly sourceDigest: Digest;
  /** Size at the destination; where it is not known, that at the source. */
  readonly bytes: number;
}

/** Parts and bytes of one action. */
export interface PlannedTotal {
  readonly parts: number;
  readonly bytes: number;
}

/** What a copy would do. */
export interface CopyPlan {
  readonly source: string;
  readonly destination: string;
  readonly names: readonly string[];
  readonly policy: PlatformPolicy;
  readonly platforms?: readonly string[];
  readonly sourceDigest: Digest;
  /** Absent where only encoding the layers would tell. */
  readonly digest?: Digest;
  /** The names stand for it already: nothing would be written. */
  readonly upToDate: boolean;
  readonly parts: readonly PlannedPart[];
  readonly totals: Readonly<Record<PlannedAction, PlannedTotal>>;
}

/**
 * Finds out what {@link copyImage} would do, part by part. Nothing is written anywhere, no blob is read. Manifests about
 * the image (`referrers`) are not looked for.
 *
 * @throws BoxwrightError as `copyImage`, as far as that shows without reading content
 */
export async function planCopy(
  source: ImageSource,
  image: PlacedImage,
  destination: ImageDestination,
  options: CopyOptions = {},
): Promise<CopyPlan> {
  const job = new CopyJob(source, image, destination, options);
  const taken = await job.top();
  const transfer = new PlanTransfer(source, destination, options);
  const standing = await job.upToDate(taken);
  let digest = standing?.digest;
  if (standing === undefined) digest = await planTop(job, taken, transfer);
  else for (const part of [...(taken.chosen?.leaves ?? []), standing]) transfer.standing(part);
  const { parts } = transfer;
  const { policy, platforms } = job.choice;
  return {
    source: source.description,
    destination: destination.description,
    names: image.names,
    policy,
    ...(platforms.length === 0 ? {} : { platforms: platforms.map(formatPlatform) }),
    sourceDigest: image.descriptor.digest,
    ...(digest === undefined ? {} : { digest }),
    upToDate: standing !== undefined,
    parts,
    totals: {
      exists: sum(parts, 'exists'),
      mount: sum(parts, 'mount'),
      upload: sum(parts, 'upload'),
      absent: sum(parts, 'absent'),
    },
  };
}

async function planTop(job: CopyJob, { top, chosen }: CopyTop, transfer: PlanTransfer): Promise<Digest | undefined> {
  const walk = job.walk(transfer, chosen);
  if (await walk.standing(top)) return top.digest;
  const document = await walk.top(top);
  transfer.top(top, document?.descriptor);
  return document?.descriptor.digest;
}

function sum(parts: readonly PlannedPart[], action: PlannedAction): PlannedTotal {
  const those = parts.filter((part) => part.action === action);
  return { parts: those.length, bytes: those.reduce((total, { bytes }) => total + bytes, 0) };
}

/** Looks, and writes nothing. */
class PlanTransfer implements Transfer {
  readonly parts: PlannedPart[] = [];
  readonly #source: ImageSource;
  readonly #destination: ImageDestination;
  readonly #options: CopyOptions;
  readonly #limiter: Limiter;
  readonly #blobs = new Map<string, Promise<Descriptor | undefined>>();

  constructor(source: ImageSource, destination: ImageDestination, options: CopyOptions) {
    this.#source = source;
    this.#destination = destination;
    this.#options = options;
    this.#limiter = new Limiter(destination.concurrency);
  }

  async holds(descriptor: Descriptor): Promise<boolean> {
    const held = await this.#destination.has(descriptor);
    if (held) this.standing(descriptor);
    return held;
  }

  /** Notes that a document is there. */
  standing(descriptor: Descriptor): void {
    this.#note(roleOf(descriptor), 'exists', descriptor, descriptor);
  }

  blob(part: BlobPart): Promise<Descriptor | undefined> {
    const key = `${part.descriptor.mediaType} ${part.descriptor.digest}`;
    let found = this.#blobs.get(key);
    if (found === undefined) {
      found = this.#limiter.run(() => this.#blob(part));
      this.#blobs.set(key, found);
    }
    return found;
  }

  async document({ role, from, to }: DocumentPart): Promise<void> {
    const exists = from.digest === to.digest ? false : await this.#destination.has(to);
    this.#note(role, exists ? 'exists' : 'upload', from, to);
  }

  absent(role: PartRole, descriptor: Descriptor): void {
    this.#note(role, 'absent', descriptor, descriptor);
  }

  /** Notes the top, which is written last. */
  top(from: Descriptor, to: Descriptor | undefined): void {
    this.#note(roleOf(from), 'upload', from, to);
  }

  async #blob({ descriptor, role }: BlobPart): Promise<Descriptor | undefined> {
    this.#options.signal?.throwIfAborted();
    const encoding = role === 'layer' ? this.#options.encodeLayer?.(descriptor) : undefined;
    const recalled = encoding?.recall();
    let to: Descriptor | undefined = descriptor;
    if (encoding !== undefined)
      to = recalled === undefined ? undefined : encodedDescriptor(descriptor, encoding, recalled);
    if (to !== undefined && (await this.#destination.has(to))) this.#note(role, 'exists', descriptor, to);
    else if (mayBeAbsent(descriptor) && !(await this.#source.has(descriptor))) this.absent(role, descriptor);
    else this.#note(role, to !== undefined && this.#isMountable(to) ? 'mount' : 'upload', descriptor, to);
    return to;
  }

  /** Without knowing where the destination is it cannot be said what could be mounted there. */
  #isMountable(blob: Descriptor): boolean {
    if (this.#destination.mountBlob === undefined || this.#destination.repository === undefined) return false;
    return mountCandidates(blob, this.#source, this.#options.mountFrom, this.#destination).length > 0;
  }

  #note(role: PartRole, action: PlannedAction, from: Descriptor, to: Descriptor | undefined): void {
    this.parts.push({
      role,
      action,
      mediaType: (to ?? from).mediaType,
      ...(to === undefined ? {} : { digest: to.digest }),
      sourceDigest: from.digest,
      bytes: (to ?? from).size,
    });
  }
}
