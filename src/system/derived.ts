/**
 * Something that is made from a value which may be replaced while the program runs. It is made again after that.
 *
 * @param source answers the present value; another object is another value
 * @throws whatever `make` throws for the first value
 */
export function derived<Source, Made>(source: () => Source, make: (value: Source) => Made): () => Made {
  let value = source();
  let made = make(value);
  return () => {
    const present = source();
    if (present !== value) {
      made = make(present);
      value = present;
    }
    return made;
  };
}
