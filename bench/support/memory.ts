import { readFileSync } from 'node:fs';

const MIB = 1024;

/** The resident memory of a process in MiB (proc(5), status: in kB). */
export function rssMib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / MIB;
}

/** The most that a process has while some work is done. */
export async function peakDuring(pid: number, work: () => Promise<unknown>): Promise<number> {
  let peak = rssMib(pid);
  const watch = setInterval(() => {
    peak = Math.max(peak, rssMib(pid));
  }, 50);
  try {
    await work();
  } finally {
    clearInterval(watch);
  }
  return Math.max(peak, rssMib(pid));
}
