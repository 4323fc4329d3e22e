import { expect } from '@jest/globals';
import type { Page } from 'playwright-core';
import { findings } from './accessibility.ts';
import { photograph } from './browser.ts';

/** Photographs the page as it is now, and checks that axe finds nothing and nothing is cut off at 360 px. */
export async function lookAt(page: Page, name: string): Promise<void> {
  await page.waitForLoadState('networkidle');
  await photograph(page, name);
  expect(await findings(page)).toEqual([]);
  const before = page.viewportSize();
  await page.setViewportSize({ width: 360, height: 700 });
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
  if (before !== null) await page.setViewportSize(before);
}
