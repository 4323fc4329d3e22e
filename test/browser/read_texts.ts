import { pages as english } from '../../src/pages/texts/en/pages.ts';
import type { TextKey } from '../../src/pages/texts/keys.ts';
import { BETWEEN_FORMS } from '../../src/pages/texts/texts.ts';

/** Texts that no state shows, each with the reason. */
const SHOWN_ELSEWHERE: Partial<Readonly<Record<TextKey, string>>> = {
  'approve.unknownDevice': 'in the place of its name',
  'approve.unknownAddress': 'in the place of the address',
  'approve.turnOff': 'another deed in the place of that of `approve-own`',
  'approve.deleteCodes': 'the same',
  'approve.recoveryVote': 'the same',
  'approve.noRecoveryContacts': 'the same',
  'approve.devicePassword': 'the same',
  'proof.passkeyOrCode': 'in the place of `proof.both`, where there are both',
  'save.fileName': 'the name of a file',
  'setup.steps': 'each of its steps by itself',
};

/** What stands in a place. */
const IN_A_PLACE = '[^]{0,300}?';

/** The words of pages that were reached, and which texts they do not have: a text without a state is one that no one has looked at. */
export class ReadTexts {
  /** Of each page. */
  private readonly pages: string[] = [];

  add(words: string): void {
    this.pages.push(words.replaceAll(/\s+/g, ' '));
  }

  /** The keys of the texts that stand in none of them, and of exceptions that are none. */
  missing(): string[] {
    const keys = Object.keys(english) as TextKey[];
    return keys.filter((key) => this.has(english[key]) === key in SHOWN_ELSEWHERE);
  }

  private has(text: string): boolean {
    return text.split(BETWEEN_FORMS).some((form) => {
      const parts = form.split(/\{\w+\}/);
      const literal = parts.map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
      const inOrder = new RegExp(literal.join(IN_A_PLACE));
      // To look for the expression in all pages takes ten times as long.
      const likely = this.pages.filter((page) => parts.every((part) => page.includes(part)));
      return likely.some((page) => inOrder.test(page));
    });
  }
}
