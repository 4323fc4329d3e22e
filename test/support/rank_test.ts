/**
 * How far apart two samples are by their ranks (Mann-Whitney U, normal approximation), as a z-score: 0 where they
 * are mixed well; beyond 3.3 chance alone explains it once in a thousand times.
 * https://en.wikipedia.org/wiki/Mann–Whitney_U_test
 */
export function rankDistance(left: readonly number[], right: readonly number[]): number {
  const smaller = left.flatMap((one) =>
    right.map((other): number => (one < other ? 1 : one === other ? 0.5 : 0)),
  );
  const u = smaller.reduce((sum, part) => sum + part, 0);
  const mean = (left.length * right.length) / 2;
  const deviation = Math.sqrt((left.length * right.length * (left.length + right.length + 1)) / 12);
  return Math.abs(u - mean) / deviation;
}
