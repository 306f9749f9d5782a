import type { Digest, Healthcheck } from '@boxwright/oci';
import type { InfoObject } from '../info/info-source.ts';
import type { HistoryInstruction, NameValue } from '../instructions/instruction.ts';
import type { HistoryWriter } from '../instructions/writer.ts';
import type { Localized } from '../labels/language.ts';
import type { SecretFinding } from '../secrets/secret-finding.ts';

/**
 * What a page tells about an image of one platform, before it becomes text, JSON or HTML. Plain data: its JSON is
 * published as docs/schema/page.schema.json. Texts from the image are as the image has them: whoever shows one escapes it.
 */
export interface ImagePage {
  /** Grows when a member changes its meaning or goes; new members do not count. */
  readonly schemaVersion: 1;
  /** The zone of all `localTime` members. */
  readonly timeZone: string;
  readonly facts: PageFacts;
  /** Newest first. */
  readonly history: readonly PageRow[];
  /** What does not fit together in the image, in the order in which it is shown. */
  readonly findings: readonly PageFinding[];
  /** What looks like a token, a password or a key, and where; not the secret itself. */
  readonly secrets: readonly SecretFinding[];
  /** False when all texts of the page have `******` in place of secrets. */
  readonly secretsShown: boolean;
  /** docker-inspect JSON with Docker 24's members in its order. */
  readonly info: InfoObject;
  /** Members of `info` that belong to a host, not to the image: `GraphDriver`, `Metadata.LastTagTime`. */
  readonly hostSpecific: readonly string[];
}

/** A point in time. */
export interface PageTime {
  /** RFC 3339, as the config has it. */
  readonly created?: string;
  /** `2026-01-01 06:22:10` in the page's zone; absent when there is no time, or Go's zero time. */
  readonly localTime?: string;
}

/** Uncompressed bytes, counted as Docker counts a layer. */
export interface PageSize {
  /** Absent when the layer has not been read. */
  readonly size?: number;
  /** `547.58KB`: decimal, two decimals. Present with {@link size}. */
  readonly sizeText?: string;
}

/** What an image is, beside its history. Members that are empty in the config are empty or absent here. */
export interface PageFacts extends PageTime, PageSize {
  /** Digest of the config: the image ID. */
  readonly id: Digest;
  /** Digest and media type of the manifest. */
  readonly digest: Digest;
  readonly mediaType: string;
  /** Familiar names with tags, and with digests. */
  readonly names: readonly string[];
  readonly digests: readonly string[];
  /** `linux/arm64`, with as much as the config says. */
  readonly platform: string;
  readonly osVersion?: string;
  readonly author?: string;
  readonly comment?: string;
  /** `docker_version` of the config. */
  readonly dockerVersion?: string;
  readonly layers: number;
  /** Bytes of the layer blobs as they are transferred. */
  readonly transferSize: number;
  readonly transferSizeText: string;
  readonly user?: string;
  readonly workingDirectory?: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly shell: readonly string[];
  readonly environment: readonly NameValue[];
  /** Sorted by name. */
  readonly labels: readonly NameValue[];
  readonly exposedPorts: readonly string[];
  readonly volumes: readonly string[];
  readonly onBuild: readonly string[];
  readonly stopSignal?: string;
  /** Durations in nanoseconds. */
  readonly healthcheck?: Healthcheck;
}

/** The layer of a row. */
export interface PageLayer {
  /** Position in the manifest, base first, from 0. */
  readonly index: number;
  readonly diffId: Digest;
  /** Of the blob; absent when manifest and config have different numbers of layers. */
  readonly digest?: Digest;
  readonly mediaType?: string;
  readonly transferSize?: number;
}

/** One history entry, or a layer that none names. `size` is 0 for a row without layer. */
export interface PageRow extends PageTime, PageSize {
  /** Position in the config's history, oldest first, from 0; absent for a layer that no entry names. */
  readonly entry?: number;
  readonly layer?: PageLayer;
  /** The config says that the row has no layer. */
  readonly emptyLayer: boolean;
  readonly writer: HistoryWriter;
  /** Absent when the row records none that can be read. */
  readonly instruction?: HistoryInstruction;
  /** What the instruction does; absent without one. */
  readonly label?: Localized;
  /** The instruction in one line. */
  readonly text: string;
  /** `created_by` as the config has it, with its newlines. */
  readonly createdBy: string;
  readonly comment?: string;
  readonly author?: string;
}

/** Something that does not fit together. */
export type PageFinding =
  /** The config has no history at all. */
  | { readonly code: 'no-history' }
  /** Layers that no entry is left for; they are rows without instruction. Positions in the manifest. */
  | { readonly code: 'layers-without-row'; readonly count: number; readonly layers: readonly number[] }
  /** Entries that should have a layer, and no layer is left; they count 0. Positions in the history, the first 100. */
  | { readonly code: 'rows-without-layer'; readonly count: number; readonly entries: readonly number[] }
  /** Manifest and config name different numbers of layers: no engine would take the image. */
  | { readonly code: 'layer-counts-differ'; readonly manifest: number; readonly config: number };
