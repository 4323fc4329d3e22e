import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The CPU time of a process so far in ms, all its threads (proc(5), schedstat: the first number is in ns). */
export function cpuMs(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks)
    .map((task) => Number(readFileSync(join(tasks, task, 'schedstat'), 'utf8').split(' ')[0]) / 1e6)
    .reduce((sum, ms) => sum + ms, 0);
}
