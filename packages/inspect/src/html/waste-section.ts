import { displayPath } from '@boxwright/oci';
import { formatSize } from '../size.ts';
import type { Say } from './html-words.ts';
import { type Html, html } from './markup.ts';
import type { PageWaste } from './page-extras.ts';
import type { Section } from './section.ts';

const listedFiles = 20;

/** Bytes that layers hold and nobody sees: what was replaced or removed later. */
export function wasteSection(waste: PageWaste, say: Say): Section {
  const share = Math.min(1, Math.max(0, waste.score));
  return {
    id: 'waste',
    title: say('waste'),
    body: html`<div class="tiles">
<div><b>${(100 * share).toFixed(1)}%</b><span>${say('efficiency')}</span></div>
<div><b>${formatSize(waste.wastedBytes)}</b><span>${say('wasted')}</span></div>
</div>
${wastedFiles(waste, say)}`,
  };
}

function wastedFiles({ wasted }: PageWaste, say: Say): Html {
  if (wasted.length === 0) return html`<p class="note">${say('noWaste')}</p>`;
  const shown = wasted.slice(0, listedFiles);
  const more = wasted.length - shown.length;
  return html`<table class="numbers"><thead><tr><th scope="col">${say('path')}</th><th scope="col">${say('copies')}</th><th scope="col">${say('size')}</th></tr></thead><tbody>
${shown.map(
  ({
    path,
    count,
    bytes,
  }) => html`<tr><td><code>${displayPath(path)}</code></td><td>${count}</td><td>${formatSize(bytes)}</td></tr>
`,
)}</tbody></table>
${more > 0 ? html`<p class="note">${say('moreFiles')}: ${more}</p>` : undefined}`;
}
