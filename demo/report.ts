import { isJsonObject, type Json } from '../src/matrix/wire.ts';
import type { ApiAnswer } from './client.ts';

/** A step of the check did not go as it should; the message says which and what came instead. */
export class StepFailed extends Error {}

/** What a step must answer: a status, and something about the body. */
export interface Expectation {
  readonly status: number;
  readonly body?: (body: ApiAnswer['body']) => boolean;
}

/** Prints what is asked and answered, and fails where an answer is not the expected one. */
export class Report {
  private steps = 0;

  get count(): number {
    return this.steps;
  }

  /** A new step begins. */
  step(says: string): void {
    this.steps += 1;
    print(`\n${String(this.steps).padStart(2)}. ${says}`);
  }

  /** Something asked and answered within the step. */
  tell(asked: string, answered: string): void {
    print(`    ${asked}  ->  ${answered}`);
  }

  /** @throws StepFailed */
  expect(asked: string, answer: ApiAnswer, expected: Expectation): ApiAnswer {
    this.tell(asked, answerInShort(answer));
    if (answer.status !== expected.status) {
      throw new StepFailed(`Step ${this.steps} failed: expected ${expected.status} to "${asked}".`);
    }
    if (expected.body?.(answer.body) === false) {
      throw new StepFailed(
        `Step ${this.steps} failed: the answer to "${asked}" does not hold what it should.`,
      );
    }
    return answer;
  }

  /** @throws StepFailed */
  require(asked: string, answered: string, isRight: boolean): void {
    this.tell(asked, answered);
    if (!isRight) throw new StepFailed(`Step ${this.steps} failed at "${asked}".`);
  }
}

/** Status and the telling parts of a body: names of keys, never a secret. */
export function answerInShort({ status, body }: ApiAnswer): string {
  return `${status} ${bodyInShort(body)}`.trim();
}

export function bodyInShort(body: ApiAnswer['body']): string {
  const { errcode, flows, completed } = body;
  if (Array.isArray(flows)) {
    const ways = flows.map((flow) => (isJsonObject(flow) ? stageNames(flow.stages, ' > ') : ''));
    const done = stageNames(completed, ', ');
    return `challenge: ${ways.join(' or ')}${done === '' ? '' : ` (done: ${done})`}`;
  }
  if (typeof errcode === 'string') return `${errcode}: ${String(body.error)}`;
  const keys = Object.keys(body);
  return keys.length === 0 ? '{}' : keys.join(', ');
}

function stageNames(stages: Json | undefined, between: string): string {
  return Array.isArray(stages)
    ? stages.map((stage) => String(stage).replace('m.login.', '')).join(between)
    : '';
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
