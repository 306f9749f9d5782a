import type { Language } from '../labels/language.ts';
import type { PageFacts } from '../page/page.ts';
import type { Say } from './html-words.ts';
import { type Html, html, multiline } from './markup.ts';
import { type PullTarget, pullTargets } from './pull-commands.ts';
import { copyable, type Section } from './section.ts';

/** Commands that fetch the image; undefined when it has no name that one could fetch it by. */
export function pullSection(facts: PageFacts, isLocal: boolean, language: Language, say: Say): Section | undefined {
  const targets = pullTargets(facts.names, facts.digests, facts.platform);
  if (targets.length === 0) return undefined;
  const pinned = targets.filter((target) => target.pinned);
  const tagged = targets.filter((target) => !target.pinned);
  const first = tagged[0] ?? pinned[0];
  return {
    id: 'pull',
    title: say('pull'),
    body: html`<p class="note">${say('pullNote')}${isLocal ? `${language === 'zh' ? '' : ' '}${say('pullLocalNote')}` : undefined}</p>
${tagged.map((target) => targetHtml(target, target.isMirror ? say('pullMirror') : say('pullByTag'), target === first))}
${pinned.map((target) => targetHtml(target, say('pullByDigest'), target === first))}`,
  };
}

function targetHtml(target: PullTarget, title: string, open: boolean): Html {
  const flag = open ? html` open` : undefined;
  return html`<details class="card"${flag}><summary>${title} <code class="quiet">${target.name}</code></summary>
<dl class="commands">
${target.commands.map(
  ({ tool, text }) => html`<div><dt>${tool}</dt><dd><pre>${copyable(multiline(text))}</pre></dd></div>
`,
)}</dl></details>
`;
}
