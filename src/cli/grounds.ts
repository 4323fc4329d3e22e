import { Option } from 'commander';
import { type Grounds, LONGEST_GROUND } from '../rescue/help.ts';
import { UsageError } from './failures.ts';

/** The options of {@link requireGrounds}, as they were typed. */
export interface GroundsOptions {
  readonly reason: string;
  readonly verifiedBy: string;
}

/** `--reason` and `--verified-by`, the same on every command that helps someone past their second factor. */
export function groundsOptions(): Option[] {
  return [
    new Option('--reason <text>', 'why; kept in the audit').makeOptionMandatory(),
    new Option(
      '--verified-by <text>',
      'who made sure that it is the owner who asks, and how; kept in the audit',
    ).makeOptionMandatory(),
  ];
}

/** @throws UsageError if one of the two says nothing */
export function requireGrounds({ reason, verifiedBy }: GroundsOptions): Grounds {
  return {
    reason: requireText('--reason', reason),
    verifiedBy: requireText('--verified-by', verifiedBy),
  };
}

/** @throws UsageError if there is no text, or too much of it */
export function requireText(option: string, text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') throw new UsageError(`${option} must say something`);
  if (trimmed.length > LONGEST_GROUND)
    throw new UsageError(`${option} must have at most ${LONGEST_GROUND} characters`);
  return trimmed;
}
