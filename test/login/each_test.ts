/**
 * The application of the test that runs, with `bob`, who has 2FA on, and `alice`, who has not: `start` makes it, and
 * it is stopped after each test of a file that imports this.
 */
import { afterEach } from '@jest/globals';
import type { AppOptions, TestApp } from '../support/app.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { startSignIns } from './support.ts';

export let app: TestApp;
export let bob: Enrolled;

afterEach(() => app.stop());

export async function start(options: AppOptions = {}): Promise<void> {
  ({ app, bob } = await startSignIns(options));
}
