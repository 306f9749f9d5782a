import { displayWidth, truncateToWidth } from '../display-width.ts';
import { formatSize } from '../size.ts';
import type { Say } from './html-words.ts';
import { type Html, html } from './markup.ts';
import { type TreemapCell, type TreemapNode, type TreemapShape, treemapCells } from './treemap-cells.ts';

/** For wide and for narrow windows; the page shows the one that fits. Widths stretch with the window, heights do not. */
const shapes: readonly (TreemapShape & { readonly name: string })[] = [
  { name: 'wide', width: 1000, height: 460, heading: 19, smallest: 260 },
  { name: 'narrow', width: 350, height: 520, heading: 19, smallest: 260 },
];

/** CSS pixels that a column of text takes, on average, in the font of the cells. */
const columnWidth = 6.8;
/** Colours that groups take turns with. */
const tones = 6;

/** A treemap as SVG, once for each kind of window. Its words are those of the nodes. */
export function treemapSvg(root: TreemapNode, label: string, say: Say): Html {
  return html`${shapes.map((shape) => {
    const cells = treemapCells(root, shape);
    return html`<svg class="treemap ${shape.name}" role="img" aria-label="${label}" width="100%" height="${shape.height}">${cells.map((cell) => cellSvg(cell, shape, root.size, say))}</svg>
`;
  })}`;
}

function cellSvg(cell: TreemapCell, shape: TreemapShape, total: number, say: Say): Html {
  const { node, width, height } = cell;
  const tone = cell.others > 0 || cell.group === undefined ? 'rest' : (node.tone ?? `t${cell.group % tones}`);
  const place = html`x="${percent(cell.x / shape.width)}" y="${pixels(cell.y)}" width="${percent(width / shape.width)}" height="${pixels(height)}"`;
  const drawing = html`<svg ${place}><title>${cellTitle(cell, total, say)}</title><rect class="${cell.isGroup ? 'group' : 'leaf'} ${tone}" width="100%" height="100%" rx="3"/>${cellText(cell, say)}</svg>`;
  return node.target === undefined ? drawing : html`<a href="#${node.target}">${drawing}</a>`;
}

/** What fits, and nothing that would be cut to a letter or two. */
function cellText(cell: TreemapCell, say: Say): Html | undefined {
  const { width, height, node } = cell;
  const columns = Math.floor((width - 12) / columnWidth);
  if (columns < 3 || height < 15) return undefined;
  const size = formatSize(node.size);
  const name = cell.others > 0 ? othersText(cell, say) : nameOf(cell);
  if (cell.isGroup) {
    const both = displayWidth(name) + displayWidth(size) + 2 <= columns;
    const shown = both ? html`${name} <tspan class="size">${size}</tspan>` : html`${fitted(name, columns)}`;
    return html`<text x="6" y="14">${shown}</text>`;
  }
  if (height < 34 || size.length > columns)
    return html`<text x="6" y="${height < 22 ? 12 : 15}">${fitted(name, columns)}</text>`;
  return html`<text x="6" y="15">${fitted(name, columns)}</text><text class="size" x="6" y="29">${size}</text>`;
}

function fitted(text: string, columns: number): string {
  return displayWidth(text) <= columns ? text : truncateToWidth(text, columns, '…');
}

/** The last component, or those of a chain of directories. */
function nameOf({ node, path, depth }: TreemapCell): string {
  if (depth === 0) return path;
  const { name } = node;
  return name === '' ? path : name;
}

function cellTitle(cell: TreemapCell, total: number, say: Say): string {
  const { node } = cell;
  const share = total > 0 ? `, ${((100 * node.size) / total).toFixed(1)}%` : '';
  const what = cell.others > 0 ? `${cell.path}${othersText(cell, say)}` : (node.title ?? `/${cell.path}`);
  return `${what} (${formatSize(node.size)}${share})`;
}

function othersText({ others }: TreemapCell, say: Say): string {
  return `${others} ${say('others')}`;
}

function percent(share: number): string {
  return `${Number((100 * share).toFixed(3))}%`;
}

function pixels(length: number): string {
  return String(Number(length.toFixed(2)));
}
