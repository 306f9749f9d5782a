import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

let known: { readonly id: string | undefined } | undefined;

/**
 * What the kernel calls this boot (random(4), `/proc/sys/kernel/random/boot_id`), the same in every container on it;
 * undefined where there is no such file (not Linux, no /proc).
 */
export function bootId(): string | undefined {
  known ??= { id: readBootId() };
  return known.id;
}

function readBootId(): string | undefined {
  try {
    const text = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return /^[0-9a-f-]{8,64}$/.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** Seconds since 1970, before 2004: no clock sets them on a file today. See {@link bootStamp}. */
const stampRange = 0x3fff_ffff;

/**
 * This boot as a modification time in seconds. Content that was written but not yet fsynced carries it, so that after
 * a power cut nobody takes torn content for whole content. Undefined when the boot is unknown: then always fsync.
 */
export function bootStamp(id: string | undefined = bootId()): number | undefined {
  if (id === undefined) return undefined;
  return 1 + (createHash('sha256').update(id).digest().readUInt32BE(0) % stampRange);
}
