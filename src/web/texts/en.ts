/**
 * Every text of the pages, in English. The other languages have the same keys: their type is taken from here.
 * `{name}` is a place that `fill` fills; `{ one, other }` is chosen by a number.
 */
export const english = {
  shell: {
    skipToContent: 'Skip to the content',
  },
  account: {
    title: 'Two-factor authentication',
    needsScript: 'This page needs JavaScript.',
  },
};

/** The texts of one language: the same keys in all of them. */
export type Texts = typeof english;
