/**
 * Preloaded into `serve`: its clock is off by as many milliseconds as stand in `?file=PATH`, which is read again at
 * SIGUSR2. Only the time of day jumps, as when an administrator or a time service sets it; timers go on as they were.
 */
import { readFileSync } from 'node:fs';

const file = new URL(import.meta.url).searchParams.get('file') ?? '';
const realNow = Date.now;
let offMs = 0;

function readAgain(): void {
  offMs = Number(readFileSync(file, 'utf8'));
}

readAgain();
Date.now = () => realNow() + offMs;
process.on('SIGUSR2', readAgain);
