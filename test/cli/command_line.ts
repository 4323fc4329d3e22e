import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/cli/program.ts';
import type { Surroundings } from '../../src/cli/surroundings.ts';
import { systemRandom } from '../../src/system/random.ts';
import { ManualClock } from '../support/manual_clock.ts';

/** What a command said and how it ended. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** An operator in a folder of their own, who types commands. */
export interface CommandLine {
  readonly folder: string;
  readonly configFile: string;
  readonly clock: ManualClock;
  /** What is answered when a command asks; undefined while no one is there. */
  answer: boolean | undefined;
  /** What happens until then. */
  beforeAnswer: (() => Promise<unknown>) | undefined;
  /** What is typed, a line for each question, and then Ctrl-D; undefined while there is no terminal. */
  typed: string[] | undefined;
  /** The questions that were asked. */
  readonly questions: string[];
  /** Runs a command; `MATRIX_2FA_CONFIG` names the folder's `config.yaml`. */
  type(...words: string[]): Promise<Outcome>;
  /** Starts a command that runs until `stop` is called; `said` resolves at its first result. */
  start(...words: string[]): {
    said: Promise<string>;
    stop(): void;
    /** Resolves at its first remark. */
    remarked: Promise<void>;
    /** As SIGHUP does. */
    reload(): void;
    ended: Promise<Outcome>;
  };
  /** Replaces a text in the configuration. */
  changeConfig(from: string | RegExp, to: string): void;
  remove(): void;
}

export function commandLine(folder = mkdtempSync(join(tmpdir(), 'two-factor-cli-'))): CommandLine {
  const configFile = join(folder, 'config.yaml');
  const clock = new ManualClock();

  const ask = async (question: string) => {
    line.questions.push(question);
    return line.typed?.shift();
  };

  const start: CommandLine['start'] = (...words) => {
    const out: string[] = [];
    const err: string[] = [];
    const reloads: (() => void)[] = [];
    let stop = () => {};
    const stopped = new Promise<void>((resolve) => {
      stop = resolve;
    });
    let say: (text: string) => void = () => {};
    const said = new Promise<string>((resolve) => {
      say = resolve;
    });
    let remark: () => void = () => {};
    const remarked = new Promise<void>((resolve) => {
      remark = resolve;
    });
    const surroundings: Surroundings = {
      environment: { MATRIX_2FA_CONFIG: configFile },
      clock,
      random: systemRandom,
      out: (...lines) => {
        out.push(...lines);
        say(lines.join('\n'));
      },
      csv: (...lines) => {
        out.push(...lines.map((line) => `${line}\r`));
      },
      err: (...lines) => {
        err.push(...lines);
        remark();
      },
      confirm: async () => {
        await line.beforeAnswer?.();
        return line.answer;
      },
      dialogue: () => line.typed && { ask, end: () => undefined },
      untilStopped: () => stopped,
      onReload: (act) => void reloads.push(act),
      untilFault: () => new Promise(() => undefined),
    };
    const ended = run(words, surroundings).then((code) => ({
      code,
      out: out.join('\n'),
      err: err.join('\n'),
    }));
    const reload = () => {
      for (const act of reloads) act();
    };
    return { said, remarked, stop, reload, ended };
  };

  const line: CommandLine = {
    folder,
    configFile,
    clock,
    answer: undefined,
    beforeAnswer: undefined,
    typed: undefined,
    questions: [],
    start,
    type: (...words) => start(...words).ended,
    changeConfig: (from, to) => writeFileSync(configFile, readFileSync(configFile, 'utf8').replace(from, to)),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
  return line;
}
