import type { Language } from '../labels/language.ts';
import type { ImagePage } from '../page/page.ts';
import { formatSize } from '../size.ts';
import type { Say } from './html-words.ts';
import { type Html, html } from './markup.ts';
import type { PageTreeNode } from './page-extras.ts';
import { rowId, rowTone, shortText } from './row-marks.ts';
import type { Section } from './section.ts';
import type { TreemapNode } from './treemap-cells.ts';
import { treemapSvg } from './treemap-svg.ts';

const listedFiles = 10;

/** Where the bytes are: a map of the files, or of the layers while no files are known; undefined without sizes. */
export function bytesSection(
  page: ImagePage,
  tree: PageTreeNode | undefined,
  language: Language,
  say: Say,
): Section | undefined {
  const title = say('bytes');
  if (tree !== undefined && tree.size > 0) {
    const note = html`<p class="note">${say('bytesOfFiles')}</p>`;
    const body = html`${note}
${treemapSvg(tree, title, say)}${largestFiles(tree, say)}`;
    return { id: 'bytes', title, count: formatSize(tree.size), body };
  }
  const root = layersNode(page, language);
  if (root.size === 0) return undefined;
  const body = html`<p class="note">${say('bytesOfLayers')}</p>
${treemapSvg(root, title, say)}`;
  return { id: 'bytes', title, count: formatSize(root.size), body };
}

/** The layers as nodes that lead to their rows. */
function layersNode({ history }: ImagePage, language: Language): TreemapNode {
  const children = history.flatMap((row) => {
    const { size = 0 } = row;
    if (size === 0) return [];
    const title = shortText(row, language);
    return [{ name: title, title, size, target: rowId(row), tone: rowTone(row) }];
  });
  return { name: '', size: children.reduce((sum, { size }) => sum + size, 0), children };
}

function largestFiles(tree: PageTreeNode, say: Say): Html | undefined {
  const files = largest(tree, listedFiles);
  if (files.length === 0) return undefined;
  return html`<h3>${say('largest')}</h3>
<table class="numbers"><thead><tr><th scope="col">${say('path')}</th><th scope="col">${say('size')}</th></tr></thead><tbody>
${files.map(
  ({ path, size }) => html`<tr><td><code>${path}</code></td><td>${formatSize(size)}</td></tr>
`,
)}</tbody></table>`;
}

interface PathSize {
  readonly path: string;
  readonly size: number;
}

/** Only goes into directories that are larger than the smallest file found so far. No recursion: trees may be deep. */
function largest(root: PageTreeNode, count: number): PathSize[] {
  let found: PathSize[] = [];
  const open: { readonly node: PageTreeNode; readonly path: string }[] = [{ node: root, path: root.name }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, path } = next;
    const least = found.length < count ? 0 : (found.at(-1)?.size ?? 0);
    if (node.size <= least) continue;
    if (node.count !== undefined) continue;
    if (node.children === undefined) {
      found = [...found, { path, size: node.size }].sort((a, b) => b.size - a.size).slice(0, count);
    } else for (const child of node.children) open.push({ node: child, path: `${path}/${child.name}` });
  }
  return found;
}
