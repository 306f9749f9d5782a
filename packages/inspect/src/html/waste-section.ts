import { formatSize } from '../size.ts';
import type { Say } from './html-words.ts';
import { type Html, html } from './markup.ts';
import type { PageWaste } from './page-extras.ts';
import type { Section } from './section.ts';

const listedFiles = 20;

/** Bytes that layers hold and nobody sees: what was replaced or removed later. */
export function wasteSection(waste: PageWaste, say: Say): Section {
  const share = Math.min(1, Math.max(0, waste.efficiency));
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

function wastedFiles({ files }: PageWaste, say: Say): Html {
  if (files.length === 0) return html`<p class="note">${say('noWaste')}</p>`;
  const shown = files.slice(0, listedFiles);
  const more = files.length - shown.length;
  return html`<table class="numbers"><thead><tr><th scope="col">${say('path')}</th><th scope="col">${say('copies')}</th><th scope="col">${say('size')}</th></tr></thead><tbody>
${shown.map(
  ({
    path,
    copies,
    bytes,
  }) => html`<tr><td><code>${path}</code></td><td>${copies}</td><td>${formatSize(bytes)}</td></tr>
`,
)}</tbody></table>
${more > 0 ? html`<p class="note">${say('moreFiles')}: ${more}</p>` : undefined}`;
}
