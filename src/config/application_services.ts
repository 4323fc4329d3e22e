import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { isJsonObject } from '../matrix/wire.ts';
import type { ApplicationService } from './config.ts';
import { BadValue } from './values.ts';

/**
 * Reads the registration file of an application service (application service API, "Registration").
 *
 * @param file absolute path
 * @throws BadValue if it cannot be read or holds no `id` or `as_token`; the text holds no token
 */
export function readApplicationService(file: string): ApplicationService {
  const registration = parseRegistration(file);
  if (!isJsonObject(registration)) throw new BadValue(`${file} is not a registration file`);
  const { id, as_token: asToken } = registration;
  if (typeof id !== 'string' || id === '') throw new BadValue(`${file} has no id`);
  if (typeof asToken !== 'string' || asToken === '') throw new BadValue(`${file} has no as_token`);
  return { id, asToken };
}

/** What a registration file holds. @throws BadValue; the text holds nothing of the file */
export function parseRegistration(file: string): unknown {
  const text = readText(file);
  try {
    return parse(text);
  } catch {
    // The parser's message quotes the text around the fault, which may be a token (rule R11).
    throw new BadValue(`${file} is not valid YAML`);
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new BadValue(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
