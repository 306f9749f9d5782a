import type { HistoryEntry } from '@boxwright/oci';
import { dockerInspect, hostSpecificMembers } from '../info/docker-inspect.ts';
import { stringMember } from '../info/parts.ts';
import { type ReadRow, readHistory } from '../instructions/read-history.ts';
import { instructionLabel, layerWithoutRowLabel } from '../labels/instruction-label.ts';
import { imageSecrets } from '../secrets/image-secrets.ts';
import { redactConfig } from '../secrets/redact-config.ts';
import type { ImagePage, PageFinding, PageLayer, PageRow } from './page.ts';
import { pageFacts, pageSize, pageTime, text } from './page-facts.ts';
import type { PageSource } from './page-source.ts';
import { type LayerPairing, pairLayers } from './pair-layers.ts';
import type { TimeZone } from './time-zone.ts';

/** How a page is made. */
export interface PageOptions {
  readonly timeZone: TimeZone;
  /** Leave secrets where they are; else all texts have `******` in their place. */
  readonly showSecrets?: boolean;
}

/** Findings name at most so many rows. */
const namedRows = 100;

/** Makes the page of an image. Linear in the length of the history; whatever the image says, it does not fail. */
export function buildPage(found: PageSource, options: PageOptions): ImagePage {
  const { timeZone, showSecrets = false } = options;
  const secrets = imageSecrets(found.config);
  const source = showSecrets ? found : { ...found, config: redactConfig(found.config, secrets.redactor) };
  const { config, manifest } = source;
  const size = totalSize(source);
  const pairing = pairLayers(config.history, config.rootfs.diffIds.length);
  return {
    schemaVersion: 1,
    timeZone: timeZone.name,
    facts: pageFacts(source, size, timeZone),
    history: pageRows(source, pairing, timeZone),
    findings: pageFindings(source, pairing),
    secrets: [...secrets.findings, ...(source.secretFiles ?? [])],
    secretsShown: showSecrets,
    info: dockerInspect(
      {
        id: manifest.config.digest,
        config,
        descriptor: source.descriptor ?? { mediaType: manifest.mediaType, digest: source.digest, size: 0 },
        repoTags: source.repoTags,
        repoDigests: source.repoDigests,
        ...(size === undefined ? {} : { size }),
        ...(source.lastTagTime === undefined ? {} : { lastTagTime: source.lastTagTime }),
      },
      'docker-24',
    ),
    hostSpecific: hostSpecificMembers,
  };
}

/** Undefined as soon as one layer has not been read. */
function totalSize({ config, layerSizes = [] }: PageSource): number | undefined {
  let sum = 0;
  for (let index = 0; index < config.rootfs.diffIds.length; index++) {
    const size = layerSizes[index];
    if (size === undefined) return undefined;
    sum += size;
  }
  return sum;
}

function pageRows(source: PageSource, pairing: LayerPairing, zone: TimeZone): PageRow[] {
  const { history, config } = source.config;
  const dockerVersion = stringMember(source.config, 'docker_version');
  const read = readHistory(history, { config, ...(dockerVersion === '' ? {} : { dockerVersion }) });
  const rows = history.map((entry, index): PageRow => {
    const row = read[index] ?? { writer: 'unknown', text: '' };
    return { entry: index, ...rowOf(source, pairing.layerOfEntry[index], entry, row, zone) };
  });
  for (const index of pairing.layersWithoutRow) {
    rows.push({ ...rowOf(source, index, {}, { writer: 'unknown', text: '' }, zone), label: layerWithoutRowLabel });
  }
  return rows.reverse();
}

function rowOf(
  source: PageSource,
  layerIndex: number | undefined,
  entry: HistoryEntry,
  row: ReadRow,
  zone: TimeZone,
): PageRow {
  const layer = layerIndex === undefined ? undefined : pageLayer(source, layerIndex);
  return {
    ...pageTime(entry.created, zone),
    ...pageSize(layerIndex === undefined ? 0 : source.layerSizes?.[layerIndex]),
    ...(layer === undefined ? {} : { layer }),
    emptyLayer: entry.emptyLayer === true,
    writer: row.writer,
    ...(row.instruction === undefined
      ? {}
      : { instruction: row.instruction, label: instructionLabel(row.instruction) }),
    text: row.text,
    createdBy: entry.createdBy ?? '',
    ...text('comment', entry.comment),
    ...text('author', entry.author),
  };
}

function pageLayer({ config, manifest }: PageSource, index: number): PageLayer | undefined {
  const { diffIds } = config.rootfs;
  const diffId = diffIds[index];
  if (diffId === undefined) return undefined;
  // Positions mean nothing when the numbers differ.
  const blob = manifest.layers.length === diffIds.length ? manifest.layers[index] : undefined;
  return {
    index,
    diffId,
    ...(blob === undefined ? {} : { digest: blob.digest, mediaType: blob.mediaType, transferSize: blob.size }),
  };
}

function pageFindings({ config, manifest }: PageSource, pairing: LayerPairing): PageFinding[] {
  const findings: PageFinding[] = [];
  const { layersWithoutRow, rowsWithoutLayer } = pairing;
  const inConfig = config.rootfs.diffIds.length;
  if (manifest.layers.length !== inConfig) {
    findings.push({ code: 'layer-counts-differ', manifest: manifest.layers.length, config: inConfig });
  }
  if (config.history.length === 0) findings.push({ code: 'no-history' });
  else if (layersWithoutRow.length > 0) {
    findings.push({ code: 'layers-without-row', count: layersWithoutRow.length, layers: layersWithoutRow });
  }
  if (rowsWithoutLayer.length > 0) {
    const entries = rowsWithoutLayer.slice(0, namedRows);
    findings.push({ code: 'rows-without-layer', count: rowsWithoutLayer.length, entries });
  }
  return findings;
}
