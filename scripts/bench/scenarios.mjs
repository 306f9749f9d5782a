import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const BASE = 'FROM e2e/busybox:1\n';

/**
 * One thing that is measured.
 *
 * @typedef {object} Scenario
 * @property {string} name
 * @property {number} target highest ratio of our median to Docker's that is good enough
 * @property {'cold' | 'warm'} start cold: nothing of this build is cached, the base is there; warm: the same build ran just before
 * @property {number} rounds
 * @property {(context: string) => void} prepare fills the build context
 * @property {(context: string, round: number) => void} [change] changes the context before each timed build
 * @property {string} [sharesContextOf] name of the scenario whose context is used
 */

/** @param {string} context @param {string} text */
function dockerfile(context, text) {
  writeFileSync(join(context, 'Dockerfile'), text);
}

const SMALL = `${BASE}ARG VERSION=1
ENV APP=/app MODE=production
WORKDIR /app
RUN mkdir -p logs && echo setup > logs/setup
COPY package.txt ./
RUN cat package.txt > installed
COPY src ./src
RUN cat src/* > bundle
LABEL version=$VERSION
EXPOSE 8080
USER 1000
CMD ["sh"]
`;

/** @param {string} context */
function smallProject(context) {
  dockerfile(context, SMALL);
  writeFileSync(join(context, 'package.txt'), 'one\ntwo\n');
  mkdirSync(join(context, 'src'));
  for (let index = 0; index < 20; index++) writeFileSync(join(context, 'src', `${index}.txt`), `file ${index}\n`);
}

/** 50,000 files of 3 kB in 500 directories. @param {string} context */
function manyFiles(context) {
  dockerfile(context, `${BASE}COPY data /data\n`);
  const filler = 'x'.repeat(2980);
  for (let directory = 0; directory < 500; directory++) {
    const path = join(context, 'data', String(directory));
    mkdirSync(path, { recursive: true });
    for (let file = 0; file < 100; file++) writeFileSync(join(path, `${file}.txt`), `${directory}/${file}\n${filler}`);
  }
}

/** @param {string} context */
function bigFile(context) {
  dockerfile(context, `${BASE}COPY big /big\n`);
  // Not all zero: neither side may profit from a sparse or repetitive file more than from a real one.
  const block = Buffer.alloc(1 << 20);
  for (let index = 0; index < block.length; index += 4) block.writeUInt32LE((index * 2_654_435_761) >>> 0, index);
  writeFileSync(join(context, 'big'), '');
  for (let index = 0; index < 1024; index++) {
    block.writeUInt32LE(index, 0);
    writeFileSync(join(context, 'big'), block, { flag: 'a' });
  }
}

const STAGES = Array.from({ length: 8 }, (_, index) => index + 1);

/** @type {readonly Scenario[]} */
export const scenarios = [
  { name: 'unchanged rebuild of a small Dockerfile', target: 0.5, start: 'warm', rounds: 7, prepare: smallProject },
  { name: 'cold build of 13 small instructions, 3 RUN', target: 0.5, start: 'cold', rounds: 5, prepare: smallProject },
  {
    name: 'sixty RUN echo lines, cold',
    target: 0.2,
    start: 'cold',
    rounds: 3,
    prepare: (context) => dockerfile(context, BASE + Array.from({ length: 60 }, (_, i) => `RUN echo ${i}\n`).join('')),
  },
  { name: 'COPY of 50,000 files (150 MB), cold', target: 0.5, start: 'cold', rounds: 3, prepare: manyFiles },
  {
    name: 'COPY of 50,000 files, unchanged',
    target: 0.6,
    start: 'warm',
    rounds: 5,
    prepare: manyFiles,
    sharesContextOf: 'COPY of 50,000 files (150 MB), cold',
  },
  {
    name: 'COPY of 50,000 files, one changed',
    target: 0.4,
    start: 'warm',
    rounds: 3,
    prepare: manyFiles,
    sharesContextOf: 'COPY of 50,000 files (150 MB), cold',
    change: (context, round) => writeFileSync(join(context, 'data/250/50.txt'), `changed ${round} ${Date.now()}\n`),
  },
  { name: 'COPY of one 1 GiB file, cold', target: 0.7, start: 'cold', rounds: 3, prepare: bigFile },
  {
    name: 'RUN that writes 20,000 files, cold',
    target: 0.6,
    start: 'cold',
    rounds: 3,
    prepare: (context) =>
      dockerfile(
        context,
        `${BASE}RUN i=0; while [ $i -lt 200 ]; do mkdir -p /d/$i; j=0; while [ $j -lt 100 ]; do echo $i $j > /d/$i/$j; j=$((j+1)); done; i=$((i+1)); done\n`,
      ),
  },
  {
    name: 'eight parallel stages that each sleep 1 s, cold',
    target: 1,
    start: 'cold',
    rounds: 3,
    prepare: (context) =>
      dockerfile(
        context,
        `${STAGES.map((n) => `FROM e2e/busybox:1 AS s${n}\nRUN sleep 1; echo ${n} > /${n}\n`).join('')}${BASE}${STAGES.map((n) => `COPY --from=s${n} /${n} /\n`).join('')}`,
      ),
  },
];
