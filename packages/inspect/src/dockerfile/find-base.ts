import type { HistoryEntry, ImageConfig } from '@boxwright/oci';
import type { ReadRow } from '../instructions/index.ts';
import { pairLayers } from '../page/pair-layers.ts';
import { type DockerfileBase, LOST_BASE } from './model.ts';
import { SettingsReplay, scratchSettings } from './settings-replay.ts';

/** An image that may be the base: anything that FROM can name. */
export interface BaseCandidate {
  readonly name: string;
  readonly config: ImageConfig;
}

/** What is known about the base beside history and layers. */
export interface BaseHints {
  readonly candidates: readonly BaseCandidate[];
  /** The name that the image itself gives: `org.opencontainers.image.base.name`. */
  readonly claimed?: string | undefined;
}

/**
 * The base of an image: of the candidates all of whose layers it starts with, the one with the most (the longest common
 * prefix of diffIDs); of several, the one whose history it continues furthest. Nobody is the base of itself. Without one,
 * the rows of the base are guessed.
 */
export function findBase(config: ImageConfig, rows: readonly ReadRow[], hints: BaseHints): DockerfileBase {
  const candidates = hints.candidates.length;
  const fitting = hints.candidates
    .map((candidate) => fit(config, candidate))
    .filter((found) => found !== undefined)
    .sort((left, right) => right.layers - left.layers || right.rank - left.rank);
  const [best] = fitting;
  if (best !== undefined) {
    const same = fitting.filter(({ layers, rank }) => layers === best.layers && rank === best.rank);
    const names = [...new Set(same.map(({ name }) => name))];
    const { name, layers, rows: baseRows, settings } = best;
    return {
      kind: 'known',
      name,
      layers,
      rows: baseRows,
      otherNames: names.filter((other) => other !== name),
      candidates,
      settings,
    };
  }
  return { ...guessBase(config, rows, hints.claimed), ...nearest(config, hints.candidates), candidates };
}

interface Fit {
  readonly name: string;
  readonly layers: number;
  readonly rows: number;
  /** How many rows of its history the image begins with; those with the same time count twice. */
  readonly rank: number;
  readonly settings: DockerfileBase['settings'];
}

function fit(config: ImageConfig, { name, config: base }: BaseCandidate): Fit | undefined {
  const layers = base.rootfs.diffIds.length;
  const { diffIds } = config.rootfs;
  if (layers === 0 || layers > diffIds.length) return undefined;
  if (base.rootfs.diffIds.some((diffId, index) => diffId !== diffIds[index])) return undefined;
  let rows = 0;
  let rank = 0;
  for (const [index, row] of base.history.entries()) {
    const own = config.history[index];
    if (own === undefined || !isSameRow(row, own)) break;
    rows++;
    rank += row.created === own.created ? 2 : 1;
  }
  const isWhole = rows === base.history.length;
  // It has all of the image: a copy of it, or built from it without a new layer.
  if (layers === diffIds.length && (!isWhole || rows >= config.history.length)) return undefined;
  const baseRows = isWhole ? rows : rowsOfLayers(config.history, layers, diffIds.length);
  return { name, layers, rows: baseRows, rank: isWhole ? rank : 0, settings: base.config };
}

function isSameRow(left: HistoryEntry, right: HistoryEntry): boolean {
  return (left.createdBy ?? '') === (right.createdBy ?? '') && left.emptyLayer === right.emptyLayer;
}

/** How many rows go with the first layers, where the histories do not agree. */
function rowsOfLayers(history: readonly HistoryEntry[], layers: number, layerCount: number): number {
  const { layerOfEntry } = pairLayers(history, layerCount);
  return layerOfEntry.findLastIndex((layer) => layer !== undefined && layer < layers) + 1;
}

