import type { Healthcheck } from '@boxwright/oci';
import type { PageFacts } from '../page/page.ts';
import type { Say } from './html-words.ts';
import { jsonWords } from './instruction-markup.ts';
import { type Html, html } from './markup.ts';
import { copyable, fact, type Section, stacked } from './section.ts';

/** What the image is, and what a container of it runs. */
export function overviewSection(facts: PageFacts, say: Say): Section {
  return {
    id: 'overview',
    title: say('overview'),
    body: html`<div>
<div class="card"><h3>${say('run')}</h3><dl>
${runFacts(facts, say)}</dl></div>
<div class="card"><h3>${say('image')}</h3><dl>
${imageFacts(facts, say)}</dl></div>
</div>`,
  };
}

function imageFacts(facts: PageFacts, say: Say): readonly (Html | undefined)[] {
  return [
    fact(say, 'names', stacked(facts.names.map(copyable))),
    fact(say, 'imageId', copyable(facts.id)),
    fact(say, 'manifest', copyable(facts.digest)),
    fact(say, 'mediaType', html`<code>${facts.mediaType}</code>`),
    fact(say, 'digests', stacked(facts.digests.map(copyable))),
    fact(say, 'osVersion', facts.osVersion),
    fact(say, 'author', facts.author),
    fact(say, 'comment', facts.comment),
    fact(say, 'dockerVersion', facts.dockerVersion),
  ];
}

function runFacts(facts: PageFacts, say: Say): readonly (Html | undefined)[] {
  const words = (list: readonly string[]) => (list.length === 0 ? undefined : html`<code>${jsonWords(list)}</code>`);
  const codes = (list: readonly string[]) => stacked(list.map((text) => html`<code>${text}</code>`));
  const none = html`<span class="quiet">${say('none')}</span>`;
  return [
    fact(say, 'entrypoint', words(facts.entrypoint) ?? none),
    fact(say, 'command', words(facts.command) ?? none),
    fact(
      say,
      'user',
      facts.user === undefined ? html`<span class="quiet">${say('userDefault')}</span>` : code(facts.user),
    ),
    fact(say, 'workingDirectory', code(facts.workingDirectory ?? '/')),
    fact(say, 'ports', codes(facts.exposedPorts)),
    fact(say, 'volumes', codes(facts.volumes)),
    fact(say, 'shell', words(facts.shell)),
    fact(say, 'stopSignal', facts.stopSignal === undefined ? undefined : code(facts.stopSignal)),
    fact(say, 'healthcheck', facts.healthcheck === undefined ? undefined : code(healthcheckText(facts.healthcheck))),
    fact(say, 'onBuild', codes(facts.onBuild)),
  ];
}

function code(text: string): Html {
  return html`<code>${text}</code>`;
}

/** As a Dockerfile has it. */
function healthcheckText(check: Healthcheck): string {
  const durations = [
    ['interval', check.Interval],
    ['timeout', check.Timeout],
    ['start-period', check.StartPeriod],
    ['start-interval', check.StartInterval],
  ] as const;
  const flags = durations.flatMap(([name, value]) =>
    value === undefined || value === 0 ? [] : [`--${name}=${value / 1e9}s`],
  );
  if (check.Retries !== undefined && check.Retries !== 0) flags.push(`--retries=${check.Retries}`);
  const [kind, ...words] = check.Test ?? [];
  if (kind === 'NONE') return 'NONE';
  const test = kind === 'CMD-SHELL' ? words.join(' ') : jsonWords(words);
  return [...flags, ...(kind === undefined ? [] : ['CMD', test])].join(' ');
}
