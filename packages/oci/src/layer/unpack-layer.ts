import { readSync } from 'node:fs';
import { TarReader } from '../tar/tar-reader.ts';
import { AttributeWriter } from './attributes.ts';
import { LayerUnpacker } from './layer-unpacker.ts';
import { TargetDirectories } from './target-directories.ts';
import { defaultUnpackLimits, type UnpackLimits, type UnpackOptions, type UnpackResult } from './unpack-options.ts';

const READ_SIZE = 1024 * 1024;

/**
 * Unpacks an uncompressed layer into `targetDir`, which exists. Synchronous, for worker threads. Whatever the layer
 * says, nothing outside of the target is touched; on an error the target is left half done and is the caller's to
 * remove. The target must not be changed by others meanwhile, and its own path is trusted.
 *
 * Later entries replace earlier ones of the same path; whiteouts act on lower layers only, wherever they stand in the
 * archive. The header of a hard link changes nothing of the file it shares. {@link LayerIndex} has the same rules.
 *
 * @param source a descriptor read from its position to its end, or the bytes themselves, which are taken to the end
 * @throws BoxwrightError `TAR_INVALID`, `LAYER_PATH_INVALID`, `LAYER_WHITEOUT_INVALID`,
 * `LAYER_LINK_INVALID`, `LAYER_NOT_A_DIRECTORY`, `LAYER_DEVICE_REFUSED`, `LAYER_LIMIT`, `LAYER_TARGET_NOT_EMPTY`,
 * `LAYER_UNPACK` (what the file system refuses), `SYS_UNAVAILABLE` (whiteouts, devices and FIFOs need system calls)
 */
export function unpackLayer(
  source: number | Iterable<Uint8Array>,
  targetDir: string,
  options: UnpackOptions,
): UnpackResult {
  const limits: UnpackLimits = { ...defaultUnpackLimits, ...options.limits };
  const attributes = new AttributeWriter((options.owners ?? 'keep') === 'keep', targetDir);
  const directories = new TargetDirectories(targetDir, options, limits, attributes);
  const unpacker = new LayerUnpacker(directories, attributes, options, limits);
  try {
    // One more than is allowed, so that the error is that of this limit.
    const reader = new TarReader(unpacker, { limits: { maxEntries: limits.entries + 1 } });
    for (const chunk of typeof source === 'number' ? readChunks(source) : source) reader.push(chunk);
    reader.end();
    directories.finish();
  } finally {
    unpacker.close();
    directories.close();
  }
  return {
    entries: unpacker.entries,
    bytes: unpacker.bytes,
    skippedDevices: unpacker.skippedDevices,
    skippedXattrs: attributes.skippedXattrs,
    impliedDirectories: directories.implied,
    opaqueRoot: unpacker.opaqueRoot,
    approximateTimes: !attributes.hasSystemCalls,
  };
}

/** The same buffer again and again: the reader keeps nothing of it. */
function* readChunks(fd: number): Generator<Buffer, void, undefined> {
  const buffer = Buffer.allocUnsafeSlow(READ_SIZE);
  for (;;) {
    const count = readSync(fd, buffer, 0, READ_SIZE, null);
    if (count === 0) return;
    yield buffer.subarray(0, count);
  }
}
