import type { Descriptor } from '../documents/descriptor.ts';
import type { Digest } from '../names/digest.ts';
import type { PlatformPolicy } from './platform-policy.ts';

/** What a part of an image is. */
export type PartRole = 'config' | 'layer' | 'manifest' | 'index';

/** What became of a part: `absent` stands for parts that the source lacks and that may be missing. */
export type PartState = 'copied' | 'mounted' | 'exists' | 'absent';

/** One part of an image, as it was dealt with. Plain JSON. */
export interface LedgerEntry {
  readonly role: PartRole;
  readonly state: PartState;
  readonly mediaType: string;
  /** At the destination. */
  readonly digest: Digest;
  /** At the source, when it was changed on its way (compressed, converted, filtered). */
  readonly sourceDigest?: Digest;
  /** Size at the destination. */
  readonly bytes: number;
  /** Bytes that were written or went over the wire, those of failed tries included. */
  readonly sent: number;
  /** Bytes that an earlier, interrupted copy had brought. */
  readonly resumedAt: number;
  /** 1 when nothing had to be tried again; 0 when nothing was written. */
  readonly tries: number;
  readonly seconds: number;
}

/** Sums over a ledger. */
export interface LedgerTotals {
  readonly parts: number;
  readonly bytes: number;
  readonly copied: number;
  readonly mounted: number;
  readonly exists: number;
  readonly absent: number;
  readonly sent: number;
  /** Tries beyond the first of each part. */
  readonly retries: number;
  readonly seconds: number;
}

/** What a copy did, to be kept as JSON. */
export interface Ledger {
  readonly source: string;
  readonly destination: string;
  readonly names: readonly string[];
  readonly policy: PlatformPolicy;
  /** `os/arch[/variant]`, where only some were taken. */
  readonly platforms?: readonly string[];
  readonly sourceDigest: Digest;
  readonly digest: Digest;
  readonly entries: readonly LedgerEntry[];
  /** Manifests about the image (signatures, attestations) that were taken along. */
  readonly referrers: readonly Digest[];
  /** Manifests about parts that got another digest on their way, which they therefore do not speak of any more. */
  readonly referrersLeft: readonly Digest[];
  readonly totals: LedgerTotals;
}

/** What is noted down of a part beside its descriptor. */
export type PartNote = Omit<LedgerEntry, 'mediaType' | 'digest' | 'bytes' | 'sourceDigest'>;

/** The entry of a part; `from` is what it was at the source. */
export function ledgerEntry(from: Descriptor, to: Descriptor, note: PartNote): LedgerEntry {
  const { role, state, sent, resumedAt, tries, seconds } = note;
  return {
    role,
    state,
    mediaType: to.mediaType,
    digest: to.digest,
    ...(from.digest === to.digest ? {} : { sourceDigest: from.digest }),
    bytes: to.size,
    sent,
    resumedAt,
    tries,
    seconds,
  };
}

/** Adds entries up. @param seconds of the whole copy: parts run beside each other */
export function ledgerTotals(entries: readonly LedgerEntry[], seconds: number): LedgerTotals {
  const count = (state: PartState): number => entries.filter((entry) => entry.state === state).length;
  const sum = (of: (entry: LedgerEntry) => number): number => entries.reduce((total, entry) => total + of(entry), 0);
  return {
    parts: entries.length,
    bytes: sum(({ bytes }) => bytes),
    copied: count('copied'),
    mounted: count('mounted'),
    exists: count('exists'),
    absent: count('absent'),
    sent: sum(({ sent }) => sent),
    retries: sum(({ tries }) => Math.max(0, tries - 1)),
    seconds,
  };
}

/** Seconds since a time of `performance.now()`, to the millisecond. */
export function secondsSince(start: number): number {
  return Math.round(performance.now() - start) / 1000;
}
