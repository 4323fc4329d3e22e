import { ScureBase32Plugin } from 'otplib';
import type { TestApp } from '../support/app.ts';
import { Visitor } from '../support/visitor.ts';
import { PASSWORD } from './recovering.ts';

/** The page that recovers an account, and the one behind a cancel link. */
export const PAGE = '/_2fa/recover';
export const CANCEL_PAGE = `${PAGE}/cancel`;

const base32 = new ScureBase32Plugin();

/** A browser on the page, which has given name and password. */
export async function arrived(app: TestApp, name = 'bob', password = PASSWORD): Promise<Visitor> {
  const visitor = new Visitor(app.url);
  await visitor.open(PAGE);
  await visitor.send({ user: name, password });
  return visitor;
}

/** The seed that the page shows for the new authenticator; empty where it shows none. */
export function seedShown(visitor: Visitor): Buffer {
  return Buffer.from(base32.decode(/secret=([A-Z2-7]+)/.exec(visitor.last?.text ?? '')?.[1] ?? ''));
}

/** What a reader sees of its last page. */
export function textOf(visitor: Visitor): string {
  return (visitor.last?.text ?? '').replaceAll(/<[^>]*>|\s+/g, ' ');
}

/** Presses the button behind a cancel link. */
export async function stopBy(app: TestApp, link: string): Promise<Visitor> {
  const visitor = new Visitor(app.url);
  await visitor.open(link);
  if (textOf(visitor).includes('Stop this recovery?')) await visitor.send({});
  return visitor;
}