/** The candidate that shares most layers: an older or newer version of the base, or another image on the same one. */
function nearest(config: ImageConfig, candidates: readonly BaseCandidate[]): Pick<DockerfileBase, 'nearest'> {
  const { diffIds } = config.rootfs;
  let found: DockerfileBase['nearest'];
  for (const { name, config: other } of candidates) {
    let layers = 0;
    while (layers < diffIds.length && diffIds[layers] === other.rootfs.diffIds[layers]) layers++;
    // The image itself, under another name, says nothing.
    if (layers === diffIds.length) continue;
    if (layers > (found?.layers ?? 0)) found = { name, layers };
  }
  return found === undefined ? {} : { nearest: found };
}

type GuessedBase = Omit<DockerfileBase, 'nearest' | 'candidates'>;

function guessBase(config: ImageConfig, rows: readonly ReadRow[], claimed: string | undefined): GuessedBase {
  const { history } = config;
  const { layerOfEntry } = pairLayers(history, config.rootfs.diffIds.length);
  const named = namedByBuildah(history);
  const name = [claimed, named?.name].find((text) => text !== undefined && canBeName(text));
  const first = rows.findIndex((_, index) => layerOfEntry[index] !== undefined);
  const isRootFs = first >= 0 && makesRootFs(rows[first]);
  if (name === undefined && !isRootFs) {
    const settings = scratchSettings(config.config);
    return { kind: 'scratch', name: 'scratch', layers: 0, rows: 0, otherNames: [], settings };
  }
  const count = named?.rows ?? Math.max(first + 1, lastCommandOfBase(history, rows, layerOfEntry));
  const replay = new SettingsReplay(scratchSettings(config.config));
  for (const { instruction } of rows.slice(0, count)) if (instruction !== undefined) replay.apply(instruction);
  return {
    kind: name === undefined ? 'unknown' : 'claimed',
    name: name ?? LOST_BASE,
    layers: layerOfEntry.slice(0, count).filter((layer) => layer !== undefined).length,
    rows: count,
    otherNames: [],
    settings: replay.settings(),
  };
}

/** Images say what they like; only what FROM takes for a name is repeated. */
function canBeName(text: string): boolean {
  return /^[a-zA-Z0-9][\w.:/@-]{0,400}$/.test(text) && text !== 'scratch';
}

/** buildah names what each step started from: the first name that is no id is the base of the stage. */
function namedByBuildah(
  history: readonly HistoryEntry[],
): { readonly name: string; readonly rows: number } | undefined {
  for (const [rows, { comment }] of history.entries()) {
    const name = /^FROM ([^\s@:][^\s]{0,254})$/.exec(comment ?? '')?.[1];
    if (name === undefined || /^[0-9a-f]{12,64}$/.test(name)) continue;
    return name === 'scratch' || rows === 0 ? undefined : { name, rows };
  }
  return undefined;
}

/** True for a first layer that is a whole root file system: its Dockerfile, if it has one, is of no use to anybody. */
function makesRootFs(row: ReadRow | undefined): boolean {
  if (row === undefined) return false;
  const { instruction, writer } = row;
  if (instruction === undefined) return writer !== 'ko' && writer !== 'jib' && writer !== 'docker-commit';
  return instruction.kind === 'ADD' && /^\/?\.?$/.test(instruction.destination);
}

/**
 * Bases usually end with their CMD. One that is followed by later layers is the last of a base, unless the Dockerfile
 * itself goes on after it; that a later time follows makes the guess a better one. 0 when there is none.
 */
function lastCommandOfBase(
  history: readonly HistoryEntry[],
  rows: readonly ReadRow[],
  layerOfEntry: readonly (number | undefined)[],
): number {
  const lastLayer = layerOfEntry.findLastIndex((layer) => layer !== undefined);
  for (let index = lastLayer - 1; index >= 0; index--) {
    const kind = rows[index]?.instruction?.kind;
    if (kind !== 'CMD' && kind !== 'ENTRYPOINT') continue;
    const next = rows[index + 1]?.instruction?.kind;
    if (next === 'CMD' || next === 'ENTRYPOINT') continue;
    const created = history[index]?.created;
    if (created === undefined || created !== history[index + 1]?.created) return index + 1;
  }
  return 0;
}
